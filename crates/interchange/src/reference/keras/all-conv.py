"""The network `all-conv` in Keras.

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
        layers.Conv2D(32, 3, padding="same", name="trunk_1"),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="trunk_2"), layers.ReLU(),
        layers.Conv2D(32, 3, strides=2, padding="same", name="trunk_4"),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="trunk_5"), layers.ReLU(),
        layers.Conv2D(64, 3, padding="same", name="trunk_7"),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="trunk_8"), layers.ReLU(),
        layers.Conv2D(64, 3, strides=2, padding="same", name="trunk_10"),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="trunk_11"), layers.ReLU(),
        layers.Conv2D(10, 1, padding="same", name="digit_1"),
        layers.GlobalAveragePooling2D(),
    ])


def load(weights=Path(__file__).with_name("weights.safetensors")):
    """The network with its trained weights."""
    network, arrays = build(), load_file(weights)
    for layer in network.layers:
        layer.set_weights([arrays[f"{layer.name}.{variable.name}"] for variable in layer.weights])
    return network
