# SPDX-License-Identifier: Apache-2.0
"""tests/soak/run; see there."""
import argparse
import os
import sys
import time

from helpers import workbench
from helpers.stopwatch import Stopwatch
from local.progress import Console, Failure
from soak.soak import LONG, PROGRAM, SHORT, soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/soak/run", description="Thousands of sessions on one pod, and what they leave.")
    parser.add_argument("--short", action="store_true", help="some hundreds of sessions")
    parser.add_argument("--tls", action="store_true", help="over TLS (else the unix socket)")
    options = parser.parse_args()
    console = Console()
    programs = workbench.programs(console, os.environ.get("NAVIGATOR_PRESET", "release"))
    with workbench.example_pod(console, programs) as pod:
        stopwatch = Stopwatch(programs)
        opened = stopwatch.tls_session if options.tls else stopwatch.local_session

        def run(count: int, parallel: int):
            with console.step(f"{count} sessions, {parallel} at a time"):
                return opened(pod, PROGRAM, count, parallel)

        start = time.monotonic()
        report = soak(pod, run, SHORT if options.short else LONG)
    console.line()
    for line in report.lines:
        console.line(line)
    console.line(f"{len(report.complaints)} complaints, {time.monotonic() - start:.0f} s; {workbench.machine()}")
    return 1 if report.complaints else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"tests/soak/run: {failure}")
