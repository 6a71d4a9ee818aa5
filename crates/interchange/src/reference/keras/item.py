"""The network `item` in Keras.

Scores of `item`: 10.
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
        layers.Conv2D(32, 3, padding="same", activation="relu", name="trunk_1"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, padding="same", activation="relu", name="trunk_4"),
        layers.MaxPooling2D(2),
        layers.Conv2D(128, 3, padding="same", activation="relu", name="trunk_7"),
        layers.Flatten(),
        layers.Dense(3136, activation="relu", name="trunk_10"),
        layers.Dense(1024, activation="relu", name="item_1"),
        layers.Dense(100, activation="relu", name="item_3"),
        layers.Dense(10, name="item_5"),
    ])


def load(weights=Path(__file__).with_name("weights.safetensors")):
    """The network with its trained weights."""
    network, arrays = build(), load_file(weights)
    for layer in network.layers:
        layer.set_weights([arrays[f"{layer.name}.{variable.name}"] for variable in layer.weights])
    return network
