"""The network `mlp` in Keras.

Scores of `digit`: 10.
Images: float32 in the shape [batch, 28, 28, 1], from 0 to 1: bytes are divided by 255.

    from model import load
    network = load()
    scores = network.predict(images)
"""

from pathlib import Path

import keras
from keras import layers
from safetensors.numpy import load_file


def build():
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Flatten(),
        layers.Dense(1000, activation="relu", name="trunk_2"),
        layers.Dense(1000, activation="relu", name="trunk_4"),
        layers.Dense(10, name="digit_1"),
    ])


def load(weights=Path(__file__).with_name("weights.safetensors")):
    """The network with its trained weights."""
    network, arrays = build(), load_file(weights)
    for layer in network.layers:
        layer.set_weights([arrays[f"{layer.name}.{variable.name}"] for variable in layer.weights])
    return network
