"""Compares the class that each test image gets in PyTorch and in Keras with the one that it got in Inkling.

    python crates/interchange/proofs/predictions.py OUT PEERS DATA

OUT is the folder of a study, PEERS its folder `peers`, in which networks have the names of their tasks and runs, and DATA the folder with
mnist and fashion-mnist. It exits with 1 if an image whose two largest scores are not equal but for rounding gets another class.
"""

import json
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import torch
from safetensors.numpy import load_file

out, peers, data = map(Path, sys.argv[1:])
images_py = runpy.run_path(str(peers / "images.py"))
given = SimpleNamespace(data=data, npz=[])
runs = json.loads((out / "study.json").read_text(encoding="utf-8"))["runs"]
runs = {f"{run['task']} {run['title']}": run["id"] for run in runs if run["spec"]["kind"] == "train"}
compared = differ = 0
for network in images_py["NETWORKS"]:
    arrays = load_file(out / "runs" / runs[network["name"]] / "arrays.safetensors")
    images, _ = images_py["test_images"](given, network)
    x = images.astype(np.float32) / 255
    folder = peers / network["folder"]
    with torch.inference_mode():
        module = runpy.run_path(str(folder / "pytorch/model.py"))["load"]()
        in_pytorch = module(torch.tensor(x).permute(0, 3, 1, 2))
    in_keras = runpy.run_path(str(folder / "keras/model.py"))["load"]().predict(x, verbose=0)
    for number, head in enumerate(network["heads"]):
        suffix = f"/{head}" if number else ""
        expected, scores = arrays[f"test_predictions{suffix}"], arrays[f"test_logits{suffix}"]
        largest = -np.sort(-scores, axis=1)
        clear = largest[:, 0] - largest[:, 1] > 1e-5 * np.maximum(1, np.abs(largest[:, 0]))
        for output in (in_pytorch, in_keras):
            found = np.asarray(output[head] if isinstance(output, dict) else output)
            wrong = int(np.sum((found.argmax(axis=1) != expected) & clear))
            far = np.abs(found - scores).max() / np.abs(scores).max()
            compared, differ = compared + len(expected), differ + wrong
            print(f"{network['name']:10} {head:8} {wrong} of {len(expected)} differ; scores by up to {far:.1e}")
print(f"{differ} of {compared} predictions differ")
sys.exit(1 if differ or not compared else 0)
