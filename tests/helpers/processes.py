# SPDX-License-Identifier: Apache-2.0
"""The processes of a pod, as the host sees them: all that share its pid namespace."""
import contextlib
import os
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    pid: int
    name: str
    command: str

    def read(self, file: str) -> str:
        return Path(f"/proc/{self.pid}/{file}").read_text()

    def namespace(self, name: str) -> str:
        return os.readlink(f"/proc/{self.pid}/ns/{name}")

    def status(self, key: str) -> str:
        return next(line.split(":", 1)[1].strip() for line in self.read("status").splitlines() if line.startswith(f"{key}:"))


class Processes:
    def __init__(self, pod):
        self.pod = pod
        self.namespace = os.readlink(f"/proc/{pod.pid('workload')}/ns/pid")

    def list(self) -> list:
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                if os.readlink(entry / "ns/pid") == self.namespace:
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found.append(Process(int(entry.name), (entry / "comm").read_text().strip(), command))
        return found

    def states(self) -> dict:
        """State letter -> names."""
        states = {}
        for process in self.list():
            with contextlib.suppress(OSError, StopIteration):
                states.setdefault(process.status("State")[0], []).append(process.name)
        return states

    def count(self, name: str, argument: str = "") -> int:
        return sum(1 for process in self.list() if process.name == name and argument in process.command)

    def host_pid(self, name: str) -> int:
        """The oldest of that name (the kernel keeps 15 bytes of it)."""
        return min((int(process.read("stat").rsplit(")", 1)[1].split()[19]), process.pid)
                   for process in self.list() if process.name == name[:15])[1]

    def wait_for(self, command: str, count: int, seconds: float = 5) -> None:
        """Until so many processes have a command line that starts like this."""
        deadline = time.monotonic() + seconds
        while (found := sum(process.command.startswith(command) for process in self.list())) != count:
            assert time.monotonic() < deadline, f"{found} processes '{command}', not {count}"
            time.sleep(0.02)

    def wait_gone(self, name: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.count(name):
            assert time.monotonic() < deadline, f"{name} is still there: {[p for p in self.list() if p.name == name]}"
            time.sleep(0.05)

    @contextlib.contextmanager
    def session(self, *argv):
        """A session of the sandbox running argv, as a Process."""
        before = {process.pid for process in self.list()}
        stream = self.pod.client.open(list(argv))
        try:
            deadline = time.monotonic() + 10
            while True:
                new = [process for process in self.list() if process.pid not in before and process.command.split() == list(argv)]
                if new:
                    break
                assert time.monotonic() < deadline, f"{argv} did not start"
                time.sleep(0.02)
            yield new[0]
        finally:
            stream.drop()

    @contextlib.contextmanager
    def podman_exec(self, container: str, *argv):
        """A process that `podman exec` starts and that waits for its standard input."""
        mark = f"NAVIGATOR_TEST={uuid.uuid4()}"
        engine = self.pod.engine
        child = subprocess.Popen(engine.command("exec", "--interactive", "--env", mark, self.pod.container(container), *argv), env=engine.environment,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            yield self._with_environment(mark, child)
        finally:
            child.kill()
            child.wait()

    def _with_environment(self, mark: str, child, seconds: float = 10) -> Process:
        deadline = time.monotonic() + seconds
        while True:
            for process in self.list():
                with contextlib.suppress(OSError):
                    if mark.encode() in Path(f"/proc/{process.pid}/environ").read_bytes() and not process.name.startswith("runc"):
                        return process
            assert child.poll() is None, child.stdout.read()
            assert time.monotonic() < deadline, "podman exec started nothing"
            time.sleep(0.02)
