"""Training steps and judging of the study's MLP and CNN in PyTorch, to set beside `inkling bench mlp cnn`.

    python3 -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python benches/peers/torch_networks.py data [rounds]

PyTorch at its best on a CPU: as many threads as the machine has cores, fused Adam, channels last for the CNN, and
`inference_mode` with batches of 500 for judging.
"""

import gzip
import os
import statistics
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

BATCH = 50


def read(name, offset):
    with gzip.open(f"{sys.argv[1]}/mnist/{name}.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


def images(part):
    pixels = torch.tensor(read(f"{part}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28))
    labels = torch.tensor(read(f"{part}-labels-idx1-ubyte", 8))
    return pixels.float() / 255, labels.long()


def mlp():
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 1000), nn.ReLU(), nn.Linear(1000, 1000), nn.ReLU(), nn.Linear(1000, 10)
    )


def cnn():
    # TensorFlow's `same` padding: what a 4×4 kernel needs at stride 1 is 1 before and 2 after.
    net = nn.Sequential(
        nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(1, 32, 4), nn.ReLU(),
        nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU(),
        nn.Conv2d(64, 128, 4, 2, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(6272, 10),
    )
    return net.to(memory_format=torch.channels_last)


def spread(values):
    return f"min={min(values):.2f} median={statistics.median(values):.2f} max={max(values):.2f}"


threads, rounds = len(os.sched_getaffinity(0)), int(sys.argv[2]) if len(sys.argv) > 2 else 5
torch.set_num_threads(threads)
x, y = images("train")
test_x, test_y = images("t10k")
for name, make, steps in (("mlp", mlp, 100), ("cnn", cnn, 30)):
    torch.manual_seed(1)
    net = make()
    adam = torch.optim.Adam(net.parameters(), 1e-3, fused=True)

    def step(i):
        batch = slice(i * BATCH % 60_000, i * BATCH % 60_000 + BATCH)
        adam.zero_grad(set_to_none=True)
        functional.cross_entropy(net(x[batch]), y[batch]).backward()
        adam.step()

    for i in range(5):
        step(i)
    times = []
    for round in range(rounds):
        start = time.perf_counter()
        for i in range(steps):
            step(5 + round * steps + i)
        times.append((time.perf_counter() - start) / steps * 1e3)
    parameters = sum(p.numel() for p in net.parameters())
    print(f"torch {name} batch={BATCH} params={parameters} threads={threads} ms_per_step {spread(times)}", flush=True)

    times = []
    with torch.inference_mode():
        for round in range(rounds + 1):
            start = time.perf_counter()
            correct = 0
            for i in range(0, len(test_y), 500):
                correct += (net(test_x[i : i + 500]).argmax(1) == test_y[i : i + 500]).sum().item()
            times.append((time.perf_counter() - start) * 1e3)
    # The first time pays for choosing kernels.
    print(f"torch {name} evaluate images={len(test_y)} ms {spread(times[1:])}", flush=True)
