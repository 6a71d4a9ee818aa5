"""Writes ONNX files as other exporters write them, with images and the numbers that onnxruntime makes of them, for the example
`onnx_foreign`, which reads the networks and compares the numbers with the engine's.

    onnx_foreign.py FOLDER
"""

import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.helper import make_node as node
from safetensors.numpy import save_file

FOLDER = Path(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
RANDOM = numpy.random.default_rng(1)
IMAGES = 16


def weights(*shape):
    """Random weights, the smaller the more are summed."""
    return (RANDOM.standard_normal(shape) / numpy.sqrt(max(1, numpy.prod(shape[1:])))).astype(numpy.float32)


def ints(*values):
    return numpy.array(values, numpy.int64)


def number(value):
    return numpy.array(value, numpy.float32)


def norm(prefix, features):
    """Scale, shift, mean and variance of a batch normalisation."""
    arrays = [weights(features), weights(features), weights(features), numpy.abs(weights(features)) + number(0.5)]
    return {f"{prefix}.{name}": array for name, array in zip(["scale", "shift", "mean", "variance"], arrays)}


def normalised(x, y, prefix, **settings):
    """The node that uses them."""
    return node("BatchNormalization", [x, *(f"{prefix}.{name}" for name in ["scale", "shift", "mean", "variance"])], [y], **settings)


def constant(name, array):
    return node("Constant", [], [name], value=numpy_helper.from_array(array))


def write(name, shape, nodes, arrays, outputs=("y",), rank=2, opset=17, ir=8, divided=False):
    """Writes a network that takes `x` of this shape, without the batch, and what it makes of images."""
    value = helper.make_tensor_value_info
    free = [f"axis {axis}" for axis in range(1, rank)]
    graph = helper.make_graph(
        nodes,
        name,
        [value("x", TensorProto.FLOAT, ["batch", *shape])],
        [value(output, TensorProto.FLOAT, ["batch", *free]) for output in outputs],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, FOLDER / f"{name}.onnx")
    x = RANDOM.random([IMAGES, *shape], dtype=numpy.float32)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(list(outputs), {"x": x * number(255) if divided else x})
    # Channels last, as the engine takes them; the one network that does so itself is `border`.
    images = x.transpose(0, 2, 3, 1) if len(shape) == 3 and name != "border" else x
    arrays = {"images": images, **{output: array.reshape(IMAGES, -1) for output, array in zip(outputs, found)}}
    save_file({key: numpy.ascontiguousarray(array) for key, array in arrays.items()}, FOLDER / f"{name}.safetensors")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    # As PyTorch writes a small network: transposed dense weights after a flattening channel by channel.
    write(
        "flatten",
        [3, 8, 6],
        [
            node("Conv", ["x", "a", "b"], ["1"], kernel_shape=[3, 3], pads=[1] * 4, strides=[1, 1], dilations=[1, 1], group=1),
            node("Relu", ["1"], ["2"]),
            node("MaxPool", ["2"], ["3"], kernel_shape=[2, 2], strides=[2, 2], pads=[0] * 4, ceil_mode=0),
            node("Flatten", ["3"], ["4"], axis=1),
            node("Gemm", ["4", "c", "d"], ["y"], transB=1, alpha=1.0, beta=1.0),
        ],
        {"a": weights(6, 3, 3, 3), "b": weights(6), "c": weights(5, 6 * 4 * 3), "d": weights(5)},
    )
    # Operators of 2019, and a vector that is normalised channel by channel before the dense layer.
    write(
        "reshape",
        [2, 7, 5],
        [
            node("Conv", ["x", "a"], ["1"], auto_pad="SAME_UPPER", strides=[2, 2]),
            node("LeakyRelu", ["1"], ["2"]),
            constant("shape", ints(0, -1)),
            node("Reshape", ["2", "shape"], ["3"]),
            normalised("3", "4", "n", epsilon=1e-3, momentum=0.99),
            node("Tanh", ["4"], ["5"]),
            node("MatMul", ["5", "c"], ["6"]),
            node("Add", ["d", "6"], ["7"]),
            node("Softmax", ["7"], ["y"], axis=1),
        ],
        {"a": weights(4, 2, 3, 3), **norm("n", 48), "c": weights(48, 5), "d": weights(5)},
        opset=11,
        ir=6,
    )
    # x.view(x.size(0), -1) with a batch that is open.
    write(
        "view",
        [2, 7, 5],
        [
            node("Conv", ["x", "a"], ["1"]),
            node("Shape", ["1"], ["2"]),
            constant("zero", numpy.array(0, numpy.int64)),
            node("Gather", ["2", "zero"], ["3"], axis=0),
            constant("axes", ints(0)),
            node("Unsqueeze", ["3", "axes"], ["4"]),
            constant("rest", ints(-1)),
            node("Concat", ["4", "rest"], ["5"], axis=0),
            node("Reshape", ["1", "5"], ["6"]),
            node("Gemm", ["6", "c", "d"], ["y"], transB=1),
        ],
        {"a": weights(4, 2, 3, 3), "c": weights(5, 4 * 5 * 3), "d": weights(5)},
    )
    # A residual network whose projection is normalised, with the shortcut as the first term, SiLU, GELU and a mean over axes.
    write(
        "residual",
        [3, 7, 9],
        [
            node("Conv", ["x", "a"], ["1"], pads=[1] * 4, strides=[2, 2]),
            normalised("1", "2", "n", epsilon=1e-5, momentum=0.9),
            node("Relu", ["2"], ["3"]),
            node("Conv", ["3", "b"], ["4"], pads=[1] * 4),
            normalised("4", "5", "m", epsilon=1e-5),
            node("Conv", ["x", "p", "q"], ["6"], strides=[2, 2]),
            normalised("6", "7", "o", epsilon=1e-5),
            node("Add", ["7", "5"], ["8"]),
            node("Sigmoid", ["8"], ["9"]),
            node("Mul", ["9", "8"], ["10"]),
            node("Gelu", ["10"], ["11"]),
            node("Conv", ["11", "e"], ["12"], pads=[1] * 4),
            node("Add", ["11", "12"], ["13"]),
            node("ReduceMean", ["13", "axes"], ["14"], keepdims=0),
            node("Gemm", ["14", "c", "d"], ["y"], transB=1),
        ],
        {
            **{"a": weights(8, 3, 3, 3), "b": weights(8, 8, 3, 3), "e": weights(8, 8, 3, 3), "p": weights(8, 3, 1, 1)},
            **{"q": weights(8), "axes": ints(-1, -2), "c": weights(5, 8), "d": weights(5)},
            **{**norm("n", 8), **norm("m", 8), **norm("o", 8)},
        },
        opset=20,
        ir=9,
    )
    # As tf2onnx writes a network: transposed at the border, padded before the convolution.
    write(
        "border",
        [8, 6, 3],
        [
            node("Transpose", ["x"], ["1"], perm=[0, 3, 1, 2]),
            node("Pad", ["1", "pads"], ["2"]),
            node("Conv", ["2", "a", "b"], ["3"]),
            node("Elu", ["3"], ["4"], alpha=0.7),
            node("AveragePool", ["4"], ["5"], kernel_shape=[2, 2], strides=[2, 1]),
            node("Transpose", ["5"], ["6"], perm=[0, 2, 3, 1]),
            node("LayerNormalization", ["6", "g"], ["7"], axis=-1),
            node("Transpose", ["7"], ["8"], perm=[0, 3, 1, 2]),
            node("Dropout", ["8"], ["9"]),
            node("GlobalAveragePool", ["9"], ["10"]),
            node("Flatten", ["10"], ["11"]),
            node("Gemm", ["11", "c", "d"], ["12"]),
            node("Gemm", ["11", "e"], ["13"]),
            node("LogSoftmax", ["12"], ["y"]),
            node("Sigmoid", ["13"], ["z"]),
        ],
        {
            **{"pads": ints(0, 0, 1, 1, 0, 0, 1, 1), "a": weights(6, 3, 3, 3), "b": weights(6), "g": weights(6)},
            **{"c": weights(6, 5), "d": weights(5), "e": weights(6, 2)},
        },
        outputs=["y", "z"],
    )
    # Vectors, divided by 255 in the graph.
    write(
        "vector",
        [49],
        [
            node("Div", ["x", "k"], ["1"]),
            node("MatMul", ["1", "a"], ["2"]),
            node("Add", ["2", "b"], ["3"]),
            node("Relu", ["3"], ["4"]),
            node("Identity", ["4"], ["5"]),
            node("MatMul", ["5", "c"], ["y"]),
        ],
        {"k": number(255), "a": weights(49, 8), "b": weights(8), "c": weights(8, 4)},
        divided=True,
    )
    # Grey images without an axis for channels, and GELU with its factors in another order.
    write(
        "grey",
        [5, 7],
        [
            node("Mul", ["x", "k"], ["1"]),
            node("Flatten", ["1"], ["2"]),
            node("Gemm", ["2", "a", "b"], ["3"], transB=1),
            node("Div", ["3", "root"], ["4"]),
            node("Erf", ["4"], ["5"]),
            node("Add", ["5", "one"], ["6"]),
            node("Mul", ["6", "half"], ["7"]),
            node("Mul", ["3", "7"], ["8"]),
            node("MatMul", ["8", "c"], ["y"]),
        ],
        {
            **{"k": number(1 / 255), "a": weights(8, 35), "b": weights(8), "c": weights(8, 4)},
            **{"root": number(2**0.5), "one": numpy.ones(1, numpy.float32), "half": number(0.5)},
        },
        divided=True,
    )
    # PyTorch's usual convolution of stride 2: the zeros are on all sides, where TensorFlow has them at the end alone.
    write(
        "even",
        [2, 8, 6],
        [
            node("Conv", ["x", "a", "b"], ["1"], pads=[1] * 4, strides=[2, 2]),
            node("Relu", ["1"], ["2"]),
            node("GlobalAveragePool", ["2"], ["y"]),
        ],
        {"a": weights(5, 2, 3, 3), "b": weights(5)},
        rank=4,
    )


if __name__ == "__main__":
    main()
