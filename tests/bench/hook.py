#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the hook adds to the creation of a container (acceptance row HK10): `runc create` without the hook, with it and without our annotation, and with
both, taken in turns in one run. Prints medians and their differences; --check fails above 1 ms (not annotated) and 5 ms (annotated).

    tests/bench/hook.py [--rounds N] [--check] [PROGRAMS]
"""
import argparse
import statistics
import sys
import tempfile
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests"))

from helpers.bundle import Bundle, Node  # noqa: E402

LIMITS = {"not annotated": 0.001, "annotated": 0.005}


def measure(bundle: Bundle) -> float:
    try:
        return bundle.create()
    finally:
        bundle.remove()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("programs", nargs="?", type=Path, default=TREE / "build/release/bin")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="navigator-bench-") as folder:
        node = Node(Path(folder), options.programs / "navigator-hook")
        node.policy("default", "version: 1\nfilesystem_policy:\n  read_only: [/usr, /lib, /etc]\n  read_write: [/sandbox, /tmp]\n")
        kinds = {"no hook": Bundle(node, "runc", ("prestart",)), "not annotated": Bundle(node, "runc", ("prestart",)),
                 "annotated": Bundle(node, "runc", ("prestart",))}
        kinds["no hook"].config["hooks"] = {}
        kinds["no hook"].annotations = kinds["not annotated"].annotations = {}
        times = {name: [] for name in kinds}
        for _ in range(options.rounds):
            for name, bundle in kinds.items():
                times[name].append(measure(bundle))
        assert list(node.run.rglob("*.record")), "the hook did not run"
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"{'runc create':<16} {'median':>9} {'added':>9} {'limit':>7}   ({options.rounds} rounds)")
    failed = False
    for name, median in medians.items():
        added = median - medians["no hook"]
        limit = LIMITS.get(name)
        failed |= limit is not None and added > limit
        print(f"{name:<16} {median * 1000:>6.2f} ms" + (f" {added * 1000:>6.2f} ms {limit * 1000:>4.0f} ms" if limit else ""))
    return 1 if options.check and failed else 0


if __name__ == "__main__":
    sys.exit(main())
