# SPDX-License-Identifier: Apache-2.0
"""A control group of the cluster's own, in every hierarchy the machine has: v1, v2 or both.

A cgroup namespace then makes it the root, so kubelet believes the machine is its own and touches nothing beside it.
"""
import os
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def hierarchies() -> list:
    """The root of each mounted hierarchy: one on v2, one a controller on v1."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return [path for path in sorted(ROOT.iterdir()) if path.is_dir() and not path.is_symlink() and (path / "cgroup.procs").exists()]


def create(name: str) -> None:
    for root in hierarchies():
        group = root / name
        group.mkdir()
        if root.name == "cpuset":
            for setting in ("cpuset.cpus", "cpuset.mems"):  # v1 starts them empty, and an empty set admits nobody
                (group / setting).write_text((root / setting).read_text())
            (group / "cgroup.clone_children").write_text("1")


def join(name: str) -> None:
    """Moves the calling process."""
    for root in hierarchies():
        (root / name / "cgroup.procs").write_text(str(os.getpid()))


def remove(name: str) -> bool:
    """Removes the groups once their processes are gone; False when some would not go within five seconds."""
    for _ in range(50):
        left = [root / name for root in hierarchies() if (root / name).exists()]
        if not left:
            return True
        for group in left:
            for folder, _, _ in os.walk(group, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass  # a process is still ending in it: next round
        time.sleep(0.1)
    return False
