"""Reads a log folder with TensorBoard's own EventAccumulator and with its server, and compares what they find.

check.py LOGS EXPECTED.json, which `examples/everything.rs` writes; a part that is not expected of a run is not looked at.
"""

import io
import json
import math
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.util import tensor_util

checks = 0


def same(found, expected, what):
    """Compares plain values; numbers in single precision, as TensorBoard keeps scalars."""
    global checks
    checks += 1
    if isinstance(expected, float) and isinstance(found, (int, float)):
        equal = np.float32(found) == np.float32(expected)
    elif isinstance(expected, dict) and isinstance(found, dict):
        if found.keys() == expected.keys():
            for key, value in expected.items():
                same(found[key], value, f"{what}: {key}")
            return
        equal = False
    elif isinstance(expected, (list, tuple)) and isinstance(found, (list, tuple)):
        if len(found) == len(expected):
            for number, (one, other) in enumerate(zip(found, expected)):
                same(one, other, f"{what}: {number}")
            return
        equal = False
    else:
        equal = found == expected
    if not equal:
        sys.exit(f"{what}: found {str(found)[:300]}, expected {str(expected)[:300]}")


def buckets(values):
    """What TensorBoard itself makes of these values."""
    return tensor_util.make_ndarray(histogram_pb("", values).value[0].tensor)


def with_accumulator(logs, runs):
    for run, expected in runs.items():
        accumulator = EventAccumulator(str(logs / run), size_guidance={"tensors": 0, "scalars": 0})
        accumulator.Reload()
        scalars = {
            tag: [[event.step, event.value] for event in accumulator.Scalars(tag)]
            for tag in accumulator.Tags()["scalars"]
        }
        same(scalars, expected.get("scalars", {}), f"{run}: scalars")
        for tag, points in expected.get("histograms", {}).items():
            events = accumulator.Tensors(tag)
            same([event.step for event in events], [step for step, _ in points], f"{run}: steps of {tag}")
            for event, (_, values) in zip(events, points):
                found = tensor_util.make_ndarray(event.tensor_proto)
                # The same doubles, bit for bit.
                same(found.tobytes() == buckets(values).tobytes(), True, f"{run}: buckets of {tag}")
        for tag, points in expected.get("images", {}).items():
            events = accumulator.Tensors(tag)
            found = [[event.step, *event.tensor_proto.string_val] for event in events]
            wanted = [[step, b"%d" % width, b"%d" % height, bytes(png)] for step, width, height, png in points]
            same(found, wanted, f"{run}: {tag}")
        if "graph" in expected:
            same(graph(accumulator.Graph()), expected["graph"], f"{run}: graph")


def graph(definition):
    """The nodes of a graph, as they are expected."""
    nodes = []
    for node in definition.node:
        [shape] = node.attr["_output_shapes"].list.shape
        sizes = [dim.size for dim in shape.dim]
        same(sizes[0], -1, f"the batch of {node.name}")
        nodes.append({"name": node.name, "op": node.op, "inputs": list(node.input), "output": sizes[1:]})
    return nodes


