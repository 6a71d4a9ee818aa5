"""Reads images as they are published or as `inkling data import` writes them, and counts right answers."""

import gzip
import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
NETWORKS = json.loads((FOLDER / "networks.json").read_text(encoding="utf-8"))["networks"]
for network in NETWORKS:
    network["heads"] = {head["name"]: head for head in network.get("heads", [])}
PUBLISHED = ("mnist", "fashion-mnist")


@READING@


def add_sources(arguments):
    """Adds the options that say where images are."""
    arguments.add_argument("--data", metavar="DIR", help="a folder with the folders mnist and fashion-mnist")
    arguments.add_argument(
        "--npz", metavar="SET=FILE.npz", action="append", default=[],
        help="images of your own, as `inkling data import SOURCE --out FILE.npz` writes them",
    )


def file_of(given, name):
    """The file that was given for a set of one's own, if one was."""
    return dict(pair.split("=", 1) for pair in given.npz).get(name)


def test_images(given, network):
    """The test images of a network as bytes and their classes; None where they were not given."""
    file = file_of(given, network["set"])
    if file:
        images, classes = read_npz(file)
    elif given.data and network["set"] in PUBLISHED:
        images, classes = read_set(Path(given.data) / network["set"], "t10k")
    else:
        return None
    return shaped(images, classes, network, max(head["images"] for head in network["heads"].values()))


def shaped(images, classes, network, needed):
    """The first images in the network's shape [images, height, width, channels], and their classes."""
    if len(images) < needed or images[0].size != np.prod(network["shape"]):
        found = f"there are {len(images)} of {images.shape[1:]}"
        raise SystemExit(f"{network['name']}: {needed} images of {network['shape']} are needed, and {found}")
    return images[:needed].reshape(-1, *network["shape"]), classes[:needed].astype(int)


def labels_of(head, classes):
    """What a head should say of images of these classes: the class, or the group that the class is in."""
    return np.array(head["groups"])[classes] if head["groups"] else classes
