# SPDX-License-Identifier: Apache-2.0
"""What a person sees while something takes time: one line a step, alive on a terminal, plain everywhere else."""
import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path

COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class Failure(Exception):
    """Something a person can fix: the text says what, where and what to do."""


class Console:
    def __init__(self, stream=sys.stdout):
        self.stream = stream
        self.terminal = stream.isatty()

    def colour(self, name: str, text: str) -> str:
        return f"\033[{COLOURS[name]}m{text}\033[0m" if self.terminal else text

    def line(self, text: str = "", end: str = "\n") -> None:
        """Who reads may have gone (`e2e/demo | head`): what is under way ends as it would have."""
        with contextlib.suppress(BrokenPipeError):
            print(text, end=end, file=self.stream, flush=True)

    def step(self, text: str) -> "Step":
        return Step(self, text)


class Step:
    """`with console.step("making the images"):` prints the text, shows that it is alive, and ends with the time it took."""

    def __init__(self, console: Console, text: str):
        self.console = console
        self.text = text
        self.detail = ""
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self):
        self.start = time.monotonic()
        if not self.console.terminal:
            self.console.line(f"  {self.text} ...")
        self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.done.set()
        self.thread.join()
        seconds = time.monotonic() - self.start
        if self.console.terminal:
            mark = self.console.colour("red", "✗") if kind else self.console.colour("green", "✓")
            took = self.console.colour("dim", f"{seconds:.1f} s")
            self.console.line(f"\r\033[K  {mark} {self.text} {took}")
        elif seconds >= 2 and not kind:
            self.console.line(f"  {self.text}: done in {seconds:.1f} s")

    def _live(self):
        spin = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
        count = 0
        pause = 0.1 if self.console.terminal else 10
        while not self.done.wait(pause):
            count += 1
            if self.console.terminal:
                detail = self.console.colour("dim", self.detail[:60])
                self.console.line(f"\r\033[K  {spin[count % len(spin)]} {self.text}  {detail}", end="")
            else:
                self.console.line(f"    still {self.text}, {count * pause} s  {self.detail[:80]}")

    def run(self, command: list, log: Path, **options) -> None:
        """Runs a command with its output in a log file, its last line beside the step; a failure shows the log's end."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", errors="replace") as file, subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", **options) as process:
            for line in process.stdout:
                file.write(line)
                self.detail = line.strip() or self.detail
        if process.returncode != 0:
            tail = log.read_text(errors="replace").splitlines()[-25:]
            raise Failure("\n".join([f"failed: {' '.join(map(str, command))}  (exit {process.returncode}, whole log: {log})", *tail]))
