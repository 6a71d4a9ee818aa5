"""A Slurm cluster of two nodes on this machine, for tests: no systemd, no munge, every port and file its own.

Needs the programs of Debian's packages `slurmctld`, `slurmd` and `slurm-client`, and root, as slurmd starts jobs for users.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

CONF = """\
ClusterName=inkling
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
AuthInfo=cred_expire=5
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=2,sched_min_interval=100000,batch_sched_delay=1
ReturnToService=2
SlurmctldTimeout=5
SlurmdTimeout=5
MessageTimeout=5
KillWait=10
BatchStartTimeout=3
InactiveLimit=0
MinJobAge=300
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SlurmctldPort={ports[0]}
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdSpoolDir={folder}/spool-%n
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdLogFile={folder}/slurmd-%n.log
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=4000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=4000 State=UNKNOWN
PartitionName=two Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""
PROGRAMS = {"slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client"}


def install():
    """Installs what is missing, where that can be done."""
    if os.getuid():
        raise SystemExit("a cluster on this machine needs root, as slurmd starts jobs for users")
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program, path=PATH)]
    if missing:
        if not shutil.which("apt-get"):
            raise SystemExit(f"missing: {' '.join(missing)} (Debian and Ubuntu: apt-get install {' '.join(missing)})")
        subprocess.run("apt-get update -qq && apt-get install -y -qq " + " ".join(missing), shell=True, check=True)


PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def command(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def kill_all(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    time.sleep(0.05)


class Cluster:
    """The daemons, and the environment in which Slurm's commands speak to them."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        for name in ("state", "spool-n1", "spool-n2"):
            (self.folder / name).mkdir()
        conf = self.folder / "slurm.conf"
        conf.write_text(CONF.format(host=socket.gethostname().split(".")[0], ports=free_ports(3), folder=self.folder))
        self.environment = {**os.environ, "SLURM_CONF": str(conf), "PATH": PATH}
        self.daemons = {}
        for name in ("slurmctld", "n1", "n2"):
            self.start(name)
        self.wait_for_nodes()

    def start(self, name):
        command = ["slurmctld", "-D"] if name == "slurmctld" else ["slurmd", "-D", "-N", name]
        if name == "slurmctld" and not any((self.folder / "state").iterdir()):
            command.append("-c")
        log = open(self.folder / f"{name}.out", "ab")
        self.daemons[name] = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, cwd=self.folder)

    def kill(self, name):
        """Kills a daemon as a power cut would; jobs of a node go on, as they are processes of their own."""
        self.daemons[name].kill()
        self.daemons[name].wait()

    def workers(self, node=None):
        """The processes of jobs of this cluster, of one of its nodes or of both, by their ids."""
        processes = {}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            values = dict(pair.split(b"=", 1) for pair in environment if b"=" in pair)
            if values.get(b"SLURM_CONF") == self.environment["SLURM_CONF"].encode() and b"SLURM_JOB_ID" in values:
                processes[int(entry.name)] = values.get(b"SLURMD_NODENAME", b"").decode()
        return {pid for pid, name in processes.items() if node in (None, name)}

    def shepherds(self, node):
        """Slurm's own process for each job of a node, which tells the controller how the job ended: it writes to the node's log."""
        log = str(self.folder / f"slurmd-{node}.log")

        def writes_to_log(entry):
            try:
                return any(os.readlink(file) == log for file in (entry / "fd").iterdir())
            except OSError:
                return False

        found = (entry for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit())
        return {int(entry.name) for entry in found if "slurmstepd" in command(entry.name) and writes_to_log(entry)}

    def lose_node(self, node):
        """Kills a node with everything on it, as a power cut would; what Slurm kept there on a disk in memory is gone."""
        self.kill(node)
        # A shepherd may just be starting a process.
        while pids := self.shepherds(node) | self.workers(node):
            kill_all(pids)
        shutil.rmtree(self.folder / f"spool-{node}")
        (self.folder / f"spool-{node}").mkdir()

    def ask(self, *command):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        return done.stdout

    def wait_for_nodes(self, seconds=60):
        end = time.monotonic() + seconds
        while self.ask("sinfo", "-h", "-N", "-o", "%N %t").split() != ["n1", "idle", "n2", "idle"]:
            if time.monotonic() > end:
                raise SystemExit(f"the nodes do not come up: {self.ask('sinfo', '-N', '-l')}\n{self.logs()}")
            time.sleep(0.2)

    def jobs(self):
        """What the scheduler still has to do, for messages only."""
        return self.ask("squeue", "-h", "-r", "-o", "%i %T %r %j")

    def release(self):
        """Releases jobs that Slurm holds because a node died while it started them, as a person would; says how many. Nodes on
        which this happened come back too."""
        if "drain" in (states := self.ask("sinfo", "-h", "-N", "-o", "%N %t")):
            for line in states.splitlines():
                if "drain" in line:
                    self.ask("scontrol", "update", f"NodeName={line.split()[0]}", "State=RESUME")
        held = [line.split()[0] for line in self.ask("squeue", "-h", "-r", "-o", "%i %r").splitlines() if line.endswith("held")]
        for job in held:
            self.ask("scontrol", "release", job)
        return len(held)

    def logs(self):
        return "\n".join(f"== {path.name}\n" + path.read_text()[-3000:] for path in sorted(self.folder.glob("*.log")))

    def stop(self):
        kill_all(self.shepherds("n1") | self.shepherds("n2") | self.workers())
        for daemon in self.daemons.values():
            daemon.kill()
            daemon.wait()
