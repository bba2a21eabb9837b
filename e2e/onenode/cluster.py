# SPDX-License-Identifier: Apache-2.0
"""The cluster seen from outside: start it, look at it, run something in it, end it."""
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

from local.progress import Console, Failure

from . import certificates, cgroups, programs
from .layout import HERE, NODE, Layout


class Cluster:
    chosen_cases = ()  # pytest's arguments when nobody names any: all

    def __init__(self, layout: Layout, console: Console):
        self.layout = layout
        self.console = console

    # -- what runs

    def up(self, images: dict) -> None:
        if self.pid():
            self.refresh(images)
            return
        if os.geteuid() != 0:
            raise Failure("needs root: a node mounts file systems and makes namespaces")
        programs.build(self.layout, self.console)
        self.down()
        self.layout.logs.mkdir(parents=True)
        certificates.create(self.layout)
        self.offer(images)
        with self.console.step("starting Kubernetes"):
            self.start()
            self.wait_until_started()
        with self.console.step("waiting for the node"):
            for what, condition in ((f"node/{NODE}", "create"), (f"node/{NODE}", "condition=Ready"), ("serviceaccount/default", "create")):
                self.kubectl("wait", what, f"--for={condition}", "--timeout=60s")

    def offer(self, images: dict) -> list:
        """Puts the archives where the node finds them; returns those that it has not seen yet."""
        folder = self.layout.state / "images"
        folder.mkdir(exist_ok=True)
        fresh = []
        for name, archive in images.items():
            offered = folder / f"{name}.image"
            if not offered.exists() or not offered.samefile(archive):
                offered.unlink(missing_ok=True)
                os.link(archive, offered)
                fresh.append(offered)
        return fresh

    def refresh(self, images: dict) -> None:
        """The cluster runs already: images that changed since are imported, for pods that start from now on. The node part starts again,
        so that the hook is of the same tree as the sidecars."""
        fresh = self.offer(images)
        for archive in fresh:
            with self.console.step(f"importing {archive.stem} again"):
                self.run(["ctr", "-n", "k8s.io", "images", "import", "--local", archive], check=True, capture_output=True)
        if fresh:
            self.run(["kubectl", "delete", "pods", "--all-namespaces", "--selector=app.kubernetes.io/component in (node, canary)"], capture_output=True)

    def start(self) -> None:
        name = f"navigator-e2e-{os.getpid()}"
        cgroups.create(name)
        with (self.layout.logs / "machine.log").open("w") as log:
            process = subprocess.Popen(
                ["unshare", "--mount", "--net", "--pid", "--cgroup", "--fork", "--mount-proc", "--kill-child",
                 sys.executable, "-m", "onenode.machine"],
                cwd="/", env={**os.environ, "PYTHONPATH": str(HERE.parent), "NAVIGATOR_CLUSTER": str(self.layout.base)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, preexec_fn=lambda: cgroups.join(name))
        self.write_record({"pid": process.pid, "started": start_time(process.pid), "cgroup": name})

    def wait_until_started(self) -> None:
        for _ in range(900):
            if self.layout.ready.exists():
                return
            if not self.pid():
                raise Failure(f"the cluster did not start:\n{(self.layout.logs / 'machine.log').read_text()}")
            time.sleep(0.1)
        raise Failure(f"the cluster did not start in 90 s; logs are in {self.layout.logs}")

    def down(self) -> None:
        """Ends the one process on which everything hangs, then removes what it left on disk. Nothing to do is fine."""
        record = self.record()
        pid = self.pid()
        if pid:
            descriptor = os.pidfd_open(pid)
            os.kill(pid, 9)
            wait_for_end(descriptor)
        if "cgroup" in record and not cgroups.remove(record["cgroup"]):
            self.console.line(f"the control group {record['cgroup']} would not go: a process of the cluster is still ending")
        shutil.rmtree(self.layout.state, ignore_errors=True)

    def status(self) -> bool:
        if not self.pid():
            self.console.line("the cluster is down: e2e/cluster up")
            return False
        self.run(["kubectl", "get", "nodes,pods", "--all-namespaces", "-o", "wide"])
        self.console.line(f"\nkubeconfig {self.layout.kubeconfig} (inside: e2e/cluster run kubectl ...)\nlogs       {self.layout.logs}")
        return True

    # -- going in

    def enter(self, command: list) -> list:
        """The command, run inside: with the node's mounts, network and processes, and an administrator's kubeconfig."""
        inside = self.inside()
        return ["nsenter", "--target", str(inside), "--mount", "--net", "--pid", "--wd=" + os.getcwd(), "env",
                f"KUBECONFIG={self.layout.kubeconfig}", f"PATH={self.layout.programs}:{os.environ['PATH']}",
                "CONTAINERD_ADDRESS=/run/containerd/containerd.sock", "CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock",
                *map(str, command)]

    def run(self, command: list, **options) -> subprocess.CompletedProcess:
        return subprocess.run(self.enter(command), **options)

    def kubectl(self, *arguments) -> str:
        done = self.run(["kubectl", *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    # -- who it is

    def pid(self) -> int:
        """Of the process that everything hangs on; 0 when the cluster is down. A recycled pid is told by its start time."""
        record = self.record()
        return record["pid"] if record and start_time(record["pid"]) == record["started"] else 0

    def inside(self) -> int:
        pid = self.pid()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if pid else []
        if not children:
            raise Failure("the cluster is down: e2e/cluster up")
        return int(children[0])

    def record(self) -> dict:
        path = self.layout.state / "cluster.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def write_record(self, record: dict) -> None:
        (self.layout.state / "cluster.json").write_text(json.dumps(record))


def start_time(pid: int) -> str:
    """Field 22 of /proc/PID/stat, counted after the name, which may hold blanks; "" for a pid that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def wait_for_end(descriptor: int) -> None:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    poller.poll(10_000)
    os.close(descriptor)
