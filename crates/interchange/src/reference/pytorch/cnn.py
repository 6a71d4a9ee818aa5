"""The network `cnn` in PyTorch.

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


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(1, 32, 4), nn.ReLU(),
            nn.Conv2d(32, 64, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(64, 128, 4, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(),
        )
        self.head = nn.Linear(6272, 10)

    def forward(self, x):
        return self.head(self.trunk(x))


def load(weights=Path(__file__).with_name("weights.safetensors")):
    """The network with its trained weights, ready to classify."""
    network = Network()
    network.load_state_dict(load_file(weights))
    return network.eval()
