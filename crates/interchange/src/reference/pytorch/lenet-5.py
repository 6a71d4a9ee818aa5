"""The network `lenet-5` in PyTorch.

Scores of `digit`: 10.
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
            nn.Conv2d(1, 6, 5, padding="same"), nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5), nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(400, 120), nn.Tanh(),
            nn.Linear(120, 84), nn.Tanh(),
        )
        self.head = nn.Linear(84, 10)

    def forward(self, x):
        return self.head(self.trunk(x))


def load(weights=Path(__file__).with_name("weights.safetensors")):
    """The network with its trained weights, ready to classify."""
    network = Network()
    network.load_state_dict(load_file(weights))
    return network.eval()
