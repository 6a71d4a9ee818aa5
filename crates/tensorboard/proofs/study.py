"""Writes what `check.py` must find in the logs of a study: study.py METRICS.json FIGURES EXPECTED.json

METRICS.json is what `inkling export OUT --metrics METRICS.json` wrote, FIGURES the study's folder of figures. The tags are those of
docs/formats.md.
"""

import json
import struct
import sys
from pathlib import Path

metrics, figures, expected = map(Path, sys.argv[1:])
runs = {}
for row in json.loads(metrics.read_text(encoding="utf-8")):
    place = row["step"] if row["step"] is not None else row["epoch"]
    if place is None:
        continue
    start = [row["metric"], row["part"]] if row["epoch"] is not None else ["steps", row["metric"]]
    tag = "/".join(word for word in [*start, row["head"]] if word)
    name = row["network"].replace("/", "-")
    scalars = runs.setdefault(f"{row['task']}/{name}", {}).setdefault("scalars", {})
    scalars.setdefault(tag, []).append([place, row["value"]])
images = {}
for path in sorted(figures.glob("*.png")):
    png = path.read_bytes()
    width, height = struct.unpack(">II", png[16:24])
    images[path.stem] = [[0, width, height, list(png)]]
if images:
    runs["figures"] = {"images": images}
expected.write_text(json.dumps({"runs": runs}), encoding="utf-8")
