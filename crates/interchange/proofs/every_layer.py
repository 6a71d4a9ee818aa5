"""Compares the engine's scores with those of PyTorch and of Keras, for the networks that the example `every_layer` wrote.

    cargo run --release -p inkling-interchange --example every_layer -- DIR
    python crates/interchange/proofs/every_layer.py DIR

It exits with 1 if a score differs by more than 0.00001 times the largest score of its head.
"""

import importlib.util
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import torch
from safetensors.numpy import load_file

LARGEST = 1e-5


def load(folder):
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


def in_pytorch(folder, images):
    with torch.inference_mode():
        return load(folder / "pytorch")(torch.tensor(images).permute(0, 3, 1, 2))


def in_keras(folder, images):
    return load(folder / "keras").predict_on_batch(images)


worst = 0.0
folders = sorted(Path(sys.argv[1]).iterdir())
for folder in folders:
    arrays = load_file(folder / "engine.safetensors")
    images = arrays.pop("images")
    for name, compute in [("PyTorch", in_pytorch), ("Keras", in_keras)]:
        output = compute(folder, images)
        for array, scores in arrays.items():
            head = array.removeprefix("scores/")
            found = np.asarray(output[head] if isinstance(output, dict) else output)
            difference = float(np.abs(found - scores).max() / np.abs(scores).max())
            worst = max(worst, difference)
            verdict = "" if difference <= LARGEST else "  TOO FAR"
            print(f"{folder.name:20} {head:18} {name:8} {difference:.1e}{verdict}", flush=True)
print(f"{len(folders)} networks; the largest difference is {worst:.1e} of the largest score")
sys.exit(0 if folders and worst <= LARGEST else 1)
