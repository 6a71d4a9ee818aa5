"""The network `item-and-group` in PyTorch, trained on Fashion-MNIST by Inkling 0.2.0.

Scores of `item`, in this order: T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt,
    Sneaker, Bag, Ankle boot.
Scores of `group`, in this order: shoes, gendered, unisex.
They are in a dictionary, by the names of the heads.
Images: float32 in the shape [batch, 1, 28, 28], from 0 to 1: bytes are divided by 255.

    from model import load
    network = load()
    scores = network(images)
"""

from pathlib import Path

from safetensors.torch import load_file
from torch import nn


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding="same"), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding="same"), nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(64, 128, 3, padding="same"), nn.ReLU(),
            nn.Flatten(),
            nn.Linear(6272, 3136), nn.ReLU(),
        )
        self.item_head = nn.Sequential(
            nn.Linear(3136, 1024), nn.ReLU(),
            nn.Linear(1024, 100), nn.ReLU(),
            nn.Linear(100, 10),
        )
        self.group_head = nn.Sequential(
            nn.Linear(3136, 1024), nn.ReLU(),
            nn.Linear(1024, 100), nn.ReLU(),
            nn.Linear(100, 3),
        )

    def forward(self, x):
        x = self.trunk(x)
        return {"item": self.item_head(x), "group": self.group_head(x)}


def load(weights=Path(__file__).with_name("weights.safetensors")):
    """The network with its trained weights, ready to classify."""
    network = Network()
    network.load_state_dict(load_file(weights))
    return network.eval()
