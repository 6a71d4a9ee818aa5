"""Runs the recipes of docs/machines.md that need one machine only: GNU parallel and HyperQueue.

    recipes.py DOC INKLING STUDY ALONE FOLDER

DOC is docs/machines.md, INKLING the program, STUDY the study file in the place of `brief`, ALONE the folder in which one process did it,
and FOLDER an empty one. Each recipe does the study anew, and must end with the same bits. Run it where the data sets are found, with
a Python that has HyperQueue's package.
"""

import os
import pathlib
import re
import subprocess
import sys

doc, program, alone, folder = (pathlib.Path(sys.argv[place]).resolve() for place in (1, 2, 4, 5))
study = sys.argv[3]
same = pathlib.Path(__file__).parent.parent / "same.py"
text = doc.read_text(encoding="utf-8")
os.environ["PATH"] = f"{program.parent}:{os.environ['PATH']}"
ran = 0


def blocks(section, language):
    part = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", part, re.MULTILINE | re.DOTALL)


def here(code, out):
    """The recipe with this study, this folder and this machine."""
    for there, own in (("/shared/study", str(out)), ("host1,host2,host3", ":"), ("brief", study), ("--threads 8", "--threads 1")):
        code = code.replace(there, own)
    return code


def finish(out):
    global ran
    subprocess.run([program, "study", study, "--out", out], check=True, capture_output=True)
    subprocess.run([sys.executable, same, alone, out], check=True)
    ran += 1


shell = blocks("GNU parallel", "sh")
assert len(shell) == 2, shell
for number, code in enumerate(shell):
    out = folder / f"parallel{number}"
    environment = {**os.environ, "PARALLEL_HOME": str(folder)}
    subprocess.run(["bash", "-euo", "pipefail", "-c", here(code, out)], check=True, env=environment, stdin=subprocess.DEVNULL)
    finish(out)

import hyperqueue

(code,) = blocks("HyperQueue", "python")
with hyperqueue.LocalCluster() as cluster:
    cluster.start_worker()
    client = cluster.client
    hyperqueue.Client = lambda: client()
    out = folder / "hyperqueue"
    exec(compile(here(code, out), str(doc), "exec"), {"__name__": "recipe"})
    finish(out)
print(f"{ran} recipes ended with the bits of one process")
