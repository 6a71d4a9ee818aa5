"""Runs the Python of docs/formats.md against the files of a study.

    snippets.py DOC INKLING OUT FOLDER

DOC is docs/formats.md, INKLING the program, OUT the folder of a finished study, and FOLDER one with metrics.csv, metrics.json,
metrics.parquet, logs and peers, as `inkling export` writes them with `--metrics`, `--tensorboard` and `--peers`. Blocks that need PyTorch
or Keras are run where these are installed, and are named where they are not; where PyTorch is, which is several gigabytes, other
libraries may lack. It exits with 1 if a block fails, or if it is not known how
to run it.
"""

import ast
import importlib.util
import json
import os
import re
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

doc, program, out, exchanged = (Path(word).resolve() for word in sys.argv[1:])
text = doc.read_text(encoding="utf-8")
blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
# Expressions in the text, such as `pd.read_csv("metrics.csv")`.
inline = [" ".join(code.split()) for code in re.findall(r"`(p[dl]\.read_[^`]*)`", text)]
assert blocks and inline, "docs/formats.md has Python"


def installed(name):
    return importlib.util.find_spec(name) is not None


def libraries(code):
    """The libraries that a block imports."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found.update(name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0])
    return found


def load(library):
    """The first network of the study in a library, and images for it."""
    folder = exchanged / "peers" / network["folder"] / library
    return runpy.run_path(str(folder / "model.py"))["load"]()


def images(library):
    import numpy as np

    height, width, channels = network["shape"]
    if library == "keras":
        return np.zeros((2, height, width, channels), np.float32)
    import torch

    return torch.zeros((2, channels, height, width))


network = json.loads((exchanged / "peers/networks.json").read_text(encoding="utf-8"))["networks"][0]
ran, left_out = 0, []


def run(code, names=()):
    """Runs a block in its own names."""
    global ran
    namespace = {"__name__": "snippet", **dict(names)}
    exec(compile(code, str(doc), "exec"), namespace)
    ran += 1
    return namespace


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    for name in ("metrics.csv", "metrics.json", "metrics.parquet", "logs"):
        os.symlink(exchanged / name, name)
    arrays = ["export", out, "--network", network["name"], "--arrays", "logits.npz"]
    subprocess.run([program, *arrays], check=True, stdout=subprocess.DEVNULL)
    for code in blocks:
        needed = libraries(code)
        if "model" in needed:
            # One block for both libraries: its comment says what Keras' line is.
            assert "# in Keras: network.predict(images)" in code, code
            for library, own in (("torch", code), ("keras", code.replace("network(images)  #", "network.predict(images)  #"))):
                if not installed(library):
                    left_out.append(library)
                    continue
                place = exchanged / "peers" / network["folder"] / ("keras" if library == "keras" else "pytorch")
                sys.path.insert(0, str(place))
                found = run(own, {"images": images(library)})
                sys.path.remove(str(place))
                del sys.modules["model"]
                assert len(found["scores"]) == 2
        elif library := next((library for library in ("keras", "torch") if library in code and "save_file" in code), None):
            if not installed(library):
                left_out.append(library)
                continue
            names = {"model": load("keras")} if library == "keras" else {"module": load("pytorch")}
            run(code, names)
            assert Path("weights.safetensors").stat().st_size > 1000
            os.remove("weights.safetensors")
        else:
            missing = [name for name in needed if not installed(name)]
            assert not missing or installed("torch"), f"{missing} are needed by:\n{code}"
            left_out.extend(missing)
            if not missing:
                run(code)
    for code in inline:
        name, short = ("pandas", "pd") if code.startswith("pd.") else ("polars", "pl")
        if not installed(name) and installed("torch"):
            left_out.append(name)
            continue
        table = eval(code, {short: importlib.import_module(name)})
        assert len(table) > 0 and all(isinstance(run, str) for run in table["run"]), code
        ran += 1
print(f"{ran} pieces of Python ran; left out for want of a library: {', '.join(sorted(set(left_out))) or 'none'}")
