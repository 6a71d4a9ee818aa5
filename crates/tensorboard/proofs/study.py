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

table, out, logs, expected = map(Path, sys.argv[1:])
runs = {}
for row in json.loads(table.read_text(encoding="utf-8")):
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
# Of a sweep, which lists its points: what each of its trainings tries. Some of it is in the columns of every training.
points = next((planned["spec"]["points"] for planned in study["runs"] if planned["spec"]["kind"] == "choice"), [])
tried = study["study"].get("sweep", {}).get("points", [])
tried = {trial: point for trials, point in zip(points, tried) for trial in trials}
own = [key for point in tried.values() for key in point]
own = [key for key in dict.fromkeys(own) if key.rsplit(".", 1)[-1] not in ("learning_rate", "batch_size", "epochs")]
columns, heads = {}, {"test": set(), "validation": set()}
for planned in study["runs"]:
    folder, kind = out / "runs" / planned["id"], planned["spec"]["kind"]
    if kind in ("train", "trial"):
        run = runs[f"{planned['task']}/{planned['title'].replace('/', '-')}"]
        spec, training = planned["spec"], planned["spec"]["training"]
        outcome = json.loads((folder / "result.json").read_text(encoding="utf-8"))["outcome"]
        values = {
            "data set": spec["data"]["set"],
            "training images": float(spec["data"]["train_images"]),
            "parameters": float(outcome["parameters"]),
            "optimizer": training["optimizer"]["kind"],
            "learning rate": float(training["learning_rate"]),
            "batch size": float(training["batch_size"]),
            "epochs": float(training["epochs"]),
            "seed": float(spec["seed"]),
        }
        values |= {key: float(value) for key, value in tried.get(planned["id"], {}).items() if key in own}
        for name, value in values.items():
            columns[name] = ["DATA_TYPE_STRING" if isinstance(value, str) else "DATA_TYPE_FLOAT64", {}]
        heads["validation" if kind == "trial" else "test"] |= {head["name"] for head in spec["model"]["heads"]}
        run["session"] = {
            "hyperparameters": values,
            "status": "STATUS_FAILURE" if outcome["diverged"] else "STATUS_SUCCESS",
        }
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

# A run that has no such scalar has no such cell.
metrics = [[f"accuracy/{part}/{head}", f"{part} accuracy, {head}"] for part in heads for head in sorted(heads[part])]
for run in runs.values():
    if "session" in run:
        last = {tag: run["scalars"][tag][-1][1] for tag, _ in metrics if tag in run["scalars"]}
        run["session"]["metrics"] = last

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
elif study["study"].get("inside"):
    sys.exit("the projector has no features of the network that was looked into")

images = {}
for path in sorted((out / "figures").glob("*.png")):
    png = path.read_bytes()
    width, height = struct.unpack(">II", png[16:24])
    images[path.stem] = [[0, width, height, list(png)]]
if images:
    runs["figures"] = {"images": images}
experiment = {"hyperparameters": columns, "metrics": metrics}
expected.write_text(json.dumps({"runs": runs, "experiment": experiment}), encoding="utf-8")
