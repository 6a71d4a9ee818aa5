"""Classifies the test images with every network in PyTorch and in Keras, and sets the counts of right answers beside Inkling's.

    python reproduce.py --data DIR

DIR has the folders mnist and fashion-mnist with the files as published. A library that is not installed is left out. The
script exits with 1 if a count differs by more than the images whose two largest scores are equal but for rounding.
"""

import argparse
import importlib
import sys

import numpy as np

from images import FOLDER, NETWORKS, add_sources, count, labels_of, test_images

@BACKEND@


def installed_library(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


torch, keras = installed_library("torch"), installed_library("keras")


@TORCH@


@KERAS@


def load(folder):
    """The network in this folder with its weights."""
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
add_sources(arguments)
given = arguments.parse_args()
libraries = [
    ("PyTorch", "pytorch", torch and scores_in_pytorch), ("Keras", "keras", keras and scores_in_keras)
]
libraries = [library for library in libraries if library[2]]
if not libraries:
    sys.exit("neither PyTorch nor Keras is installed: pip install -r requirements.txt")

tested = [network for network in NETWORKS if network["heads"]]
width = max([len(network["name"]) for network in tested] + [7])
titles = "".join(f"{name:>9}" for name, _, _ in libraries)
print(f"{'network':{width}}  {'head':8}  {'images':>6}  Inkling{titles}  equal")
compared = different = 0
skipped, without_weights = set(), []
for network in tested:
    folders = [FOLDER / network["folder"] / part for _, part, _ in libraries]
    if not all((folder / "weights.safetensors").exists() for folder in folders):
        without_weights.append(network["name"])
        continue
    found = test_images(given, network)
    if found is None:
        skipped.add(network["set"])
        continue
    images, classes = found
    scores = [
        compute(load(folder), images, network["heads"])
        for folder, (_, _, compute) in zip(folders, libraries)
    ]
    for name, head in network["heads"].items():
        counts = [count(found[name], labels_of(head, classes)) for found in scores]
        equal = all(abs(correct - head["correct"]) <= ties for correct, ties in counts)
        compared, different = compared + 1, different + (not equal)
        numbers = "".join(f"{correct:9}" for correct, _ in counts)
        verdict = "yes" if equal else "NO"
        print(
            f"{network['name']:{width}}  {name:8}  {head['images']:6}  {head['correct']:7}{numbers}  {verdict}", flush=True
        )
print(f"{compared - different} of {compared} counts are equal")
if skipped:
    print(f"left out for want of test images (--data or --npz): {', '.join(sorted(skipped))}")
if without_weights:
    print(f"left out for want of weights, of which README.md tells: {', '.join(without_weights)}")
sys.exit(1 if different or not compared else 0)
