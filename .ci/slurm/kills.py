"""Kills workers, nodes and the controller of a Slurm cluster at random moments, while studies are done on it. Not part of continuous
integration, since it takes ten minutes.

    kills.py INKLING DATA [KILLS] [SEED]

It exits with 1 unless every run of every study is published once, with the bits of one process, none is lost, and none is done twice to
the end. It prints how many kills there were of each kind.
"""

import collections
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

from cluster import Cluster, command, install

SETTINGS = '[slurm]\npartition = "two"\ncpus = 1\nleast_memory = 500\npack_minutes = 0.15\n'
LIMIT = 600

program, data = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
asked = int(sys.argv[3]) if len(sys.argv) > 3 else 100
seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
chance = random.Random(seed)
install()
place = pathlib.Path(tempfile.mkdtemp())
same = pathlib.Path(__file__).parent.parent / "same.py"
study = place / "long.toml"
spec = subprocess.run([program, "study", "smoke", "--print-spec"], capture_output=True, text=True, check=True).stdout
study.write_text(spec.replace("epochs = 2\n", "epochs = 12\n"))
words = ["study", str(study), "--data", str(data)]
subprocess.run([program, *words, "--threads", "1", "--out", str(place / "alone")], check=True, capture_output=True)
settings = place / "slurm.toml"
settings.write_text(SETTINGS)

cluster = Cluster(place / "cluster")
kills = collections.Counter()
down = {}


def runs(out):
    done = subprocess.run([program, "status", str(out), "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["runs"]


def submit(out):
    # The controller may be away for a moment.
    for _ in range(10):
        done = subprocess.run(
            [program, *words, "--out", str(out), "--on", "slurm", "--slurm", str(settings)],
            env=cluster.environment, capture_output=True, text=True,
        )
        if done.returncode == 0:
            return
        time.sleep(2)
    raise SystemExit(done.stderr)


def kill():
    kind = chance.choice(["worker", "worker", "worker", "node", "controller"])
    workers = [pid for pid in cluster.workers() if command(pid).startswith(str(program))]
    # A kill while nothing is done would prove nothing.
    if not workers:
        return
    if kind == "worker":
        try:
            os.kill(chance.choice(sorted(workers)), signal.SIGKILL)
        except ProcessLookupError:
            return
    elif kind == "node":
        node = chance.choice(["n1", "n2"])
        if node in down or not cluster.workers(node):
            return
        cluster.lose_node(node)
        down[node] = time.monotonic() + chance.uniform(0, 9)
    else:
        if "slurmctld" in down:
            return
        cluster.kill("slurmctld")
        down["slurmctld"] = time.monotonic() + chance.uniform(0, 4)
    kills[kind] += 1
    print(f"{sum(kills.values())}: {kind}, {time.monotonic() - start:.0f} s, {sum(run['state'] == 'done' for run in runs(out))} runs done", flush=True)


def bring_back():
    for name in [name for name, when in down.items() if when < time.monotonic()]:
        cluster.start(name)
        del down[name]


def check(out):
    subprocess.run([sys.executable, same, place / "alone", out], check=True)
    left = [path.name for path in (out / "runs").iterdir() if path.name.startswith(".")]
    assert not left, left
    logs = "\n".join(path.read_text(errors="replace") for path in (out / "slurm").glob("*.log"))
    titles = collections.Counter(f"{run['task']} {run['title']}" for run in runs(out))
    ended = collections.Counter(match.group(1) for match in re.finditer(r"^(.*?): done in ", logs, re.MULTILINE))
    for title, count in ended.items():
        assert count <= titles.get(title, count), f"{title} was done {count} times"
    assert "is finished already" not in logs, "a run was done twice to the end"


start, studies, again, released = time.monotonic(), 0, 0, 0
try:
    while sum(kills.values()) < asked:
        studies += 1
        out = place / f"out{studies}"
        submit(out)
        begun, calm = time.monotonic(), 0
        while not (out / "summary.json").exists() or down:
            time.sleep(chance.uniform(0.1, 3))
            bring_back()
            # While runs are left, and now and then while the report is made, which begins anew each time.
            is_left = any(run["state"] != "done" for run in runs(out))
            if sum(kills.values()) < asked and (is_left or chance.random() < 0.1):
                kill()
            if not down:
                released += cluster.release()
                calm = 0 if cluster.jobs().strip() or cluster.workers() else calm + 1
            if calm > 5 and not (out / "summary.json").exists():
                # Nobody is at work any more: what a person would do.
                submit(out)
                again, calm = again + 1, 0
            if time.monotonic() - begun > LIMIT:
                raise SystemExit(f"{cluster.jobs()}\n{cluster.logs()}\n{place}")
        while cluster.workers() or cluster.jobs().strip():
            bring_back()
            time.sleep(0.2)
        check(out)
        print(f"study {studies}: {dict(kills)} so far, {time.monotonic() - start:.0f} s", flush=True)
finally:
    cluster.stop()
print(
    f"{sum(kills.values())} kills ({', '.join(f'{count} of a {kind}' for kind, count in sorted(kills.items()))}) in {studies} studies of "
    f"{len(runs(out))} runs, {again} submitted again, {released} jobs that Slurm held released: every run was published once, with the bits of one process"
)
