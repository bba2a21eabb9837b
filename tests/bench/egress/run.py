#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/bench/egress/run.py [--build FOLDER] [--seconds N] [--rounds N]: egress beside tinyproxy, squid and HAProxy, in one run.

Tunnels a second with 1 and 16 clients, bytes a second and processor seconds a GiB through one tunnel. Ours is measured as a session meets it: a client in
the sandbox, the owner of every connection looked up. The others run in a network namespace of their own, with the same client and server.
Each figure is the median of the rounds, and the rounds go round: a disturbance of the machine hits all.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TREE = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TREE / "tests"), str(TREE / "tests/integration/launcher")]

import outside  # noqa: E402
from runc_pod import Pod  # noqa: E402

SERVER_PORT = 7000
SERVER_ADDRESS = "203.0.113.10"
MEBIBYTES = 4096
POLICY = f"""
version: 1
filesystem_policy: {{read_only: [/usr, /lib, /etc, /proc], read_write: [/sandbox, /tmp, /dev/null]}}
process: {{run_as_user: sandbox, run_as_group: sandbox}}
network_policies:
  bench:
    endpoints: [{{host: {SERVER_ADDRESS}, port: {SERVER_PORT}}}]
    binaries: [{{path: /sandbox/load}}]
"""
TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pids):
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


class Space:
    """A network namespace with the server in it."""

    def __init__(self, load):
        self.load = load
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up; echo up; exec sleep 3600"], stdout=subprocess.PIPE, text=True)
        self.holder.stdout.readline()
        self.processes = [self.holder]
        self.start([load, "server", str(SERVER_PORT)], wait="ready\n")

    def inside(self, command):
        return ["nsenter", "--net", "--target", str(self.holder.pid), *map(str, command)]

    def start(self, command, wait=None):
        process = subprocess.Popen(self.inside(command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.processes.append(process)
        if wait:
            assert process.stdout.readline() == wait
        return process

    def run(self, *arguments):
        return float(subprocess.run(self.inside([self.load, *arguments]), stdout=subprocess.PIPE, text=True, check=True).stdout)

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()


class Direct(Space):
    name = "direct"
    way = ["127.0.0.1", SERVER_PORT]

    def pids(self):
        return []


def descendants(pid):
    found = [pid]
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += descendants(int(child))
    return found


class Foreign(Space):
    """Another proxy. subclasses: name, program, command(folder), way"""

    def __init__(self, load, folder):
        super().__init__(load)
        self.proxy = self.start(self.command(folder))
        deadline = time.monotonic() + 20
        while subprocess.run(self.inside([load, "bytes", 1, *self.way]), capture_output=True, check=False).returncode != 0:
            assert time.monotonic() < deadline, f"{self.name} does not serve"
            time.sleep(0.1)

    def pids(self):
        return descendants(self.proxy.pid)


class Tinyproxy(Foreign):
    name, program = "tinyproxy", "tinyproxy"
    way = ["127.0.0.1", 8888, f"127.0.0.1:{SERVER_PORT}"]

    def command(self, folder):
        (folder / "tinyproxy.conf").write_text("Port 8888\nListen 127.0.0.1\nTimeout 600\nMaxClients 500\nLogLevel Critical\n")
        return ["tinyproxy", "-d", "-c", folder / "tinyproxy.conf"]


class Squid(Foreign):
    name, program = "squid", "squid"
    way = ["127.0.0.1", 8889, f"127.0.0.1:{SERVER_PORT}"]

    def command(self, folder):
        folder.chmod(0o777)
        (folder / "squid.conf").write_text(
            f"http_port 127.0.0.1:8889\nhttp_access allow all\ncache deny all\naccess_log none\ncache_log /dev/null\npid_filename {folder}/squid.pid\n"
            f"coredump_dir {folder}\nshutdown_lifetime 0 seconds\nmax_filedescriptors 4096\n")
        return ["squid", "-N", "-f", folder / "squid.conf"]


class Haproxy(Foreign):
    name, program = "haproxy (tcp)", "haproxy"
    way = ["127.0.0.1", 8890]

    def command(self, folder):
        (folder / "haproxy.cfg").write_text(
            "global\n  nbthread 1\n  maxconn 4000\ndefaults\n  mode tcp\n  option splice-auto\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
            f"listen l\n  bind 127.0.0.1:8890\n  server s 127.0.0.1:{SERVER_PORT}\n")
        return ["haproxy", "-db", "-f", folder / "haproxy.cfg"]


class Ours:
    """As a session meets it."""
    name = "navigator"

    def __init__(self, build, load, folder):
        (folder / "policy.yaml").write_text(POLICY)
        self.pod = Pod(build, policy=["--policy", folder / "policy.yaml"])
        shutil.copy(load, self.pod.root / "sandbox/load")
        (self.pod.root / "sandbox/load").chmod(0o755)
        self.world = outside.start(self.pod.pause, {"addresses": [f"{SERVER_ADDRESS}/32"], "names": {}, "tcp": []}, folder)
        self.server = subprocess.Popen(["nsenter", "--net", "--target", str(self.pod.pause), load, "server", str(SERVER_PORT)], stdout=subprocess.PIPE, text=True)
        self.server.stdout.readline()
        self.pod.start()
        self.gateway = self.pod.gateway()
        self.way = ["127.0.0.1", 3128, f"{SERVER_ADDRESS}:{SERVER_PORT}"]

    def run(self, *arguments):
        session = self.gateway.run(["/sandbox/load", *map(str, arguments)], flags=0b1110, limit=120)
        assert session.code == 0, (session.err, session.refusal, self.pod.audit()[-3:])
        return float(session.out)

    def pids(self):
        return [pid for pid, (command, _) in self.pod.processes().items() if "navigator-egress" in command or "navigator-sidecar" in command]

    def close(self):
        self.server.terminate()
        self.server.wait()
        self.world.kill()
        self.world.wait()
        self.pod.destroy()


def measure(subject, seconds):
    figures = {f"tunnels/s, {clients} clients": subject.run("tunnels", clients, seconds, *subject.way) for clients in (1, 16)}
    before = processor_seconds(subject.pids())
    figures["MiB/s"] = subject.run("bytes", MEBIBYTES, *subject.way)
    figures["CPU s/GiB"] = (processor_seconds(subject.pids()) - before) / (MEBIBYTES / 1024)
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=TREE / "build/dev", help="which build is measured")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    load = options.build / "bin/bench-egress-load"
    with tempfile.TemporaryDirectory(prefix="navigator-bench-egress-") as name:
        folder = Path(name)
        subjects = [Direct(load)]
        try:
            for kind in (Tinyproxy, Squid, Haproxy):
                if shutil.which(kind.program) or Path(f"/usr/sbin/{kind.program}").exists():
                    subjects.append(kind(load, folder))
                else:
                    print(f"{kind.program} is not installed: left out")
            subjects.append(Ours(options.build, load, folder))
            rounds = {subject.name: [] for subject in subjects}
            for _ in range(options.rounds):
                for subject in subjects:
                    rounds[subject.name].append(measure(subject, options.seconds))
        finally:
            for subject in subjects:
                subject.close()
    names = list(next(iter(rounds.values()))[0])
    print(f"{'':16}" + "".join(f"{name:>24}" for name in names))
    for subject, figures in rounds.items():
        medians = [statistics.median(figure[name] for figure in figures) for name in names]
        print(f"{subject:16}" + "".join(f"{value:24.2f}" if name == "CPU s/GiB" else f"{value:24.0f}" for name, value in zip(names, medians)))


if __name__ == "__main__":
    main()
