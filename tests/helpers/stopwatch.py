# SPDX-License-Identifier: Apache-2.0
"""What tests/bench/stopwatch.c measures, as lists; it says how each kind of run is timed."""
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.progress import Failure


@dataclass(frozen=True)
class Laps:
    milliseconds: list  # in the order in which the runs were begun
    codes: list
    seconds: float      # all of it, connecting included

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def best_tenth(self) -> float:
        """What nine of ten exceed: what it takes when nothing else wants the processor."""
        return sorted(self.milliseconds)[len(self.milliseconds) // 10]

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds

    def __add__(self, other: "Laps") -> "Laps":
        return Laps(self.milliseconds + other.milliseconds, self.codes + other.codes, self.seconds + other.seconds)


class Stopwatch:
    def __init__(self, programs: Path):
        self.program = programs / "stopwatch"

    def spawn(self, argv, count: int = 1, parallel: int = 1, environment: dict = None) -> Laps:
        return self._run("spawn", [], argv, count, parallel, environment)

    def multiplex(self, control: Path, argv, count: int = 1, parallel: int = 1) -> Laps:
        """Through the ssh whose control socket that is."""
        return self._run("multiplex", ["--socket", control], argv, count, parallel)

    def local_session(self, pod, argv, count: int = 1, parallel: int = 1, login: bool = False) -> Laps:
        """Through the gateway's unix socket, reached from the host by way of the sidecar's root."""
        socket = f"/proc/{pod.pid('navigator')}/root/run/navigator/exec.sock"
        return self._session(pod, ["--socket", socket], argv, count, parallel, login)

    def tls_session(self, pod, argv, count: int = 1, parallel: int = 1, login: bool = False) -> Laps:
        credentials = pod.node.credentials
        where = ["--port", pod.port, "--certificate", credentials.certificate, "--token", credentials.folder / "token"]
        return self._session(pod, where, argv, count, parallel, login)

    def _session(self, pod, where: list, argv, count: int, parallel: int, login: bool) -> Laps:
        return self._run("session", [*where, "--pod", pod.name, *(["--login"] if login else [])], argv, count, parallel)

    def _run(self, kind: str, options: list, argv, count: int, parallel: int, environment: dict = None) -> Laps:
        command = [self.program, kind, "--count", count, "--parallel", parallel, *options, "--", *argv]
        result = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=environment, text=True, errors="replace", timeout=1800, check=False)
        if result.returncode != 0:
            raise Failure(f"stopwatch {kind} {' '.join(map(str, argv))}: {result.stderr.strip()[-2000:]}")
        *lines, total = (line.split() for line in result.stdout.splitlines())
        return Laps([float(words[0]) / 1e3 for words in lines], [int(words[1]) for words in lines], float(total[1]) / 1e6)
