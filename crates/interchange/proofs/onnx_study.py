"""Counts the right answers that onnxruntime gives with the networks of a study, and compares them with Inkling's.

    onnx_study.py INKLING STUDY PEERS DATA

INKLING is the program, STUDY the folder of a finished study, PEERS what `inkling export STUDY --peers PEERS` wrote, and DATA a folder
with mnist and fashion-mnist. Each network is exported, checked by ONNX's own checker, and given the test images as bytes. Counts may
differ by images whose two largest scores are equal but for rounding. The network that comes back from each file is exported again,
and both files must be the same.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import onnx
import onnxruntime

program, study, peers, data = sys.argv[1:]
spec = importlib.util.spec_from_file_location("images", Path(peers) / "images.py")
images_of = importlib.util.module_from_spec(spec)
spec.loader.exec_module(images_of)
given = argparse.Namespace(data=data, npz=[])


def inkling(*words):
    subprocess.run([program, *map(str, words)], check=True, stdout=subprocess.DEVNULL)


compared = different = 0
with tempfile.TemporaryDirectory() as folder:
    file, model, again = (Path(folder) / name for name in ("a.onnx", "model.safetensors", "b.onnx"))
    for network in images_of.NETWORKS:
        if not network["heads"]:
            continue
        form = ("--layout", "nhwc", "--preparation")
        inkling("export", study, "--network", network["name"], "--onnx", file, *form)
        onnx.checker.check_model(str(file), full_check=True)
        inkling("import", file, "--out", model)
        inkling("export", model, "--onnx", again, *form)
        if file.read_bytes() != again.read_bytes():
            sys.exit(f"{network['name']}: what was imported is exported as another file")
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        images, classes = images_of.test_images(given, network)
        name = session.get_inputs()[0].name
        for head, about in network["heads"].items():
            [scores] = session.run([f"{head}_logits"], {name: images.astype(numpy.float32)})
            count = about["images"]
            right, ties = images_of.count(scores[:count], images_of.labels_of(about, classes[:count]))
            equal = abs(right - about["correct"]) <= ties
            compared, different = compared + 1, different + (not equal)
            print(f"{network['name']:20} {head:8} {about['correct']:6} {right:6}{'' if equal else '  DIFFERENT'}", flush=True)
print(f"{compared - different} of {compared} counts are those of Inkling")
sys.exit(0 if compared and not different else 1)
