"""The network `item` in PyTorch.

Scores of `item`: 10.
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
        self.head = nn.Sequential(
            nn.Linear(3136, 1024), nn.ReLU(),
            nn.Linear(1024, 100), nn.ReLU(),
            nn.Linear(100, 10),
        )

    def forward(self, x):
        return self.head(self.trunk(x))


def load(weights=Path(__file__).with_name("weights.safetensors")):
    """The network with its trained weights, ready to classify."""
    network = Network()
    network.load_state_dict(load_file(weights))
    return network.eval()
