"""Training steps of the study's MLP and CNN in Keras on TensorFlow, to set beside `inkling bench mlp cnn`.

    python3 -m venv venv && venv/bin/pip install tensorflow-cpu keras
    venv/bin/python benches/peers/keras_networks.py data [rounds]
"""

import gzip
import os
import statistics
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from keras import layers

BATCH = 50


def read(name, offset):
    with gzip.open(f"{sys.argv[1]}/mnist/{name}.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


def dense(units):
    return layers.Dense(units, activation="relu")


def conv(filters, stride):
    return layers.Conv2D(filters, 4, stride, padding="same", activation="relu")


NETWORKS = {
    "mlp": (100, [layers.Flatten(), dense(1000), dense(1000), layers.Dense(10)]),
    "cnn": (30, [conv(32, 1), conv(64, 2), conv(128, 2), layers.Flatten(), layers.Dense(10)]),
}

rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
pixels = read("train-images-idx3-ubyte", 16).reshape(-1, 28, 28, 1)
labels = read("train-labels-idx1-ubyte", 8)
for name, (steps, parts) in NETWORKS.items():
    x = pixels[: BATCH * steps].astype("float32") / 255
    y = labels[: BATCH * steps]
    net = keras.Sequential(parts)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
    net.fit(x, y, batch_size=BATCH, verbose=0)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        net.fit(x, y, batch_size=BATCH, verbose=0)
        times.append((time.perf_counter() - start) / steps * 1e3)
    spread = f"min={min(times):.2f} median={statistics.median(times):.2f} max={max(times):.2f}"
    print(f"keras {name} batch={BATCH} params={net.count_params()} ms_per_step {spread}", flush=True)
