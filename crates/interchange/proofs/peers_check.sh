#!/usr/bin/env bash
# Proves that PyTorch and Keras compute what the engine does:
#
#     crates/interchange/proofs/peers_check.sh OUT PEERS DATA
#
# OUT is the folder of a study, where the counts become `peers.json`, PEERS its folder `peers`, DATA the folder with mnist and fashion-mnist. Python with what
# peers-requirements.txt lists is $PYTHON, by itself python3. Every layer is compared score by score, every network of the study by its
# predictions and by its count of right answers, one folder of each library by itself, and one network is trained for an epoch.
set -euo pipefail
out=$(realpath "$1") peers=$(realpath "$2") data=$(realpath "$3") python=${PYTHON:-python3}
here=$(cd "$(dirname "$0")" && pwd)
# As many threads as cores make small layers slower where other programs run beside.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} KERAS_BACKEND=${KERAS_BACKEND:-torch}

layers=$(mktemp -d)
trap 'rm -rf "$layers"' EXIT
cargo run --quiet --release --locked --package inkling-interchange --example every_layer -- "$layers"
"$python" "$here/every_layer.py" "$layers"

"$python" "$here/predictions.py" "$out" "$peers" "$data"
"$python" "$peers/reproduce.py" --data "$data" --out "$out/peers.json"

# The Python of docs/formats.md that needs PyTorch or Keras.
cargo build --quiet --release --locked
exchanged=$(mktemp -d)
trap 'rm -rf "$layers" "$exchanged"' EXIT
cp -r "$peers" "$exchanged/peers"
for form in csv json parquet; do
    target/release/inkling export "$out" --metrics "$exchanged/metrics.$form" >/dev/null
done
target/release/inkling export "$out" --tensorboard "$exchanged/logs" >/dev/null
"$python" "$here/snippets.py" "$here/../../../docs/formats.md" target/release/inkling "$out" "$exchanged"

first=$(find "$peers" -mindepth 1 -maxdepth 1 -type d ! -name '__*' | sort | head -n 1)
for part in pytorch keras; do
    "$python" "$first/$part/check.py" --data "$data"
done
name=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["networks"][0]["name"])' "$peers/networks.json")
"$python" "$peers/train.py" --data "$data" --only "$name" --epochs 1

# A count that is wrong is found.
wrong=$layers/wrong
cp -r "$first/pytorch" "$wrong"
sed -i 's/^CORRECT = {\(.*\): [0-9]*}/CORRECT = {\1: 1}/' "$wrong/check.py"
if "$python" "$wrong/check.py" --data "$data"; then
    echo "a wrong count was not found" >&2
    exit 1
fi
