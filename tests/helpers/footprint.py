# SPDX-License-Identifier: Apache-2.0
"""What our processes in a pod hold: descriptors and memory, by role."""
import os
import time
from dataclasses import dataclass
from pathlib import Path

from .processes import Processes

ROLES = ("navigator-sidecar", "navigator-gateway", "navigator-egress")


@dataclass(frozen=True)
class Held:
    pid: int
    fds: int
    pss: int      # KiB: its pages, each divided by how many share it
    written: int  # KiB: anonymous memory, where a leak shows; pages of files come and go with use


def held_by(pid: int) -> Held:
    lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    sizes = {words[0].rstrip(":"): int(words[1]) for words in lines}
    return Held(pid, len(os.listdir(f"/proc/{pid}/fd")), sizes["Pss"], sizes["Anonymous"])


def of(pod) -> dict:
    """Role -> Held; a role that does not run is not in it."""
    found = {}
    for process in Processes(pod).list():
        for role in ROLES:
            if process.name == role[:15]:  # as much of a name as the kernel keeps
                found.setdefault(role, held_by(process.pid))
    return found


def settled(pod, seconds: float = 10) -> dict:
    """The same, once the number of the pod's processes has not changed for half a second: what ends is given a moment to do so."""
    deadline = time.monotonic() + seconds
    count, since = -1, time.monotonic()
    while time.monotonic() < min(deadline, since + 0.5):
        now = len(Processes(pod).list())
        if now != count:
            count, since = now, time.monotonic()
        time.sleep(0.05)
    return of(pod)
