"""Golden numbers: what PyTorch makes of small networks, for `tests/golden.rs` to compare with.

    pip install torch numpy safetensors
    python make.py                   # or some of them: python make.py looking

writes `layers.safetensors` (single layers under a softmax cross-entropy: scores, loss, every gradient),
`training.safetensors` (whole trainings: losses, the gradients of the first step, final weights) and
`looking.safetensors` (networks in evaluation: every layer's output, and the gradients of functions of it with respect to
the images) beside itself. All hold the versions they were made with in their metadata; those in the repository are of
torch 2.15.0, numpy 2.4 and safetensors 0.8. A case's network is in the metadata as the TOML that `ModelSpec::from_toml`
reads.

Everything is computed in f64 from weights and inputs that f32 holds exactly, so that these numbers are the truth to
within f32's last digit. Arrays are stored as Inkling orders them: a dense weight [inputs, units], a convolution's
[kernel height, kernel width, channels, filters], images [batch, height, width, channels], flattened channels fastest.
"""

import json
import sys
from pathlib import Path

import numpy as np
import safetensors
import torch
import torch.nn.functional as F
from safetensors.numpy import save

from network import (
    FLATTEN,
    GLOBAL_AVG_POOL,
    RELU,
    Network,
    avg_pool,
    conv,
    dense,
    dropout,
    layer_norm,
    norm,
    plain,
    pool,
    residual,
    toml,
)

HERE = Path(__file__).parent


def loss_of(scores, labels, weights):
    return sum(w * F.cross_entropy(z, y) for z, y, w in zip(scores, labels, weights))


def single_loss(loss, z, targets):
    """The loss of a head that is not the plain cross-entropy, from its name in a ModelSpec."""
    match loss["kind"]:
        case "cross-entropy":
            return F.cross_entropy(z, targets, label_smoothing=loss["label_smoothing"])
        case "mean-squared-error":
            return F.mse_loss(z, targets)
        case "binary-cross-entropy":
            return F.binary_cross_entropy_with_logits(z, targets)


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
    ("average 2x2", [6, 6, 3], [avg_pool((2, 2), (2, 2)), FLATTEN]),
    ("average 3x2 stride 1x2, overlapping, a side left over", [6, 7, 5], [avg_pool((3, 2), (1, 2)), FLATTEN]),
    ("global average", [5, 7, 6], [conv(9, (3, 3)), RELU, GLOBAL_AVG_POOL]),
    ("layer norm of images", [4, 3, 6], [layer_norm(), FLATTEN], 4),
    ("layer norm of vectors", [1, 37, 1], [FLATTEN, layer_norm(1e-5)], 5),
    ("leaky relu", [1, 30, 1], [FLATTEN, dense(21), {"layer": "leaky-relu", "slope": 0.1}], 4),
    ("elu", [1, 30, 1], [FLATTEN, dense(21), {"layer": "elu", "alpha": 1.5}], 4),
    ("gelu", [1, 30, 1], [FLATTEN, dense(21), {"layer": "gelu"}], 4, 2.0),
    ("silu", [1, 30, 1], [FLATTEN, dense(21), {"layer": "silu"}], 4, 2.0),
    ("sigmoid", [1, 30, 1], [FLATTEN, dense(21), {"layer": "sigmoid"}], 4, 2.0),
    ("tanh", [1, 30, 1], [FLATTEN, dense(21), {"layer": "tanh"}], 4, 2.0),
    ("residual of images", [6, 5, 4], [residual([conv(7, (3, 3)), RELU, conv(4, (1, 1))]), FLATTEN], 4),
    (
        "residual with a projection of images",
        [7, 6, 3],
        [residual([norm(), conv(5, (3, 3), (2, 2)), RELU, conv(5, (2, 2))], projection=True), FLATTEN],
        4,
    ),
    ("residual of vectors", [1, 17, 1], [FLATTEN, residual([dense(9), {"layer": "tanh"}, dense(17)])], 5),
    (
        "residual with a projection of vectors, within another",
        [1, 17, 1],
        [FLATTEN, residual([residual([dense(8), RELU], projection=True), dense(17)])],
        5,
    ),
]