class Server:
    """TensorBoard on the loopback, with its fast data server or without."""

    def __init__(self, logs, fast):
        self.said = tempfile.TemporaryFile("w+")
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", logs, "--host", "127.0.0.1", "--port", "0"]
        command += ["--load_fast", fast, "--reload_interval", "1"]
        self.process = subprocess.Popen(command, stdout=self.said, stderr=self.said)

    def __enter__(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            self.said.seek(0)
            if found := re.search(r"at (http://127\.0\.0\.1:\d+/)", self.said.read()):
                self.address = found[1] + "data/"
                return self
            time.sleep(0.1)
        self.said.seek(0)
        self.process.kill()
        sys.exit("TensorBoard does not start:\n" + self.said.read())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def bytes(self, path, post=None, **query):
        """The answer to a GET, or to a POST of JSON."""
        address = self.address + path + ("?" + urllib.parse.urlencode(query) if query else "")
        body = None if post is None else json.dumps(post).encode()
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    def json(self, path, post=None, **query):
        return json.loads(self.bytes(path, post, **query))

    def wait_for_runs(self, runs):
        deadline = time.monotonic() + 60
        while not set(runs) <= set(found := self.json("runs")):
            if time.monotonic() > deadline:
                sys.exit(f"TensorBoard shows the runs {found}, not all of {list(runs)}")
            time.sleep(0.2)
        # It names a run before it has read all of it: until nothing changes any more.
        before = None
        while before != (now := [self.json(f"plugin/{plugin}/tags") for plugin in ("scalars", "histograms", "images")]):
            before = now
            time.sleep(2.5)


def with_server(server, expected):
    runs = expected["runs"]
    server.wait_for_runs(runs)
    for kind in ("scalars", "histograms", "images"):
        found = {run: sorted(tags) for run, tags in server.json(f"plugin/{kind}/tags").items()}
        wanted = {run: sorted(parts[kind]) for run, parts in runs.items() if kind in parts}
        same(found, wanted, f"tags of {kind}")
    for run, parts in runs.items():
        for tag, points in parts.get("scalars", {}).items():
            found = server.json("plugin/scalars/scalars", run=run, tag=tag)
            same([[step, value] for _, step, value in found], points, f"{run}: {tag}")
        for tag, points in parts.get("histograms", {}).items():
            found = server.json("plugin/histograms/histograms", run=run, tag=tag)
            same([step for _, step, _ in found], [step for step, _ in points], f"{run}: steps of {tag}")
            for (_, _, rows), (_, values) in zip(found, points):
                same(rows, buckets(values).tolist(), f"{run}: {tag}")
                same(sum(count for _, _, count in rows), float(len(values)), f"{run}: values of {tag}")
        for tag, points in parts.get("images", {}).items():
            found = server.json("plugin/images/images", run=run, tag=tag)
            same([image["step"] for image in found], [step for step, *_ in points], f"{run}: steps of {tag}")
            for image, (_, width, height, png) in zip(found, points):
                query = dict(urllib.parse.parse_qsl(image["query"]))
                answer = server.bytes("plugin/images/individualImage", **query)
                same(answer, bytes(png), f"{run}: {tag}")
                same(Image.open(io.BytesIO(answer)).size, (width, height), f"{run}: size of {tag}")
        for tag, points in parts.get("texts", {}).items():
            found = server.json("plugin/text/text", run=run, tag=tag)
            same([text["step"] for text in found], [step for step, _ in points], f"{run}: steps of {tag}")
            for text, (_, html) in zip(found, points):
                same(html in text["text"], True, f"{run}: {tag} is {text['text']}")
        if "graph" in parts:
            same(server.json("plugin/graphs/info")[run]["run_graph"], True, f"{run}: has a graph")
            definition = text_format.Parse(server.bytes("plugin/graphs/graph", run=run), GraphDef())
            same(graph(definition), parts["graph"], f"{run}: graph")
        if "embeddings" in parts:
            projector(server, run, parts["embeddings"])
    if "experiment" in expected:
        hyperparameters(server, expected["experiment"], runs)


def projector(server, run, embeddings):
    same(run in server.json("plugin/projector/runs"), True, f"{run}: has embeddings")
    found = server.json("plugin/projector/info", run=run)["embeddings"]
    same([one["tensorName"] for one in found], [one["name"] for one in embeddings], f"{run}: embeddings")
    for info, embedding in zip(found, embeddings):
        name, columns, values = embedding["name"], embedding["columns"], embedding["values"]
        rows = len(values) // columns
        what = f"{run}: embedding {name}"
        same(info["tensorShape"], [rows, columns], f"{what}: shape")
        bytes_of = lambda part: server.bytes(f"plugin/projector/{part}", run=run, name=name)
        same(np.frombuffer(bytes_of("tensor"), "<f4").tolist(), values, f"{what}: values")
        same("metadataPath" in info, bool(embedding["labels"]), f"{what}: has labels")
        if embedding["labels"]:
            same(bytes_of("metadata").decode().splitlines(), embedding["labels"], f"{what}: labels")
        same("sprite" in info, embedding["sprite"] is not None, f"{what}: has pictures")
        if embedding["sprite"] is not None:
            single, png = embedding["sprite"]
            same(info["sprite"]["singleImageDim"], single, f"{what}: size of a picture")
            same(bytes_of("sprite_image"), bytes(png), f"{what}: pictures")
            side = math.ceil(math.sqrt(rows))
            size = Image.open(io.BytesIO(bytes(png))).size
            same(size[0], side * single[0], f"{what}: pictures from left to right")


def hyperparameters(server, experiment, runs):
    found = server.json("plugin/hparams/experiment", post={})
    infos = {
        info["name"]: [info["type"], {key: info[key] for key in info if key.startswith("domain")}]
        for info in found["hparamInfos"]
    }
    same(infos, experiment["hyperparameters"], "hyperparameters")
    metrics = [[info["name"]["tag"], info["displayName"]] for info in found["metricInfos"]]
    same(metrics, experiment["metrics"], "metrics")
    statuses = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]
    asked = {"allowedStatuses": statuses, "startIndex": 0, "sliceSize": 1000}
    groups = server.json("plugin/hparams/session_groups", post=asked)["sessionGroups"]
    sessions = {}
    for group in groups:
        [session] = group["sessions"]
        sessions[session["name"]] = {
            "hyperparameters": group["hparams"],
            "metrics": {value["name"]["tag"]: value["value"] for value in session["metricValues"]},
            "status": session["status"],
        }
    same(sessions, {run: parts["session"] for run, parts in runs.items() if "session" in parts}, "sessions")


def main():
    logs, expected = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    with_accumulator(logs, expected["runs"])
    print(f"EventAccumulator: {checks} values as expected")
    for fast in ("false", "true"):
        before = checks
        with Server(str(logs), fast) as server:
            with_server(server, expected)
        print(f"server, --load_fast={fast}: {checks - before} values as expected")


if __name__ == "__main__":
    main()
