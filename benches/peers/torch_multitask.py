"""Training steps of task 6's networks in PyTorch, to set beside `inkling bench single mtl`.

    python3 -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python benches/peers/torch_multitask.py data --after 1000 --flush-denormal

PyTorch at its best on a CPU: as many threads as the machine has cores, fused Adam, channels last. Without
`--flush-denormal` its steps grow longer while it trains, because Adam's moments of silent units become denormal.
"""

import argparse
import gzip
import os
import statistics
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

arguments = argparse.ArgumentParser()
arguments.add_argument("data")
arguments.add_argument("--networks", nargs="+", default=["single", "mtl"], choices=["single", "mtl"])
arguments.add_argument("--batch", type=int, default=10)
arguments.add_argument("--after", type=int, default=5, help="training steps before the first round")
arguments.add_argument("--rounds", type=int, default=5)
arguments.add_argument("--flush-denormal", action="store_true")
given = arguments.parse_args()

STEPS = 15
# T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot: shoes 0, gendered 1, unisex 2.
GROUPS = torch.tensor([2, 2, 2, 1, 2, 0, 1, 0, 1, 0])


def read(name, offset):
    with gzip.open(f"{given.data}/fashion-mnist/{name}.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


def conv(inputs, filters):
    return [nn.Conv2d(inputs, filters, 3, 1, 1), nn.ReLU()]


def head(classes):
    return nn.Sequential(
        nn.Linear(3136, 1024), nn.ReLU(), nn.Linear(1024, 100), nn.ReLU(), nn.Linear(100, classes)
    )


class Network(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.trunk = nn.Sequential(
            *conv(1, 32), nn.MaxPool2d(2), *conv(32, 64), nn.MaxPool2d(2), *conv(64, 128),
            nn.Flatten(), nn.Linear(6272, 3136), nn.ReLU(),
        )
        self.heads = nn.ModuleList(head(count) for count in classes)

    def forward(self, x):
        shared = self.trunk(x)
        return [head(shared) for head in self.heads]


threads = len(os.sched_getaffinity(0))
torch.set_num_threads(threads)
torch.set_flush_denormal(given.flush_denormal)
x = torch.tensor(read("train-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)).float() / 255
items = torch.tensor(read("train-labels-idx1-ubyte", 8)).long()
labels = [items, GROUPS[items]]
for name in given.networks:
    classes = {"single": [10], "mtl": [10, 3]}[name]
    torch.manual_seed(1)
    net = Network(classes).to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(net.parameters(), 1e-3, fused=True)

    def step(i):
        start = i * given.batch % 60_000
        batch = slice(start, start + given.batch)
        adam.zero_grad(set_to_none=True)
        losses = [functional.cross_entropy(z, y[batch]) for z, y in zip(net(x[batch]), labels)]
        (sum(losses) / len(losses)).backward()
        adam.step()

    for i in range(given.after):
        step(i)
    times = []
    for round in range(given.rounds):
        start = time.perf_counter()
        for i in range(STEPS):
            step(given.after + round * STEPS + i)
        times.append((time.perf_counter() - start) / STEPS * 1e3)
    parameters = sum(p.numel() for p in net.parameters())
    spread = f"min={min(times):.2f} median={statistics.median(times):.2f} max={max(times):.2f}"
    print(
        f"torch {name} after={given.after} batch={given.batch} params={parameters} threads={threads} "
        f"ms_per_step {spread}", flush=True,
    )
