"""PCA and one perceptron pass in scikit-learn, to set beside `inkling bench pca perceptron`.

    python3 -m venv venv && venv/bin/pip install scikit-learn
    venv/bin/python benches/peers/sklearn_classic.py data

The pass is the mean over all 45 pairs of classes of scikit-learn's time to fit, divided by its passes.
"""

import gzip
import sys
import time

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import Perceptron


def read(name, offset):
    with gzip.open(f"{sys.argv[1]}/mnist/{name}.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


pixels = read("train-images-idx3-ubyte", 16).reshape(-1, 784)
labels = read("train-labels-idx1-ubyte", 8)
x = pixels.astype("float32") / 127.5 - 1

for round in range(5):
    start = time.perf_counter()
    model = PCA(2, svd_solver="covariance_eigh").fit(x)
    model.transform(x)
    seconds = time.perf_counter() - start
    print(f"sklearn pca f32 seconds={seconds:.3f} explained={model.explained_variance_ratio_}", flush=True)

# The same in f64 throughout: the numbers that ours must have.
centred = pixels.astype("float64") / 127.5 - 1
centred -= centred.mean(axis=0)
values = np.linalg.eigvalsh(centred.T @ centred / (len(centred) - 1))[::-1]
print("numpy pca f64 explained=", (values / values.sum())[:2])

start, passes = time.perf_counter(), 0
for a in range(10):
    for b in range(a + 1, 10):
        pair = (labels == a) | (labels == b)
        passes += Perceptron(max_iter=1000, tol=1e-3, random_state=0).fit(x[pair], labels[pair]).n_iter_
seconds = time.perf_counter() - start
print(f"sklearn perceptrons seconds={seconds:.1f} passes={passes} seconds_per_pass={seconds / passes:.4f}")
