# SPDX-License-Identifier: Apache-2.0
"""Our executables, built by the preset of the tree."""
import os
from pathlib import Path

from .progress import Console

TREE = Path(os.environ.get("NAVIGATOR_TREE", Path(__file__).resolve().parents[2]))
PROGRAMS = ("navigator-sidecar", "navigator-gateway", "navigator-egress", "navigator-webhook", "navigator")


def build(console: Console, preset: str) -> Path:
    """Configures and builds; returns the folder of the executables. Quick when nothing changed."""
    folder = TREE / "build" / preset
    with console.step(f"building Navigator ({preset})") as step:
        if not (folder / "build.ninja").exists():
            step.run(["cmake", "--preset", preset], folder / "configure.log", cwd=TREE)
        step.run(["nice", "cmake", "--build", "--preset", preset], folder / "build.log", cwd=TREE)
    return folder / "bin"
