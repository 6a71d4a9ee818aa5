"""Networks in PyTorch, built from layers that are data in the words of Inkling's ModelSpec, with arrays in its order."""

import json

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def dense(units):
    return {"layer": "dense", "units": units, "initializer": "he-uniform"}


def conv(filters, kernel, stride=(1, 1), padding="same"):
    return {
        "layer": "conv2d",
        "filters": filters,
        "kernel_size": list(kernel),
        "stride": list(stride),
        "padding": padding,
        "initializer": "he-uniform",
    }


def pool(size, stride):
    return {"layer": "max-pool", "pool_size": list(size), "stride": list(stride)}


def avg_pool(size, stride):
    return {"layer": "avg-pool", "pool_size": list(size), "stride": list(stride)}


def layer_norm(epsilon=1e-3):
    return {"layer": "layer-norm", "epsilon": epsilon}


def norm(epsilon=1e-3, momentum=0.1):
    return {"layer": "batch-norm", "epsilon": epsilon, "momentum": momentum}


def dropout(rate):
    return {"layer": "dropout", "rate": rate}


def residual(layers, projection=False):
    how = {"projection": "he-uniform"} if projection else {}
    return {"layer": "residual", **how, "layers": layers}


RELU, FLATTEN, GLOBAL_AVG_POOL = {"layer": "relu"}, {"layer": "flatten"}, {"layer": "global-avg-pool"}
# Functions of each number by itself; GELU is the exact one.
ACTIVATIONS = {
    "relu": lambda x, layer: F.relu(x),
    "leaky-relu": lambda x, layer: F.leaky_relu(x, layer["slope"]),
    "elu": lambda x, layer: F.elu(x, layer["alpha"]),
    "gelu": lambda x, layer: F.gelu(x),
    "silu": lambda x, layer: F.silu(x),
    "sigmoid": lambda x, layer: torch.sigmoid(x),
    "tanh": lambda x, layer: torch.tanh(x),
}


def toml(model):
    """The text of a ModelSpec; JSON's strings and numbers are TOML too."""

    def value(of):
        match of:
            case dict():
                return "{ " + ", ".join(f"{key} = {value(of)}" for key, of in of.items()) + " }"
            case list():
                return "[" + ", ".join(map(value, of)) + "]"
            case _:
                return json.dumps(of)

    text = f"input = {value(model['input'])}\ntrunk = {value(model['trunk'])}\n"
    for name, head in model["heads"].items():
        text += f'[[heads]]\nname = "{name}"\nlayers = {value(head)}\n'
        if name in model.get("losses", {}):
            text += f"loss = {value(model['losses'][name])}\n"
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
            shape = (layer["filters"], x.shape[1], *layer["kernel_size"])
            scale = (shape[1] * shape[2] * shape[3]) ** -0.5
            self.parameters[f"{name}.weight"] = (self.spread * self.draw(*shape) * scale).float().double()
            self.parameters[f"{name}.bias"] = (0.1 * self.draw(shape[0])).float().double()
        elif layer["layer"] in ("batch-norm", "layer-norm"):
            features = x.shape[1]
            self.parameters[f"{name}.scale"] = (1.0 + 0.3 * self.draw(features)).float().double()
            self.parameters[f"{name}.shift"] = (0.3 * self.draw(features)).float().double()
        if layer["layer"] == "batch-norm":
            features = x.shape[1]
            self.statistics[f"{name}.running_mean"] = torch.zeros(features)
            self.statistics[f"{name}.running_variance"] = torch.ones(features)

    def follow(self, part, layers, x, create=False, training=True, outputs=None):
        """What comes out of these layers; `outputs` takes it layer by layer, ReLU with the layer right before it."""
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
                        x = F.pad(x, same(x.shape[2:], layer["kernel_size"], layer["stride"]))
                    x = F.conv2d(x, get("weight"), get("bias"), stride=layer["stride"])
                case "max-pool":
                    x = F.max_pool2d(x, layer["pool_size"], layer["stride"])
                case "avg-pool":
                    x = F.avg_pool2d(x, layer["pool_size"], layer["stride"])
                case "global-avg-pool":
                    x = F.adaptive_avg_pool2d(x, 1).flatten(1)
                case "flatten":
                    x = x.permute(0, 2, 3, 1).flatten(1)
                case kind if kind in ACTIVATIONS:
                    x = ACTIVATIONS[kind](x, layer)
                case "layer-norm":
                    # Over the channels of a pixel, which PyTorch has in second place.
                    last = x.movedim(1, -1)
                    last = F.layer_norm(last, last.shape[-1:], get("scale"), get("shift"), layer["epsilon"])
                    x = last.movedim(-1, 1)
                case "residual":
                    shortcut = x
                    x = self.follow(name, layer["layers"], x, create, training)
                    if "projection" in layer:
                        if create:
                            self.create(f"{name}.projection", projection_of(shortcut, x), shortcut)
                        weight, bias = get("projection.weight"), get("projection.bias")
                        if x.dim() == 4:
                            stride = [-(-n // m) for n, m in zip(shortcut.shape[2:], x.shape[2:])]
                            shortcut = F.conv2d(shortcut, weight, bias, stride=stride)
                        else:
                            shortcut = F.linear(shortcut, weight, bias)
                    x = x + shortcut
                case "dropout":
                    assert create or not training, "what is dropped would be nobody else's choice"
                case "batch-norm":
                    running = [self.statistics[f"{name}.running_{what}"] for what in ("mean", "variance")]
                    x = F.batch_norm(
                        x, *running, get("scale"), get("shift"), training, layer["momentum"], layer["epsilon"]
                    )
            if outputs is not None and layer["layer"] != "flatten":
                before = layers[number - 2]["layer"] if number > 1 else None
                joined = layer["layer"] == "relu" and before in ("dense", "conv2d")
                outputs[f"{part}.{number - joined}"] = x
        return x

    def forward(self, x, training=True, outputs=None):
        """Scores of each head for x [batch, height, width, channels]."""
        how = {"training": training, "outputs": outputs}
        trunk = self.follow("trunk", self.model["trunk"], x.permute(0, 3, 1, 2), **how)
        return [self.follow(name, head, trunk, **how) for name, head in self.model["heads"].items()]

    def arrays(self, prefix, arrays):
        return {f"{prefix}/{name}": ordered(name, array) for name, array in arrays.items()}

    def values(self, prefix):
        return self.arrays(prefix, {**self.parameters, **self.statistics})

    def gradients(self, prefix):
        return self.arrays(prefix, {name: parameter.grad for name, parameter in self.parameters.items()})


def projection_of(x, y):
    """The layer that brings x into the shape of y."""
    return conv(y.shape[1], (1, 1)) if y.dim() == 4 else dense(y.shape[1])


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
