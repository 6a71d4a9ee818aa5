"""The network `resnet-8` in Keras.

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


def chain(x, steps):
    """What comes out of the steps, one after the other."""
    for step in steps:
        x = step(x)
    return x


def residual(steps, projection=None):
    """A step that adds to x, or to its projection, what the steps make of it."""
    return lambda x: layers.add([chain(x, steps), projection(x) if projection else x])


def build():
    images = keras.Input((28, 28, 1))
    x = chain(images, [
        layers.Conv2D(16, 3, padding="same", name="trunk_1"),
        layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="trunk_2"), layers.ReLU(),
        residual([
            layers.Conv2D(16, 3, padding="same", name="trunk_4_1"),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="trunk_4_2"), layers.ReLU(),
            layers.Conv2D(16, 3, padding="same", name="trunk_4_4"),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="trunk_4_5"),
        ]),
        layers.ReLU(),
        residual([
            layers.Conv2D(32, 3, strides=2, padding="same", name="trunk_6_1"),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="trunk_6_2"), layers.ReLU(),
            layers.Conv2D(32, 3, padding="same", name="trunk_6_4"),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="trunk_6_5"),
        ], projection=layers.Conv2D(32, 1, strides=2, padding="same", name="trunk_6_projection")),
        layers.ReLU(),
        residual([
            layers.Conv2D(64, 3, strides=2, padding="same", name="trunk_8_1"),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="trunk_8_2"), layers.ReLU(),
            layers.Conv2D(64, 3, padding="same", name="trunk_8_4"),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name="trunk_8_5"),
        ], projection=layers.Conv2D(64, 1, strides=2, padding="same", name="trunk_8_projection")),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
    ])
    return keras.Model(images, chain(x, [
        layers.Dense(10, name="digit_1"),
    ]))


def load(weights=Path(__file__).with_name("weights.safetensors")):
    """The network with its trained weights."""
    network, arrays = build(), load_file(weights)
    for layer in network.layers:
        layer.set_weights([arrays[f"{layer.name}.{variable.name}"] for variable in layer.weights])
    return network
