"""Classifies the test images with every network in PyTorch and in Keras, and sets the counts of right answers beside Inkling's.

    python reproduce.py --data DIR [--out FILE]

DIR has the folders mnist and fashion-mnist with the files as published. A library that is not installed is left out. The
script exits with 1 if a count differs by more than the images whose two largest scores are equal but for rounding. What was
counted is in FILE, by itself peers.json beside this script; in the folder of the study, `inkling report` takes it up.
"""

import argparse
import hashlib
import importlib
import json
import sys
from datetime import datetime, timezone
from pathlib import Path

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


def library(name):
    """What is written of a library."""
    if name == "PyTorch":
        return {"name": name, "version": torch.__version__}
    return {"name": name, "version": keras.__version__, "backend": keras.config.backend()}


def sealed(document):
    """A document with the SHA-256 of its members as compact JSON with sorted keys."""
    members = {"format": 1, **document}
    plain = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    checksum = hashlib.sha256(plain.encode("utf-8")).hexdigest()
    return json.dumps({"format": 1, "checksum": checksum, **document}, indent=2, ensure_ascii=False) + "\n"


def load(folder):
    """The network in this folder with its weights."""
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
add_sources(arguments)
arguments.add_argument("--out", metavar="FILE", type=Path, default=FOLDER / "peers.json", help="where the counts are written")
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
counted = []
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
    counted.append({"run": network["run"], "heads": []})
    for name, head in network["heads"].items():
        counts = [count(found[name], labels_of(head, classes)) for found in scores]
        equal = all(abs(correct - head["correct"]) <= ties for correct, ties in counts)
        both = [{"correct": int(correct), "ties": int(ties)} for correct, ties in counts]
        of_head = {"name": name, "images": head["images"], "correct": head["correct"], "found": both}
        counted[-1]["heads"].append(of_head)
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
if counted:
    finished = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = {"finished": finished, "libraries": [library(name) for name, _, _ in libraries], "networks": counted}
    given.out.write_text(sealed(found), encoding="utf-8")
    print(f"{given.out}: what was counted; in the folder of the study, `inkling report OUT` takes it up")
sys.exit(1 if different or not compared else 0)