def of_loss(name, outputs, loss, batch=6):
    """Outputs of a dense layer under another loss than the plain cross-entropy."""
    generator = seeded(name)
    model = {"input": [1, 9, 1], "trunk": [], "heads": {"scores": [FLATTEN, dense(outputs)]}, "losses": {"scores": loss}}
    network = Network(model, generator, 3.0)
    x = torch.randn(batch, 1, 9, 1, generator=generator, dtype=torch.float32).double().requires_grad_(True)
    arrays = {f"{name}/x": plain(x), **network.values(f"{name}/value")}
    if loss["kind"] == "cross-entropy":
        targets = torch.randint(outputs, (batch,), generator=generator)
        arrays[f"{name}/labels"] = plain(targets, np.uint8)
    else:
        targets = torch.rand(batch, outputs, generator=generator, dtype=torch.float32).double()
        arrays[f"{name}/targets"] = plain(targets)
    (scores,) = network.forward(x)
    found = single_loss(loss, scores, targets)
    found.backward()
    arrays |= {
        f"{name}/scores": plain(scores),
        f"{name}/loss": plain(found, np.float64).reshape(1),
        f"{name}/dx": plain(x.grad),
        **network.gradients(f"{name}/gradient"),
        f"{name}/asked": plain(network.forward(x, training=False)[0]),
    }
    return arrays, {f"model/{name}": toml(model)}


