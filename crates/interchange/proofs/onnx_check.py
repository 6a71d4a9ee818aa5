"""Compares the numbers that onnxruntime makes of images with those that Inkling makes of them.

    onnx_check.py NETWORK.onnx NUMBERS.safetensors [...]

The second file, safetensors or NPZ, has the array `images`, bytes of [images, height, width, channels], and an array for each
output of the network to compare, by its name. Further pairs of files may follow. The network is also given to ONNX's own checker.
"""

import sys

import numpy
import onnx
import onnxruntime
import safetensors.numpy

# Of probabilities; of other numbers relative to the largest.
TOLERANCE = 1e-5


def read(path):
    """The arrays of a file by their names."""
    if path.endswith(".npz"):
        return dict(numpy.load(path))
    return safetensors.numpy.load_file(path)


def as_input(model, images):
    """Images as the network's input says that it takes them."""
    values = images.astype(numpy.float32)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    if properties.get("inkling.input") != "0 to 255":
        values /= numpy.float32(255)
    axes = [dimension.denotation for dimension in model.graph.input[0].type.tensor_type.shape.dim]
    if axes.index("DATA_CHANNEL") == 1:
        values = values.transpose(0, 3, 1, 2)
    return numpy.ascontiguousarray(values)


def check(network, numbers):
    """Fails unless the network is valid and gives these numbers."""
    model = onnx.load(network)
    onnx.checker.check_model(model, full_check=True)
    expected = read(numbers)
    images = as_input(model, expected.pop("images"))
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    unknown = sorted(set(expected) - set(outputs))
    assert expected and not unknown, f"{network}: the outputs are {outputs}, and not {unknown}"
    found = dict(zip(outputs, session.run(outputs, {session.get_inputs()[0].name: images})))
    for name, values in expected.items():
        assert found[name].shape == values.shape, f"{network}: {name} is {found[name].shape}, not {values.shape}"
        assert numpy.isfinite(found[name]).all(), f"{network}: {name} has numbers that are not finite"
        scale = max(1.0, float(numpy.abs(values).max()))
        difference = float(numpy.abs(found[name] - values).max()) / scale
        differing = numpy.count_nonzero(found[name].argmax(1) != values.argmax(1))
        print(f"{network}: {name} of {len(values)} images differ by {difference:.1e}, the largest is another in {differing}")
        assert difference <= TOLERANCE, f"{network}: {name} differs by {difference}, more than {TOLERANCE}"


def main():
    paths = sys.argv[1:]
    if not paths or len(paths) % 2:
        sys.exit(__doc__)
    for network, numbers in zip(paths[::2], paths[1::2]):
        check(network, numbers)


if __name__ == "__main__":
    main()
