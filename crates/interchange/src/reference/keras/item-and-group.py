"""The network `item-and-group` in Keras, trained on Fashion-MNIST by Inkling 0.2.0.

Scores of `item`, in this order: T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt,
    Sneaker, Bag, Ankle boot.
Scores of `group`, in this order: shoes, gendered, unisex.
They are in a dictionary, by the names of the heads.
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


def build():
    images = keras.Input((28, 28, 1))
    x = chain(images, [
        layers.Conv2D(32, 3, padding="same", activation="relu", name="trunk_1"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, padding="same", activation="relu", name="trunk_4"),
        layers.MaxPooling2D(2),
        layers.Conv2D(128, 3, padding="same", activation="relu", name="trunk_7"),
        layers.Flatten(),
        layers.Dense(3136, activation="relu", name="trunk_10"),
    ])
    return keras.Model(images, {
        "item": chain(x, [
            layers.Dense(1024, activation="relu", name="item_1"),
            layers.Dense(100, activation="relu", name="item_3"),
            layers.Dense(10, name="item_5"),
        ]),
        "group": chain(x, [
            layers.Dense(1024, activation="relu", name="group_1"),
            layers.Dense(100, activation="relu", name="group_3"),
            layers.Dense(3, name="group_5"),
        ]),
    })


def load(weights=Path(__file__).with_name("weights.safetensors")):
    """The network with its trained weights."""
    network, arrays = build(), load_file(weights)
    for layer in network.layers:
        layer.set_weights([arrays[f"{layer.name}.{variable.name}"] for variable in layer.weights])
    return network
