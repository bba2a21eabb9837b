# SPDX-License-Identifier: Apache-2.0
"""Many sessions on one pod, and what they leave: wrong codes, processes, descriptors, memory, slowness."""
import statistics
from dataclasses import dataclass

from helpers import footprint
from helpers.processes import Processes

CODE = 7
PROGRAM = ("sh", "-c", f"exit {CODE}")
WARM_UP = 200  # sessions before anything is compared: heaps and tables reach their size
EDGE = 100     # sessions at each end whose medians are compared

# A hundred sessions beside another load vary by less than this; a table that grows with every session does not stay below it.
SLOWER_MAX = 2.0
# A byte a session would be 14 KiB in the long form; what a heap keeps of its largest moment is more.
GREW_MAX_KIB = 256


@dataclass(frozen=True)
class Round:
    count: int
    parallel: int


LONG = (Round(10000, 2), Round(4000, 16))
SHORT = (Round(400, 2), Round(200, 16))


@dataclass
class Report:
    lines: list
    complaints: list

    def check(self, good: bool, text: str) -> None:
        self.lines.append(f"{'ok ' if good else 'BAD'} {text}")
        if not good:
            self.complaints.append(text)


def one_round(report: Report, run, size: Round, judge_time: bool) -> None:
    """run(count, parallel) opens the sessions and gives their Laps."""
    laps = run(size.count, size.parallel)
    wrong = [code for code in laps.codes if code != CODE]
    what = f"{size.count} sessions, {size.parallel} at a time"
    report.check(not wrong and len(laps.codes) == size.count,
                 f"{what}: {len(wrong)} with another code than {CODE}{f' ({sorted(set(wrong))})' if wrong else ''}")
    first, last = (statistics.median(part) for part in (laps.milliseconds[:EDGE], laps.milliseconds[-EDGE:]))
    report.check(not judge_time or last <= first * SLOWER_MAX,
                 f"{what}: median of the first {EDGE} {first:.2f} ms, of the last {last:.2f} ms, ratio {last / first:.2f} "
                 f"(at most {SLOWER_MAX:.1f}); {laps.per_second:.0f} sessions/s")


def compare(report: Report, pod, names: list, before: dict) -> None:
    after = footprint.settled(pod)
    left = sorted(process.name for process in Processes(pod).list())
    report.check(left == names, f"processes in the pod: {len(names)} before, {len(left)} after{'' if left == names else f': {left}'}")
    for role, old in before.items():
        new = after.get(role)
        if new is None or new.pid != old.pid:
            report.check(False, f"{role} is not the process that it was")
            continue
        report.check(new.fds == old.fds, f"{role}: {old.fds} descriptors before, {new.fds} after")
        report.check(new.written - old.written <= GREW_MAX_KIB,
                     f"{role}: {old.written} KiB written to before, {new.written} after (at most {GREW_MAX_KIB} more); PSS {old.pss} and {new.pss}")


def soak(pod, run, rounds, judge_time: bool = True) -> Report:
    """judge_time is off where other work shares the machine: then the times are told, and only what is left is judged."""
    report = Report([], [])
    # Both widths, so that each table has had its largest size.
    run(WARM_UP, max(size.parallel for size in rounds))
    before = footprint.settled(pod)
    names = sorted(process.name for process in Processes(pod).list())
    for size in rounds:
        one_round(report, run, size, judge_time)
    compare(report, pod, names, before)
    return report
