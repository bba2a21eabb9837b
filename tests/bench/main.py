# SPDX-License-Identifier: Apache-2.0
"""tests/bench/run; see there."""
import argparse
import json
import sys
import tempfile
from pathlib import Path

from bench import bench
from bench.sshd import Sshd
from helpers import workbench
from helpers.stopwatch import Stopwatch
from local.progress import Console, Failure


def document(outcome: bench.Outcome) -> dict:
    return {
        "machine": workbench.machine(),
        "openssh": Sshd.version(),
        "figures": {name: round(value, 3) for name, value in outcome.medians.items()},
        "best_tenth_ms": {name: round(value, 3) for name, value in outcome.best.items()},
        "pss_kib": {role: held.pss for role, held in outcome.processes.items()},
        "goals": [{"goal": text, "measured": round(value, 3), "limit": limit, "met": met} for text, value, limit, met in outcome.goals],
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Sessions beside their anchors: medians, ratios, goals.")
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output, the progress on standard error")
    parser.add_argument("--rounds", type=int, default=bench.ROUNDS, help="how often everything is measured (%(default)s)")
    options = parser.parse_args()
    console = Console(sys.stderr if options.json else sys.stdout)
    programs = workbench.programs(console, "release")
    with tempfile.TemporaryDirectory(prefix="navigator-bench-") as folder, Sshd(Path(folder) / "sshd") as server, \
            workbench.example_pod(console, programs) as pod:
        stopwatch = Stopwatch(programs)
        outcome = bench.bench(pod, server, stopwatch, console, options.rounds)
        table = [(figure.name, figure.text) for figure in bench.figures(pod, server, stopwatch)]
    bench.print_table(outcome, table, console)
    console.line(f"\n{workbench.machine()}, {Sshd.version()}")
    if options.json:
        print(json.dumps(document(outcome), indent=2))
    return 0 if all(met for _, _, _, met in outcome.goals) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"tests/bench/run: {failure}")
