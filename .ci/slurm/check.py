"""A study on a Slurm cluster of two nodes, of which one and the controller are killed in the middle, beside the same study in one process.

    check.py INKLING STUDY ALONE OUT

INKLING is the program, STUDY a preset or a study file, ALONE the folder in which one process did it, and OUT the folder for the
cluster, which must not exist. It exits with 1 unless every run ends with the same bits, and the report says the same but for machine
and times. It takes less than three minutes for the preset `smoke`, and somewhat more for two seeds of it.
"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from cluster import Cluster, install

SETTINGS = """\
[slurm]
partition = "two"
cpus = 1
least_memory = 500
pack_minutes = 0.04
"""
LIMIT = 300

program, study, alone, out = sys.argv[1:]
program, alone, out = (pathlib.Path(word).resolve() for word in (program, alone, out))
if pathlib.Path(study).exists():
    study = str(pathlib.Path(study).resolve())


def inkling(*words, expected=0):
    done = subprocess.run([program, *words], env=cluster.environment, capture_output=True, text=True)
    assert done.returncode == expected, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def counts():
    runs = json.loads(inkling("status", str(out), "--json"))["runs"]
    return {state: sum(run["state"] == state for run in runs) for state in ("done", "failed", "blocked")}, len(runs)


def wait(what, is_so):
    while not is_so():
        if time.monotonic() - start > LIMIT:
            logs = "\n".join(f"== {path.name}\n{path.read_text()[-1500:]}" for path in sorted((out / "slurm").glob("*.log")))
            raise SystemExit(f"waited too long for {what}: {counts()}\n{cluster.jobs()}\n{logs}\n{cluster.logs()}")
        cluster.release()
        time.sleep(0.3)


def compare_reports(one, other):
    """Compares figures and tables but for what is drawn or counted from times."""
    for folder in ("figures", "tables"):
        names = [sorted(path.name for path in (out / folder).iterdir()) for out in (one, other)]
        assert names[0] == names[1], names
    for path in sorted((one / "figures").glob("*.svg")):
        if "times" not in path.name:
            assert path.read_bytes() == (other / "figures" / path.name).read_bytes(), path.name
    for path in sorted((one / "tables").glob("task*.csv")):
        tables = [list(csv.DictReader(open(out / "tables" / path.name, encoding="utf-8"))) for out in (one, other)]
        for rows in tables:
            for row in rows:
                for column in [column for column in row if "second" in column]:
                    del row[column]
        assert tables[0] == tables[1], path.name


install()
start = time.monotonic()
# Slurm's settings take no spaces.
place = pathlib.Path(tempfile.mkdtemp()) / "cluster"
cluster = Cluster(place)
try:
    settings = place / "slurm.toml"
    settings.write_text(SETTINGS)
    print(inkling("study", study, "--out", str(out), "--on", "slurm", "--slurm", str(settings)), end="")
    wait("the first runs", lambda: counts()[0]["done"] >= 3 and cluster.workers("n1"))
    cluster.lose_node("n1")
    print(f"lost a node after {counts()[0]['done']} runs", flush=True)
    wait("the controller to see it", lambda: "down" in cluster.ask("sinfo", "-h", "-N", "-n", "n1", "-o", "%t"))
    cluster.start("n1")
    before = counts()[0]["done"]
    wait("more runs", lambda: counts()[0]["done"] > before)
    cluster.kill("slurmctld")
    print(f"lost the controller after {counts()[0]['done']} runs", flush=True)
    time.sleep(3)
    cluster.start("slurmctld")
    wait("all runs", lambda: counts()[0]["done"] == counts()[1])
    wait("the report", lambda: (out / "summary.json").exists())
    wait("the last job", lambda: not cluster.workers())
finally:
    cluster.stop()

same = pathlib.Path(__file__).parent.parent / "same.py"
subprocess.run([sys.executable, same, alone, out], check=True)
for name in ("report.pdf", "report.html", "summary.json"):
    assert (out / name).stat().st_size > 1000, name
left = [path.name for path in (out / "runs").iterdir() if path.name.startswith(".")]
assert not left, left
compare_reports(alone, out)
print(f"the same study on two nodes, with a node and the controller killed, in {time.monotonic() - start:.0f} s")
