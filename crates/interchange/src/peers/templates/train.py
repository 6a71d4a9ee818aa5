"""Trains the networks from scratch in PyTorch with the settings that Inkling trained them with, and prints accuracies.

    python train.py --data DIR [--only NAME] [--epochs N]

DIR has the folders mnist and fashion-mnist with the files as published. Weights start as in Inkling, but from other random
numbers, and so is the order of the images: the accuracies are near Inkling's and not equal to them.
"""

import argparse
import importlib.util
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from images import FOLDER, NETWORKS, PUBLISHED, add_sources, count, file_of, labels_of, read_set, shaped, test_images


@TORCH@


def new_network(folder, initializers):
    """The network with weights drawn anew; biases are zero."""
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.Network()
    for name, initializer in initializers.items():
        layer = network.get_submodule(name)
        if initializer == "he-uniform":
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
        else:
            nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    return network


def optimizer_of(network, settings):
    how, rate = dict(settings["optimizer"]), settings["learning_rate"]
    kind = how.pop("kind")
    if kind == "adam":
        return torch.optim.Adam(network.parameters(), rate, (how["beta_1"], how["beta_2"]), how["epsilon"])
    if kind == "adam-w":
        # Only weights decay: not biases, and not what scales and shifts a normalisation.
        decaying = [parameter for parameter in network.parameters() if parameter.ndim > 1]
        others = [parameter for parameter in network.parameters() if parameter.ndim == 1]
        groups = [
            {"params": decaying, "weight_decay": how["weight_decay"]}, {"params": others, "weight_decay": 0.0}
        ]
        return torch.optim.AdamW(groups, rate, (how["beta_1"], how["beta_2"]), how["epsilon"])
    if kind == "sgd":
        nesterov = how.get("nesterov", False)
        return torch.optim.SGD(network.parameters(), rate, how["momentum"], nesterov=nesterov)
    return torch.optim.RMSprop(network.parameters(), rate, how["alpha"], how["epsilon"])


def factor(settings, step, steps, steps_per_epoch):
    """What the learning rate is multiplied by at a step."""
    schedule, warmup = settings["schedule"], settings["warmup_steps"]
    warm = min(step + 1, warmup) / warmup if warmup else 1.0
    if schedule["kind"] == "cosine":
        return warm * (schedule["last"] + (1 - schedule["last"]) * 0.5 * (1 + math.cos(math.pi * step / steps)))
    if schedule["kind"] == "step":
        return warm * schedule["factor"] ** (step // steps_per_epoch // schedule["every"])
    return warm


def train(network, settings, images, labels, epochs):
    """Trains the network. `labels` has each head's labels, and yields after each epoch."""
    device = next(network.parameters()).device
    batch_size = settings["batch_size"]
    steps_per_epoch = math.ceil(len(images) / batch_size)
    steps = steps_per_epoch * epochs
    optimizer = optimizer_of(network, settings)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: factor(settings, step, steps, steps_per_epoch)
    )
    # A head of weight 0 is not trained.
    weights = {head: weight for head, weight in settings["loss_weights"].items() if weight > 0}
    smoothing = settings["label_smoothing"]
    losses = {head: nn.CrossEntropyLoss(label_smoothing=smoothing[head]) for head in weights}
    x = torch.tensor(images)
    y = {head: torch.tensor(of_head) for head, of_head in labels.items()}
    for epoch in range(1, epochs + 1):
        network.train()
        for batch in torch.randperm(len(x)).split(batch_size):
            output = network(x[batch].to(device).permute(0, 3, 1, 2).float() / 255)
            output = output if isinstance(output, dict) else dict.fromkeys(y, output)
            loss = sum(
                weight * losses[head](output[head], y[head][batch].to(device)) for head, weight in weights.items()
            )
            optimizer.zero_grad()
            loss.backward()
            if settings["clip_norm"]:
                nn.utils.clip_grad_norm_(network.parameters(), settings["clip_norm"])
            optimizer.step()
            schedule.step()
        yield epoch


arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
add_sources(arguments)
arguments.add_argument("--only", metavar="NAME", action="append", help="train this network; may be given several times")
arguments.add_argument("--epochs", type=int, help="passes over the training images; by itself as many as in Inkling")
given = arguments.parse_args()

names = [network["name"] for network in NETWORKS]
for name in given.only or []:
    if name not in names:
        sys.exit(f"there is no network `{name}`: there are {', '.join(names)}")
device = "cuda" if torch.cuda.is_available() else "cpu"
for network in NETWORKS:
    name, settings, heads = network["name"], network.get("training"), network["heads"]
    if given.only and name not in given.only:
        continue
    if not heads:
        print(f"{name}: left out, as it is not known how it was trained and tested")
        continue
    if settings["not_here"]:
        print(f"{name}: left out, as this script does not have {settings['not_here']}")
        continue
    test = test_images(given, network)
    if test is None:
        print(f"{name}: left out for want of the images of {network['set']} (--data or --npz)")
        continue
    if file := file_of(given, network["set"]):
        arrays = np.load(file)
        images, classes = arrays["x_train"], arrays["y_train"]
    else:
        images, classes = read_set(Path(given.data) / network["set"], "train")
    images, classes = shaped(images, classes, network, settings["train_images"])
    torch.manual_seed(settings["seed"])
    module = new_network(FOLDER / network["folder"] / "pytorch", settings["initializers"]).to(device)
    labels = {head: labels_of(about, classes) for head, about in heads.items()}
    epochs = given.epochs or settings["epochs"]
    for epoch in train(module, settings, images, labels, epochs):
        module.eval()
        scores = scores_in_pytorch(module, test[0], heads, device)
        words = []
        for head, about in heads.items():
            correct, _ = count(scores[head], labels_of(about, test[1]))
            words.append(f"{head} {correct / about['images']:.2%} (Inkling {about['correct'] / about['images']:.2%})")
        print(f"{name}: epoch {epoch} of {epochs}: test accuracy {', '.join(words)}", flush=True)
