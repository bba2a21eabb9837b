# SPDX-License-Identifier: Apache-2.0
"""What is measured beside what, and the goals. A run is rounds, each of which measures everything, so that what else the machine
does at some moment weighs on all alike; a figure is the median of all runs of its kind."""
import time
from dataclasses import dataclass, field
from typing import Callable

from bench import sshd
from helpers import footprint
from local.progress import Failure

ROUNDS = 16
RUNS = 25       # of each kind in a round
SLOW_RUNS = 4   # of the kinds that take tens of milliseconds
PARALLEL = 16
IDLE_SECONDS = 7 # the gateway lets go of what it does not need when nobody has been there for 5 s
PARALLEL_RUNS = 400

BASH = ("bash", "-lc", "true")
TRUE = ("true",)


@dataclass(frozen=True)
class Figure:
    """One line of the table: name is what --json calls it."""
    name: str
    text: str
    measure: Callable # a count -> Laps
    runs: int = RUNS


@dataclass(frozen=True)
class Goal:
    text: str
    value: Callable # medians -> what was measured
    limit: float
    at_least: bool = False

    def met(self, medians: dict) -> bool:
        value = self.value(medians)
        return value >= self.limit if self.at_least else value <= self.limit


GOALS = (
    Goal("session without login beyond the bare one, ms (unix socket)", lambda m: m["session_unix"] - m["bare"], 1.0),
    Goal("session without login, of sshd's time (unix socket)", lambda m: m["session_unix"] / m["sshd"], 1.0),
    Goal("session without login, of sshd's time (TLS)", lambda m: m["session_tls"] / m["sshd"], 1.0),
    Goal("login shell, of sshd's time for the same (unix socket)", lambda m: m["login_unix"] / m["sshd_login"], 1.0),
    Goal("login shell, of sshd's time for the same (TLS)", lambda m: m["login_tls"] / m["sshd_login"], 1.0),
    Goal("runc exec, in sessions without login", lambda m: m["runc_exec"] / m["session_unix"], 10.0, True),
    Goal(f"sessions a second, {PARALLEL} at a time (unix socket, connecting included)", lambda m: m["parallel_unix"], 1000.0, True),
    Goal("PSS of all our processes when idle, KiB", lambda m: m["pss"], 8192),
)


@dataclass
class Outcome:
    medians: dict = field(default_factory=dict)  # name -> ms, sessions a second, or KiB
    best: dict = field(default_factory=dict)     # name -> ms that nine of ten runs exceed
    goals: list = field(default_factory=list)    # (text, value, limit, met)
    processes: dict = field(default_factory=dict)


def figures(pod, server, stopwatch) -> list:
    container = pod.engine.run("inspect", "--format", "{{.Id}}", pod.container("workload")).stdout.strip()
    runc = ["runc", "exec", container, "true"]
    podman = ["env", f"CONTAINERS_CONF={pod.engine.configuration}", *pod.engine.command("exec", pod.container("workload"), "true")]
    environment = sshd.environment(server.home)
    return [
        Figure("bare", "true: a bare process", lambda n: stopwatch.spawn(TRUE, n, environment=environment)),
        Figure("session_unix", "true: session, login=false, unix socket", lambda n: stopwatch.local_session(pod, TRUE, n)),
        Figure("session_tls", "true: session, login=false, TLS", lambda n: stopwatch.tls_session(pod, TRUE, n)),
        Figure("sshd", f"true: sshd, connection up ({sshd.shell()} -c true)", lambda n: stopwatch.multiplex(server.control, TRUE, n)),
        Figure("bare_login", "bash -lc true: a bare process", lambda n: stopwatch.spawn(BASH, n, environment=environment)),
        Figure("login_unix", "true: session in a login shell, unix socket", lambda n: stopwatch.local_session(pod, TRUE, n, login=True)),
        Figure("login_tls", "true: session in a login shell, TLS", lambda n: stopwatch.tls_session(pod, TRUE, n, login=True)),
        Figure("sshd_login", "bash -lc true: sshd, connection up", lambda n: stopwatch.multiplex(server.control, BASH, n)),
        Figure("runc_exec", "true: runc exec", lambda n: stopwatch.spawn(runc, n), SLOW_RUNS),
        Figure("podman_exec", "true: podman exec", lambda n: stopwatch.spawn(podman, n), SLOW_RUNS),
    ]


def measure(table: list, console, rounds: int) -> dict:
    laps = {}
    for figure in table:
        figure.measure(5)  # caches, and the first page of everything
    for number in range(rounds):
        with console.step(f"round {number + 1} of {rounds}") as step:
            for figure in table:
                step.detail = figure.text
                new = figure.measure(figure.runs)
                if any(new.codes):
                    raise Failure(f"{figure.text}: exit codes {sorted(set(new.codes))}, 0 expected")
                laps[figure.name] = laps[figure.name] + new if figure.name in laps else new
    return laps


def bench(pod, server, stopwatch, console, rounds: int = ROUNDS) -> Outcome:
    with console.step(f"waiting {IDLE_SECONDS} s: the processes when idle"):
        time.sleep(IDLE_SECONDS)
        outcome = Outcome(processes=footprint.settled(pod))
    table = figures(pod, server, stopwatch)
    laps = measure(table, console, rounds)
    outcome.medians = {name: value.median for name, value in laps.items()}
    outcome.best = {name: value.best_tenth for name, value in laps.items()}
    with console.step(f"{PARALLEL} at a time"):
        outcome.medians["parallel_bare"] = stopwatch.spawn(TRUE, PARALLEL_RUNS, PARALLEL).per_second
        outcome.medians["parallel_unix"] = stopwatch.local_session(pod, TRUE, PARALLEL_RUNS, PARALLEL).per_second
        outcome.medians["parallel_tls"] = stopwatch.tls_session(pod, TRUE, PARALLEL_RUNS, PARALLEL).per_second
        outcome.medians["parallel_sshd"] = stopwatch.multiplex(server.control, TRUE, PARALLEL_RUNS, PARALLEL).per_second
    outcome.medians["pss"] = sum(held.pss for held in outcome.processes.values())
    outcome.goals = [(goal.text, goal.value(outcome.medians), goal.limit, goal.met(outcome.medians)) for goal in GOALS]
    return outcome


def print_table(outcome: Outcome, table: list, console) -> None:
    bare = outcome.medians["bare"]
    console.line(f"\n{'median ms':>10}  {'of bare':>7}  {'best 10 %':>9}")
    for name, text in table:
        value = outcome.medians[name]
        console.line(f"{value:10.2f}  {value / bare:7.1f}  {outcome.best[name]:9.2f}  {text}")
    console.line(f"\n{'a second':>10}  {PARALLEL} at a time, connecting included")
    for name, text in (("bare", "bare processes"), ("unix", "sessions, unix socket"), ("tls", "sessions, TLS"), ("sshd", "sshd, connections up")):
        console.line(f"{outcome.medians[f'parallel_{name}']:10.0f}  {text}")
    console.line(f"\n{'PSS KiB':>10}  when idle, after a session of kubectl")
    for role, held in outcome.processes.items():
        console.line(f"{held.pss:10}  {role} ({held.written} written to)")
    console.line(f"\n{'measured':>10}  {'goal':>10}")
    for (text, value, limit, met), goal in zip(outcome.goals, GOALS):
        console.line(f"{value:10.2f}  {'>=' if goal.at_least else '<='} {limit:7.0f}  {'ok ' if met else 'BAD'} {text}")
