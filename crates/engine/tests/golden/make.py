"""Golden numbers: what PyTorch makes of small networks, for `tests/golden.rs` to compare with.

    pip install torch numpy safetensors
    python make.py

writes `layers.safetensors` (single layers under a softmax cross-entropy: scores, loss, every gradient) and
`training.safetensors` (whole trainings: losses, the gradients of the first step, final weights) beside itself. Both hold
the versions they were made with in their metadata; those in the repository are of torch 2.15.0, numpy 2.4 and
safetensors 0.8. A case's network is in the metadata as the TOML that `ModelSpec::from_toml` reads.

Everything is computed in f64 from weights and inputs that f32 holds exactly, so that these numbers are the truth to
within f32's last digit. Arrays are stored as Inkling orders them: a dense weight [inputs, units], a convolution's
[kernel height, kernel width, channels, filters], images [batch, height, width, channels], flattened channels fastest.
"""

import json
from pathlib import Path

import numpy as np
import safetensors
import torch
import torch.nn.functional as F
from safetensors.numpy import save

HERE = Path(__file__).parent
torch.set_default_dtype(torch.float64)


# Layers as data, in the words of ModelSpec.


def dense(units):
    return {"layer": "dense", "units": units, "initial": "he-uniform"}


def conv(filters, kernel, stride=(1, 1), padding="same"):
    return {
        "layer": "conv2d",
        "filters": filters,
        "kernel": list(kernel),
        "stride": list(stride),
        "padding": padding,
        "initial": "he-uniform",
    }


def pool(size, stride):
    return {"layer": "max-pool", "size": list(size), "stride": list(stride)}


def norm(epsilon=1e-3, momentum=0.1):
    return {"layer": "batch-norm", "epsilon": epsilon, "momentum": momentum}


RELU, FLATTEN = {"layer": "relu"}, {"layer": "flatten"}


def toml(model):
    """The text of a ModelSpec; JSON's strings, numbers and lists are TOML too."""
    table = lambda layer: "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in layer.items()) + " }"
    layers = lambda name, layers: f"{name} = [{', '.join(map(table, layers))}]\n"
    text = f"input = {json.dumps(model['input'])}\n" + layers("trunk", model["trunk"])
    for name, head in model["heads"].items():
        text += f'[[heads]]\nname = "{name}"\n' + layers("layers", head)
    return text


class Network:
    """A ModelSpec in PyTorch. Images are [batch, channels, height, width] inside, as PyTorch has them."""

    def __init__(self, model, generator, spread=1.0):
        self.model, self.parameters, self.statistics = model, {}, {}
        height, width, channels = model["input"]
        # In f32 first, so that Inkling can start from the same numbers.
        self.draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float32).double()
        self.spread = spread
        with torch.no_grad():
            trunk = self.follow("trunk", model["trunk"], torch.zeros(2, channels, height, width), create=True)
            for name, head in model["heads"].items():
                self.follow(name, head, trunk, create=True)
        # Building went through every layer once.
        for key, value in self.statistics.items():
            value.fill_(1.0 if key.endswith("variance") else 0.0)
        for parameter in self.parameters.values():
            parameter.requires_grad_(True)

    def create(self, name, layer, x):
        if layer["layer"] == "dense":
            units, inputs = layer["units"], x.shape[1]
            self.parameters[f"{name}.weight"] = (self.spread * self.draw(units, inputs) / inputs**0.5).float().double()
            self.parameters[f"{name}.bias"] = (0.1 * self.draw(units)).float().double()
        elif layer["layer"] == "conv2d":
            shape = (layer["filters"], x.shape[1], *layer["kernel"])
            scale = (shape[1] * shape[2] * shape[3]) ** -0.5
            self.parameters[f"{name}.weight"] = (self.spread * self.draw(*shape) * scale).float().double()
            self.parameters[f"{name}.bias"] = (0.1 * self.draw(shape[0])).float().double()
        elif layer["layer"] == "batch-norm":
            features = x.shape[1]
            self.parameters[f"{name}.scale"] = (1.0 + 0.3 * self.draw(features)).float().double()
            self.parameters[f"{name}.shift"] = (0.3 * self.draw(features)).float().double()
            self.statistics[f"{name}.running_mean"] = torch.zeros(features)
            self.statistics[f"{name}.running_variance"] = torch.ones(features)

    def follow(self, part, layers, x, create=False, training=True):
        for number, layer in enumerate(layers, start=1):
            name = f"{part}.{number}"
            if create:
                self.create(name, layer, x)
            get = lambda key: self.parameters[f"{name}.{key}"]
            match layer["layer"]:
                case "dense":
                    x = F.linear(x, get("weight"), get("bias"))
                case "conv2d":
                    if layer["padding"] == "same":
                        x = F.pad(x, same(x.shape[2:], layer["kernel"], layer["stride"]))
                    x = F.conv2d(x, get("weight"), get("bias"), stride=layer["stride"])
                case "max-pool":
                    x = F.max_pool2d(x, layer["size"], layer["stride"])
                case "flatten":
                    x = x.permute(0, 2, 3, 1).flatten(1)
                case "relu":
                    x = F.relu(x)
                case "batch-norm":
                    running = [self.statistics[f"{name}.running_{what}"] for what in ("mean", "variance")]
                    x = F.batch_norm(
                        x, *running, get("scale"), get("shift"), training, layer["momentum"], layer["epsilon"]
                    )
        return x

    def forward(self, x, training=True):
        """Scores of each head for x [batch, height, width, channels]."""
        trunk = self.follow("trunk", self.model["trunk"], x.permute(0, 3, 1, 2), training=training)
        return [self.follow(name, head, trunk, training=training) for name, head in self.model["heads"].items()]

    def arrays(self, prefix, arrays):
        return {f"{prefix}/{name}": ordered(name, array) for name, array in arrays.items()}

    def values(self, prefix):
        return self.arrays(prefix, {**self.parameters, **self.statistics})

    def gradients(self, prefix):
        return self.arrays(prefix, {name: parameter.grad for name, parameter in self.parameters.items()})


