"""Writes the small Parquet files beside this script from MNIST's first test images, as its users have them.

    python3 -m venv venv && venv/bin/pip install pillow pyarrow datasets
    venv/bin/python crates/data/tests/parquet/make.py

Written with pyarrow 26.0.1, datasets 5.2.0, Pillow 13.0.0.
"""

import gzip
import io
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Dataset, Features, Image
from PIL import Image as Picture

HERE = pathlib.Path(__file__).parent
MNIST = HERE.parents[3] / "data" / "mnist"
NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def mnist():
    """The first test images of each digit as PNG, with their labels: first two of each, then the third."""
    images = gzip.decompress((MNIST / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((MNIST / "t10k-labels-idx1-ubyte.gz").read_bytes())[8:]
    places = [[place for place, label in enumerate(labels) if label == digit][:3] for digit in range(10)]
    for place in [place for digit in places for place in digit[:2]] + [digit[2] for digit in places]:
        file = io.BytesIO()
        Picture.frombytes("L", (28, 28), images[784 * place : 784 * (place + 1)]).save(file, "PNG", optimize=True)
        yield file.getvalue(), labels[place]


def hugging_face(rows, path):
    """As `Dataset.push_to_hub` writes it, the layout of `ylecun/mnist`."""
    features = Features({"image": Image(), "label": ClassLabel(names=NAMES)})
    columns = {"image": [{"bytes": png, "path": None} for png, _ in rows], "label": [label for _, label in rows]}
    path.parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_dict(columns, features=features).to_parquet(path)


def plain(rows, name, **options):
    """With pyarrow alone: no names of classes."""
    image = pa.array([{"bytes": png, "path": f"{place}.png"} for place, (png, _) in enumerate(rows)])
    label = pa.array([label for _, label in rows])
    table = pa.table({"image": image, "label": label})
    pq.write_table(table, HERE / name, write_statistics=False, store_schema=False, **options)


rows = list(mnist())
# Two shards to train on, a part for the test in its own, in a folder of the name of the configuration.
shards = HERE / "shards" / "mnist"
hugging_face(rows[0:20:2], shards / "train-00000-of-00002.parquet")
hugging_face(rows[1:20:2], shards / "train-00001-of-00002.parquet")
hugging_face(rows[20:], shards / "test-00000-of-00001.parquet")
# The same images in one file, in ways of other writers: packed, in groups and pages of a few rows, encoded by difference.
plain(rows, "snappy.parquet", compression="snappy", row_group_size=7)
plain(rows, "gzip.parquet", compression="gzip", data_page_version="2.0")
plain(rows, "zstd.parquet", compression="zstd", row_group_size=11)
plain(rows, "none.parquet", compression="none", use_dictionary=False, write_batch_size=4, data_page_size=1)
plain(
    rows,
    "delta.parquet",
    compression="none",
    use_dictionary=False,
    column_encoding={"image.bytes": "DELTA_LENGTH_BYTE_ARRAY", "image.path": "PLAIN", "label": "DELTA_BINARY_PACKED"},
)
# Names as labels, in a column of text, and images in one of bytes.
pictures = pa.array([png for png, _ in rows], pa.binary())
names = pa.array([NAMES[label] for _, label in rows])
pq.write_table(pa.table({"img": pictures, "fine_label": names}), HERE / "names.parquet", data_page_version="2.0")
