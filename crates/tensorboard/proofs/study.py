"""Writes what `check.py` must find in the logs of a study: study.py METRICS.json OUT LOGS EXPECTED.json

METRICS.json is what `inkling export OUT --metrics METRICS.json` wrote, OUT the study's folder, LOGS what `--tensorboard LOGS` wrote.
The tags are those of docs/formats.md. Numbers are read from the study's own files; of LOGS, only the sheet of pictures is taken.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

metrics, out, logs, expected = map(Path, sys.argv[1:])
runs = {}
for row in json.loads(metrics.read_text(encoding="utf-8")):
    place = row["step"] if row["step"] is not None else row["epoch"]
    if place is None:
        continue
    start = [row["metric"], row["part"]] if row["epoch"] is not None else ["steps", row["metric"]]
    tag = "/".join(word for word in [*start, row["head"]] if word)
    name = row["network"].replace("/", "-")
    run = runs.setdefault(f"{row['task']}/{name}", {"scalars": {}, "last": 0})
    run["scalars"].setdefault(tag, []).append([place, row["value"]])
    run["last"] = max(run["last"], row["step"] or 0)

study = json.loads((out / "study.json").read_text(encoding="utf-8"))
for planned in study["runs"]:
    folder, kind = out / "runs" / planned["id"], planned["spec"]["kind"]
    if kind == "train":
        run = runs[f"{planned['task']}/{planned['title'].replace('/', '-')}"]
        weights = load_file(folder / "model.safetensors")
        run["histograms"] = {
            f"weights/{name}": [[run["last"], array.ravel().tolist()]]
            for name, array in weights.items() if not name.startswith(("best/", "last/"))
        }
    elif kind == "pca" and (folder / "arrays.safetensors").exists():
        arrays = load_file(folder / "arrays.safetensors")
        classes = study["data"][planned["spec"]["data"]["set"]]["classes"]
        shown = len(arrays["pictures"])
        sprite = (logs / "pca/embedding-1/sprite.png").read_bytes()
        height, width = arrays["pictures"].shape[1:3]
        runs["pca"] = {"embeddings": [{
            "name": "two components", "columns": 2,
            "values": arrays["embedding"][:shown].astype("float32").ravel().tolist(),
            "labels": [classes[label] for label in arrays["labels"][:shown]],
            "sprite": [[int(width), int(height)], list(sprite)],
        }]}

# The features of the network that was looked into: with the weights of its last layer they give the scores that the run kept.
if (logs / "features").exists():
    inside = study["study"]["inside"]["network"]
    [looked] = [run for run in study["runs"] if run["task"] == "cnn" and run["title"] == inside]
    folder, spec = out / "runs" / looked["id"], looked["spec"]
    lines = (logs / "features/embedding-1/tensors.tsv").read_text(encoding="utf-8").splitlines()
    features = np.array([line.split("\t") for line in lines], dtype=np.float32)
    arrays, weights = load_file(folder / "arrays.safetensors"), load_file(folder / "model.safetensors")
    [head] = [head["name"] for head in spec["model"]["heads"]]
    scores = features @ weights[f"{head}.1.weight"] + weights[f"{head}.1.bias"]
    np.testing.assert_allclose(scores, arrays["test_logits"][: len(features)], rtol=1e-4, atol=1e-4)
    classes = study["data"][spec["data"]["set"]]["classes"]
    height, width = spec["model"]["input"][:2]
    config = (logs / "features/projector_config.pbtxt").read_text(encoding="utf-8")
    runs["features"] = {"embeddings": [{
        "name": config.split('tensor_name: "')[1].split('"')[0], "columns": features.shape[1],
        "values": features.ravel().tolist(),
        "labels": [classes[label] for label in arrays["test_labels"][: len(features)]],
        "sprite": [[width, height], list((logs / "features/embedding-1/sprite.png").read_bytes())],
    }]}
else:
    sys.exit("the projector has no features of the network that was looked into")

images = {}
for path in sorted((out / "figures").glob("*.png")):
    png = path.read_bytes()
    width, height = struct.unpack(">II", png[16:24])
    images[path.stem] = [[0, width, height, list(png)]]
if images:
    runs["figures"] = {"images": images}
expected.write_text(json.dumps({"runs": runs}), encoding="utf-8")
