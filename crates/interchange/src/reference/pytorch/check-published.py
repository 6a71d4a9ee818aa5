"""Classifies the test images in PyTorch and compares the count of right answers with Inkling's.

    python check.py --data DIR

DIR is a folder with a folder fashion-mnist, which holds the four files of the set. It exits with 1 if a count differs by
more than the images whose two largest scores are equal but for rounding.
"""

import argparse
import gzip
import sys
from pathlib import Path

import numpy as np
import torch

from model import load

# The test images, the shape of each (height, width, channels), and how many each head classifies rightly in Inkling.
SET = "fashion-mnist"
IMAGES = 1000
SHAPE = (28, 28, 1)
CORRECT = {"item": 600, "group": 601}
# What a head says that does not say the class: the group of each class, by its number.
GROUPS = {"group": [2, 2, 2, 1, 2, 0, 1, 0, 1, 0]}


def read_idx(path):
    """The array in an IDX file, compressed or not."""
    packed = path.with_name(path.name + ".gz")
    content = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def read_set(folder, part):
    """Images and classes of a part of MNIST or Fashion-MNIST: "train" or "t10k"."""
    return read_idx(folder / f"{part}-images-idx3-ubyte"), read_idx(folder / f"{part}-labels-idx1-ubyte")


def read_npz(file):
    """The test images and classes that `inkling data import` kept."""
    arrays = np.load(file)
    return arrays["x_test"], arrays["y_test"]


def count(scores, labels):
    """Images whose largest score is that of their label, and images whose two largest scores are equal but for rounding."""
    largest = -np.sort(-scores, axis=1)
    ties = np.abs(largest[:, :1] - largest[:, 1:2]) <= 1e-5 * np.maximum(1, np.abs(largest[:, :1]))
    return int(np.sum(scores.argmax(axis=1) == labels)), int(np.sum(ties))


def scores_in_pytorch(network, images, heads, device="cpu"):
    """Each head's scores of images, which are bytes [images, height, width, channels]."""
    found = {head: [] for head in heads}
    with torch.inference_mode():
        for batch in np.array_split(images, len(images) // 500 + 1):
            output = network(torch.tensor(batch, device=device).permute(0, 3, 1, 2).float() / 255)
            # A network with one head gives its scores as they are.
            output = output if isinstance(output, dict) else dict.fromkeys(heads, output)
            for head in heads:
                found[head].append(output[head].cpu().numpy())
    return {head: np.concatenate(parts) for head, parts in found.items()}


arguments = argparse.ArgumentParser()
arguments.add_argument("--data", required=True, metavar="DIR")
given = arguments.parse_args()
images, classes = read_set(Path(given.data) / SET, "t10k")
if len(images) < IMAGES or images[0].size != np.prod(SHAPE):
    sys.exit(f"{IMAGES} test images of {SHAPE} are needed, and there are {len(images)} of {images.shape[1:]}")
images, classes = images[:IMAGES].reshape(-1, *SHAPE), classes[:IMAGES].astype(int)

differ = False
for head, scores in scores_in_pytorch(load(), images, CORRECT).items():
    labels = np.array(GROUPS[head])[classes] if head in GROUPS else classes
    correct, ties = count(scores, labels)
    same = abs(correct - CORRECT[head]) <= ties
    differ |= not same
    verdict = "the same" if same else "not the same"
    print(f"{head}: {correct} of {IMAGES} right in PyTorch, {CORRECT[head]} in Inkling: {verdict} ({ties} ties)")
sys.exit(1 if differ else 0)
