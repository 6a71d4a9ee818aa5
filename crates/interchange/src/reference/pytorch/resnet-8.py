"""The network `resnet-8` in PyTorch.

Scores of `digit`: 10.
Images: float32 in the shape [batch, 1, 28, 28], from 0 to 1: bytes are divided by 255.

    from model import load
    network = load()
    scores = network(images)

Zeros around an image are those of TensorFlow's "same": the odd one is below and to the right.
"""

from pathlib import Path

from safetensors.torch import load_file
from torch import nn


class Residual(nn.Module):
    """What the layers make of x, plus x itself or its projection."""

    def __init__(self, *layers, projection=None):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.projection = projection or nn.Identity()

    def forward(self, x):
        return self.layers(x) + self.projection(x)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding="same"), nn.BatchNorm2d(16), nn.ReLU(),
            Residual(
                nn.Conv2d(16, 16, 3, padding="same"), nn.BatchNorm2d(16), nn.ReLU(),
                nn.Conv2d(16, 16, 3, padding="same"), nn.BatchNorm2d(16),
            ),
            nn.ReLU(),
            Residual(
                nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(16, 32, 3, stride=2), nn.BatchNorm2d(32),
                nn.ReLU(),
                nn.Conv2d(32, 32, 3, padding="same"), nn.BatchNorm2d(32),
                projection=nn.Conv2d(16, 32, 1, stride=2),
            ),
            nn.ReLU(),
            Residual(
                nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(32, 64, 3, stride=2), nn.BatchNorm2d(64),
                nn.ReLU(),
                nn.Conv2d(64, 64, 3, padding="same"), nn.BatchNorm2d(64),
                projection=nn.Conv2d(32, 64, 1, stride=2),
            ),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.trunk(x))


def load(weights=Path(__file__).with_name("weights.safetensors")):
    """The network with its trained weights, ready to classify."""
    network = Network()
    network.load_state_dict(load_file(weights))
    return network.eval()