def same(sizes, kernel, stride):
    """Zeros that TensorFlow puts around an image (left, right, top, bottom), the odd one after it."""
    missing = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(sizes, kernel, stride)]
    rows, columns = [(total // 2, total - total // 2) for total in missing]
    return [*columns, *rows]


def ordered(name, array):
    """A parameter as f32 in Inkling's order."""
    array = array.detach()
    if name.endswith("weight"):
        array = array.permute(2, 3, 1, 0) if array.dim() == 4 else array.t()
    return plain(array)


def plain(array, dtype=np.float32):
    return np.ascontiguousarray(array.detach().numpy(), dtype=dtype)


def loss_of(scores, labels, weights):
    return sum(w * F.cross_entropy(z, y) for z, y, w in zip(scores, labels, weights))


def seeded(name):
    """A generator whose numbers depend on the case alone, so that a new case changes no other."""
    return torch.Generator().manual_seed(int.from_bytes(name.encode()[-7:], "big"))


# Single layers.


def single(name, input, layers, batch=3, spread=1.0):
    """A layer whose numbers are the scores themselves, so that the loss's gradient goes straight into it."""
    generator = seeded(name)
    network = Network({"input": input, "trunk": [], "heads": {"scores": layers}}, generator, spread)
    x = torch.randn(batch, *input, generator=generator, dtype=torch.float32).double().requires_grad_(True)
    arrays = {f"{name}/x": plain(x), **network.values(f"{name}/value")}
    scores = network.forward(x)
    labels = torch.randint(min(scores[0].shape[1], 256), (batch,), generator=generator)
    loss = loss_of(scores, [labels], [1.0])
    loss.backward()
    arrays |= {
        f"{name}/labels": plain(labels, np.uint8),
        f"{name}/scores": plain(scores[0]),
        f"{name}/loss": plain(loss, np.float64).reshape(1),
        f"{name}/dx": plain(x.grad),
        **network.gradients(f"{name}/gradient"),
        **network.arrays(f"{name}/after", network.statistics),
        f"{name}/asked": plain(network.forward(x, training=False)[0]),
    }
    return arrays, {f"model/{name}": toml(network.model)}


SINGLE = [
    ("conv 4x4 same stride 1", [7, 7, 1], [conv(6, (4, 4)), FLATTEN]),
    ("conv 4x4 same stride 2, odd sides", [9, 9, 3], [conv(7, (4, 4), (2, 2)), FLATTEN]),
    ("conv 4x4 same stride 2, even sides", [8, 6, 3], [conv(7, (4, 4), (2, 2)), FLATTEN]),
    ("conv 3x3 same stride 1", [6, 5, 4], [conv(8, (3, 3)), FLATTEN]),
    ("conv 3x3 valid", [8, 7, 2], [conv(5, (3, 3), padding="valid"), FLATTEN]),
    ("conv 3x2 valid stride 2x1", [9, 8, 5], [conv(7, (3, 2), (2, 1), "valid"), FLATTEN]),
    ("conv 3x2 same stride 2x1", [9, 8, 5], [conv(7, (3, 2), (2, 1)), FLATTEN]),
    ("conv 5x5 same stride 3", [11, 10, 2], [conv(3, (5, 5), (3, 3)), FLATTEN]),
    ("conv 1x1", [4, 4, 6], [conv(9, (1, 1)), FLATTEN]),
    ("conv 2x2 same, strides beyond the kernel", [8, 7, 2], [conv(4, (2, 2), (3, 4)), FLATTEN]),
    ("conv 2x2 valid, strides beyond the kernel", [8, 7, 2], [conv(4, (2, 2), (3, 4), "valid"), FLATTEN]),
    ("conv as large as the image", [5, 4, 3], [conv(11, (5, 4), padding="valid"), FLATTEN]),
    ("conv larger than the image, same", [2, 3, 2], [conv(5, (5, 5)), FLATTEN]),
    ("conv of 37 filters", [5, 5, 3], [conv(37, (3, 3)), FLATTEN]),
    ("conv of 33 channels", [4, 4, 33], [conv(16, (3, 3)), FLATTEN]),
    ("conv 4x4 same stride 2, whole blocks", [8, 4, 16], [conv(16, (4, 4), (2, 2)), FLATTEN]),
    ("conv 2x2 valid stride 1, whole blocks", [5, 3, 16], [conv(32, (2, 2), padding="valid"), RELU, FLATTEN]),
    ("conv then relu", [6, 6, 3], [conv(10, (3, 3)), RELU, FLATTEN]),
    ("dense 37 to 11", [1, 37, 1], [FLATTEN, dense(11)], 5),
    ("dense 70 to 40", [7, 5, 2], [FLATTEN, dense(40)]),
    ("dense 1 to 2, one sample", [1, 1, 1], [FLATTEN, dense(2)], 1),
    ("dense then relu", [1, 20, 1], [FLATTEN, dense(33), RELU], 7),
    ("softmax of large scores", [1, 16, 1], [FLATTEN, dense(10)], 8, 30.0),
    ("pool 2x2", [6, 6, 3], [pool((2, 2), (2, 2)), FLATTEN]),
    ("pool 3x3 stride 2, overlapping", [7, 9, 2], [pool((3, 3), (2, 2)), FLATTEN]),
    ("pool 3x2 stride 1x2, a side left over", [6, 7, 5], [pool((3, 2), (1, 2)), FLATTEN]),
    ("pool 2x2 stride 3, gaps", [8, 8, 2], [pool((2, 2), (3, 3)), FLATTEN]),
    ("relu apart", [4, 5, 3], [pool((2, 2), (1, 1)), RELU, FLATTEN]),
    ("norm of images", [5, 4, 6], [norm(), FLATTEN], 4),
    ("norm of vectors", [1, 19, 1], [FLATTEN, norm(1e-5, 0.3)], 7),
    ("norm of 33 channels", [3, 3, 33], [norm(), FLATTEN]),
]


# Whole trainings.


def optimizer_of(kind, network):
    parameters = network.parameters.items()
    weights = [p for name, p in parameters if name.endswith("weight")]
    others = [p for name, p in parameters if not name.endswith("weight")]
    match kind:
        case "adam":
            return torch.optim.Adam(weights + others, lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
        case "adamw":
            groups = [{"params": weights, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
            return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999), eps=1e-8)
        case "sgd":
            return torch.optim.SGD(weights + others, lr=0.05, momentum=0.9)


def training(name, model, kind="adam", steps=10, weights=(1.0,), batch=8, images=24):
    """`steps` steps over batches that follow each other through the images, again and again."""
    generator = seeded(name)
    network = Network(model, generator)
    optimizer = optimizer_of(kind, network)
    pixels = torch.randint(256, (images, *model["input"]), generator=generator)
    x = pixels.double() / 255
    arrays = {f"{name}/pixels": plain(pixels.flatten(1), np.uint8), **network.values(f"{name}/initial")}
    classes = [head[-1]["units"] for head in model["heads"].values()]
    labels = torch.stack([torch.randint(units, (images,), generator=generator) for units in classes])
    losses = []
    for step in range(steps):
        order = [(step * batch + i) % images for i in range(batch)]
        optimizer.zero_grad()
        loss = loss_of(network.forward(x[order]), labels[:, order], weights)
        loss.backward()
        for key, parameter in network.parameters.items():
            rounding = (parameter.grad != 0) & (parameter.grad.abs() < 1e-12)
            assert not rounding.any(), f"{name}, step {step}: the gradient of {key} is rounding alone"
        if step == 0:
            arrays |= network.gradients(f"{name}/gradient")
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        scores = network.forward(x, training=False)
        judged = [
            [F.cross_entropy(z, y, reduction="sum").item(), (z.argmax(1) == y).sum().item()]
            for z, y in zip(scores, labels)
        ]
    arrays |= {
        f"{name}/labels": plain(labels, np.uint8),
        f"{name}/weights": np.array(weights, np.float32),
        f"{name}/losses": np.array(losses, np.float64),
        f"{name}/judged": np.array(judged, np.float64),
        **network.values(f"{name}/final"),
    }
    return arrays, {f"model/{name}": toml(model), f"optimizer/{name}": kind}


MLP = {
    "input": [6, 6, 1],
    "trunk": [FLATTEN, dense(20), RELU, dense(12), RELU],
    "heads": {"class": [dense(5)]},
}
CNN = {
    "input": [10, 10, 2],
    "trunk": [conv(6, (4, 4)), RELU, conv(9, (4, 4), (2, 2)), RELU, FLATTEN],
    "heads": {"class": [dense(5)]},
}
# Batch normalisation takes back what a bias before it adds, wherever nothing between them cuts. That bias's gradient
# would be rounding alone, which Adam makes whole steps of; `training` asserts that there is none.
POOLED = {
    "input": [10, 10, 2],
    "trunk": [
        norm(1e-5, 0.3),
        conv(6, (3, 3)),
        RELU,
        norm(),
        pool((2, 2), (2, 2)),
        conv(9, (3, 2), padding="valid"),
        RELU,
        pool((2, 2), (1, 1)),
        FLATTEN,
        dense(14),
        RELU,
    ],
    "heads": {"class": [dense(5)]},
}
TWO_HEADS = {
    "input": [8, 8, 1],
    "trunk": [conv(5, (3, 3)), RELU, pool((2, 2), (2, 2)), FLATTEN, dense(18), RELU],
    "heads": {"item": [dense(9), RELU, dense(10)], "group": [dense(7), RELU, dense(3)]},
}
TRAINING = [
    ("mlp, adam", MLP),
    ("mlp, adamw", MLP, "adamw"),
    ("mlp, sgd", MLP, "sgd"),
    ("cnn, adam", CNN),
    ("cnn with pooling and normalisation, adam", POOLED),
    ("two heads, adam", TWO_HEADS, "adam", 10, (0.3, 0.7)),
    ("two heads, one silent, adam", TWO_HEADS, "adam", 5, (1.0, 0.0)),
]


def write(file, cases):
    arrays = {}
    metadata = {"torch": torch.__version__, "numpy": np.__version__, "safetensors": safetensors.__version__}
    for case_arrays, case_metadata in cases:
        arrays |= case_arrays
        metadata |= case_metadata
    (HERE / file).write_bytes(in_one_order(save(arrays, metadata)))


def in_one_order(file):
    """The same safetensors file with its metadata sorted, which the library leaves in a random order."""
    length = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text = text.ljust(-(-len(text) // 8) * 8)
    return len(text).to_bytes(8, "little") + text + file[8 + length :]


if __name__ == "__main__":
    write("layers.safetensors", [single(*case) for case in SINGLE])
    write("training.safetensors", [training(*case) for case in TRAINING])
