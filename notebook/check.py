"""Checks what an executed notebook of the smoke sizes holds: every cell, its figures, its accuracies."""

import json
import pathlib
import re
import sys
import xml.etree.ElementTree

text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
assert "Assignment2_Group_N" not in text and "Assignment2_Group_7.code/crates/engine" in text
cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
outputs = [output for cell in cells for output in cell["outputs"]]
assert not [output for output in outputs if output["output_type"] == "error"]
figures = ["".join(output["data"]["image/svg+xml"]) for output in outputs if "image/svg+xml" in output.get("data", {})]
for figure in figures:
    assert xml.etree.ElementTree.fromstring(figure).tag.endswith("svg")
assert len(figures) >= 17, len(figures)
lines = "".join(cells[-1]["outputs"][-1]["data"]["text/plain"]).splitlines()
found = {name: float(share) for name, share in re.findall(r"^(.+) \| ([\d.]+) %$", "\n".join(lines), re.MULTILINE)}
assert len(found) == len(lines) - 1 == 22, lines
assert all(50 < share <= 100 for share in found.values()), found
assert found["perceptrons, mean of all pairs"] > 90, found
# With all the weight on one task the two-headed network is the single-task one.
assert found["group: both, λ = 0"] == found["group: group alone"], found
assert found["item: both, λ = 1"] == found["item: item alone, the group looked up"], found
print(f"{len(cells)} cells, {len(figures)} figures, {len(found)} accuracies")
