"""Writes the weights of a network from PyTorch and from Keras under these libraries' own names, with its scores of some images.

    KERAS_BACKEND=torch python crates/interchange/tests/golden/make.py

The network is that of foreign.toml. Versions: crates/interchange/proofs/peers-requirements.txt.
"""

from pathlib import Path

import keras
import numpy as np
import safetensors.numpy
import safetensors.torch
import torch
from keras import layers
from torch import nn

FOLDER = Path(__file__).parent
generator = np.random.default_rng(1)
images = generator.random((3, 9, 8, 2), dtype=np.float32)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        # The first convolution has no bias, as is usual before a batch normalisation.
        self.conv1, self.bn1 = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4, eps=1e-3)
        self.conv2, self.bn2 = nn.Conv2d(4, 4, 2), nn.BatchNorm2d(4, eps=1e-3)
        self.fc1, self.fc2, self.norm = nn.Linear(36, 12), nn.Linear(12, 12), nn.LayerNorm(12, eps=1e-3)
        self.classify = nn.Linear(12, 5)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 2)
        x = self.bn2(self.conv2(x)).flatten(1)
        return self.classify(self.norm(self.fc2(nn.functional.gelu(self.fc1(x)))))


def drawn(name, shape):
    """Numbers of which none is where it starts: an error would be seen."""
    numbers = generator.normal(0, 0.3, shape).astype(np.float32)
    return 1 + np.abs(numbers) if "var" in name else numbers


net = Net().eval()
with torch.no_grad():
    for name, tensor in net.state_dict().items():
        if tensor.dtype == torch.float32:
            tensor.copy_(torch.tensor(drawn(name, tensor.shape)))
    scores = net(torch.tensor(images).permute(0, 3, 1, 2)).numpy()
safetensors.torch.save_file(net.state_dict(), FOLDER / "pytorch.safetensors")
safetensors.numpy.save_file({"images": images, "scores": scores}, FOLDER / "pytorch-scores.safetensors")

model = keras.Sequential([
    keras.Input((9, 8, 2)),
    layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization(), layers.ReLU(),
    layers.MaxPooling2D(2),
    layers.Conv2D(4, 2), layers.BatchNormalization(),
    layers.Flatten(),
    layers.Dense(12, activation="gelu"),
    layers.Dense(12), layers.LayerNormalization(),
    layers.Dense(5),
])
for variable in model.weights:
    variable.assign(drawn(variable.path, variable.shape))
arrays = {variable.path: keras.ops.convert_to_numpy(variable.value) for variable in model.weights}
safetensors.numpy.save_file(arrays, FOLDER / "keras.safetensors")
scores = model.predict_on_batch(images)
safetensors.numpy.save_file({"images": images, "scores": scores}, FOLDER / "keras-scores.safetensors")