LOSSES = [
    ("label smoothing", 7, {"kind": "cross-entropy", "label_smoothing": 0.1}),
    ("mean squared error", 4, {"kind": "mean-squared-error"}),
    ("binary cross-entropy", 5, {"kind": "binary-cross-entropy"}),
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
        case "nesterov":
            return torch.optim.SGD(weights + others, lr=0.02, momentum=0.9, nesterov=True)
        case "rms-prop":
            return torch.optim.RMSprop(weights + others, lr=1e-3, alpha=0.99, eps=1e-8)


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
AVERAGED = {
    "input": [9, 8, 2],
    "trunk": [
        conv(6, (3, 3)),
        {"layer": "gelu"},
        layer_norm(),
        avg_pool((2, 2), (2, 2)),
        conv(7, (2, 2), padding="valid"),
        {"layer": "silu"},
        GLOBAL_AVG_POOL,
        dense(12),
        {"layer": "tanh"},
        layer_norm(1e-5),
    ],
    "heads": {"class": [dense(5)]},
}
TWO_HEADS = {
    "input": [8, 8, 1],
    "trunk": [conv(5, (3, 3)), RELU, pool((2, 2), (2, 2)), FLATTEN, dense(18), RELU],
    "heads": {"item": [dense(9), RELU, dense(10)], "group": [dense(7), RELU, dense(3)]},
}
# A layer normalisation before each block, so that no bias is one whose gradient is rounding alone.
RESIDUAL = {
    "input": [9, 8, 2],
    "trunk": [
        conv(6, (3, 3)),
        residual([layer_norm(), RELU, conv(6, (3, 3)), {"layer": "gelu"}, conv(6, (3, 3))]),
        residual([layer_norm(), RELU, conv(9, (3, 3), (2, 2)), RELU, conv(9, (3, 3))], projection=True),
        RELU,
        GLOBAL_AVG_POOL,
    ],
    "heads": {"class": [residual([dense(9), {"layer": "tanh"}]), dense(5)]},
}
TRAINING = [
    ("mlp, adam", MLP),
    ("mlp, adamw", MLP, "adamw"),
    ("mlp, sgd", MLP, "sgd"),
    ("mlp, nesterov", MLP, "nesterov"),
    ("mlp, rms-prop", MLP, "rms-prop"),
    ("average pooling, layer normalisation, gelu", AVERAGED),
    ("residual blocks", RESIDUAL),
    ("cnn, adam", CNN),
    ("cnn with pooling and normalisation, adam", POOLED),
    ("two heads, adam", TWO_HEADS, "adam", 10, (0.3, 0.7)),
    ("two heads, one silent, adam", TWO_HEADS, "adam", 5, (1.0, 0.0)),
]


# Looking inside.


def looking(name, model, batch=3):
    """Every layer's output in evaluation, and the gradients with respect to the images of functions of it.

    "chosen" holds the neuron and the channel of each layer that the functions are about: a neuron that every image
    wakes, and its channel. Of scores, that is a class.
    """
    generator = seeded(name)
    network = Network(model, generator)
    for key, value in network.statistics.items():
        drawn = network.draw(*value.shape)
        value.copy_((torch.exp(0.5 * drawn) if key.endswith("variance") else 0.5 * drawn).float().double())
    x = torch.randn(batch, *model["input"], generator=generator, dtype=torch.float32).double().requires_grad_(True)
    arrays = {f"{name}/x": plain(x), **network.values(f"{name}/value")}
    outputs = {}
    scores = network.forward(x, training=False, outputs=outputs)
    for layer, y in outputs.items():
        y_of_channels = y.flatten(2) if y.dim() == 4 else y[:, :, None]
        # As Inkling counts: channels fastest.
        flat = y.permute(0, 2, 3, 1).flatten(1) if y.dim() == 4 else y
        neuron = flat.abs().amin(0).argmax().item()
        channel = neuron % y.shape[1]
        functions = {
            "neuron": flat[:, neuron],
            "channel mean": y_of_channels[:, channel].mean(1),
            "mean square": flat.square().mean(1),
        }
        if any(y is head for head in scores):
            functions["log-probability"] = F.log_softmax(y, 1)[:, neuron]
        arrays[f"{name}/output/{layer}"] = plain(flat)
        arrays[f"{name}/chosen/{layer}"] = np.array([neuron, channel], np.uint32)
        for function, values in functions.items():
            (dx,) = torch.autograd.grad(values.sum(), x, retain_graph=True)
            assert all(image.any() for image in dx), f"{name}: {function} of {layer} has no gradient"
            arrays[f"{name}/{function}/{layer}"] = plain(dx)
    return arrays, {f"model/{name}": toml(model)}


# The study's CNN in small, 13 × 13 pixels becoming 7 × 7 and 4 × 4 with zeros on one side or both.
SMALL_CNN = {
    "input": [13, 13, 1],
    "trunk": [conv(16, (4, 4)), RELU, conv(16, (4, 4), (2, 2)), RELU, conv(32, (4, 4), (2, 2)), RELU, FLATTEN],
    "heads": {"class": [dense(10)]},
}
NORMALISED = {
    "input": [10, 9, 2],
    "trunk": [
        conv(6, (3, 3)),
        norm(),
        RELU,
        pool((2, 2), (2, 2)),
        dropout(0.25),
        conv(9, (3, 2), padding="valid"),
        RELU,
        norm(1e-5, 0.3),
        pool((2, 2), (1, 1)),
        FLATTEN,
        dense(14),
        norm(),
        RELU,
        dropout(0.5),
    ],
    "heads": {"class": [dense(5)]},
}
LOOKING = [
    ("cnn", SMALL_CNN),
    ("pooling, normalisation and dropout", NORMALISED),
    ("two heads", TWO_HEADS),
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


FILES = {
    "layers": [(single, SINGLE), (of_loss, LOSSES)],
    "training": [(training, TRAINING)],
    "looking": [(looking, LOOKING)],
}

if __name__ == "__main__":
    for file in sys.argv[1:] or FILES:
        write(f"{file}.safetensors", [make(*case) for make, cases in FILES[file] for case in cases])
