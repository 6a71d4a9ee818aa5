def read_idx(path):
    """The array in an IDX file, compressed or not."""
    packed = path.with_name(path.name + ".gz")
    content = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def read_set(folder, part):
    """Images and classes of a part of MNIST or Fashion-MNIST: "train" or "t10k"."""
    return read_idx(folder / f"{part}-images-idx3-ubyte"), read_idx(folder / f"{part}-labels-idx1-ubyte")


def read_npz(file):
    """The test images and classes that `inkling data import` kept."""
    arrays = np.load(file)
    return arrays["x_test"], arrays["y_test"]


def count(scores, labels):
    """Images whose largest score is that of their label, and images whose two largest scores are equal but for rounding."""
    largest = -np.sort(-scores, axis=1)
    ties = np.abs(largest[:, :1] - largest[:, 1:2]) <= 1e-5 * np.maximum(1, np.abs(largest[:, :1]))
    return int(np.sum(scores.argmax(axis=1) == labels)), int(np.sum(ties))
