"""Reads the arrays of every run of a study with NumPy, and compares them with the run's own files.

    arrays.py INKLING OUT

INKLING is the program, and OUT the folder of a finished study. Each run is exported with `inkling export OUT --run RUN --arrays FILE.npz`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy

TYPES = {"U8": "u1", "U32": "<u4", "I64": "<i8", "F32": "<f4", "F64": "<f8"}


def tensors(path):
    """The arrays of a safetensors file: the length of a header, the header as JSON, and the numbers."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    found = {}
    for name, about in header.items():
        first, end = about["data_offsets"]
        found[name] = numpy.frombuffer(data[start + first : start + end], TYPES[about["dtype"]]).reshape(about["shape"])
    return found


program, study = sys.argv[1], Path(sys.argv[2])
runs = compared = 0
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "arrays.npz"
    for run in json.loads((study / "study.json").read_text(encoding="utf-8"))["runs"]:
        own = study / "runs" / run["id"]
        names = ["arrays.safetensors"] if run["spec"]["kind"] == "train" else ["arrays.safetensors", "model.safetensors"]
        expected = {}
        for name in names:
            if (own / name).exists():
                expected.update(tensors(own / name))
        if not expected:
            continue
        command = [program, "export", study, "--run", run["id"], "--arrays", file]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with numpy.load(file) as found:
            if sorted(found.files) != sorted(expected):
                sys.exit(f"{run['title']}: {found.files} and not {sorted(expected)}")
            for name, array in expected.items():
                same = found[name].dtype == array.dtype and numpy.array_equal(found[name], array, equal_nan=array.dtype.kind == "f")
                if not same:
                    sys.exit(f"{run['title']}: `{name}` is not as in the run's file")
        runs, compared = runs + 1, compared + len(expected)
print(f"{compared} arrays of {runs} runs are those of the study")
sys.exit(0 if compared else 1)
