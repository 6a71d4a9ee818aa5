"""Runs the Python of docs/tuning.md: Optuna tries values of hyperparameters with `--set` of `inkling run`, and a sweep tests the best.

    tuning.py DOC INKLING FOLDER

DOC is docs/tuning.md, INKLING the program, and FOLDER an empty folder. The search has fewer trials than the document's. It exits
with 1 if the Python fails, or if what it found is not what the study's folder holds.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

TRIALS = 4

doc, program, folder = (Path(word).resolve() for word in sys.argv[1:])
blocks = re.findall(r"^```python\n(.*?)^```", doc.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
assert len(blocks) == 1, "docs/tuning.md has one piece of Python"
os.chdir(folder)
os.environ["PATH"] = f"{program.parent}{os.pathsep}{os.environ['PATH']}"


def inkling(*arguments):
    return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


# Task 4 of a small study, with validation images.
study = inkling("study", "smoke", "--only", "cnn", "--print-spec")
study = study.replace("[cnn.training]\n", "[cnn.training]\nvalidation = { images = 500 }\n", 1)
# Its first network alone, so that none needs to be named.
tables = re.split(r"(?m)^(?=\[)", study)
networks = [table for table in tables if table.startswith("[[cnn.networks]]")]
Path("study.toml").write_text("".join(table for table in tables if table not in networks[1:]), encoding="utf-8")
inkling("plan", "study.toml", "--out", "tuned", "--rate", "1e9")

assert "n_trials=20" in blocks[0]
namespace = {"__name__": "snippet"}
exec(compile(blocks[0].replace("n_trials=20", f"n_trials={TRIALS}"), str(doc), "exec"), namespace)

found = namespace["study"]
assert len(found.trials) == TRIALS and 0.0 < found.best_value <= 1.0, found.best_value
# The best point again: answered from its run, to the last digit.
settings = [word for key, value in found.best_params.items() for word in ("--set", f"{key}={value}")]
answer = json.loads(inkling("run", "--out", "tuned", "--json", *settings))
assert answer["validation"]["accuracy"] == found.best_value, answer
for run in answer["runs"]:
    result = json.loads(Path(f"tuned/runs/{run['id']}/result.json").read_text(encoding="utf-8"))
    epoch = result["outcome"]["epochs"][run["epoch"] - 1]
    assert "test" not in epoch and epoch["heads"][0]["validation"]["images"] == 500, epoch

# A sweep of the best and the worst point, with a key more: both trained anew, one tested.
order = sorted(found.trials, key=lambda trial: trial.value, reverse=True)
points = ""
for number, trial in enumerate((order[0], order[-1])):
    points += "\n[[sweep.points]]\n" + "".join(f'"{key}" = {value}\n' for key, value in trial.params.items())
    points += f'"cnn.training.clip_norm" = {number + 1}\n'
Path("swept.toml").write_text(Path("study.toml").read_text(encoding="utf-8") + points, encoding="utf-8")
inkling("study", "swept.toml", "--out", "swept")
swept = json.loads(Path("swept/summary.json").read_text(encoding="utf-8"))["tasks"]["sweep"]
assert len(swept["points"]) == 2 and len(swept["tests"]) == 1, swept
print(f"Optuna tried {TRIALS} points; the best has a validation accuracy of {found.best_value:.3f}")
