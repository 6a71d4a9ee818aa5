import importlib.util
import os

# Keras computes with one of three libraries: the first that is installed, unless KERAS_BACKEND names another.
installed = [library for library in ("torch", "tensorflow", "jax") if importlib.util.find_spec(library)]
os.environ.setdefault("KERAS_BACKEND", (installed or ["torch"])[0])

