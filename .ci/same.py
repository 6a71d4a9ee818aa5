"""Compares two folders of one study: the same runs, models, arrays and numbers. Called by `run`."""

import json
import pathlib
import sys

first, again = map(pathlib.Path, sys.argv[1:])
read = lambda path: json.loads(path.read_text(encoding="utf-8"))
runs = [[run["id"] for run in read(out / "study.json")["runs"]] for out in (first, again)]
assert runs[0] == runs[1], "the runs differ"
for run in runs[0]:
    files, others = (read(out / "runs" / run / "result.json")["files"] for out in (first, again))
    for name in files:
        if name.endswith(".safetensors"):
            assert files[name] == others[name], f"{name} of the run {run} differs"


def without_times(value):
    if isinstance(value, dict):
        return {key: without_times(inner) for key, inner in value.items() if not key.endswith("seconds")}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


tasks = [without_times(read(out / "summary.json")["tasks"]) for out in (first, again)]
assert tasks[0] == tasks[1], "the numbers differ"
print(f"{len(runs[0])} runs have the same models and arrays, bit for bit, and the same numbers")
