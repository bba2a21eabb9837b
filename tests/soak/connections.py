# SPDX-License-Identifier: Apache-2.0
"""tests/soak/connections [--seconds N]: 200 connections a second through egress, of every kind and end, and what they leave in egress and the launcher."""
import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests/integration/launcher"))
sys.path.insert(0, str(TREE / "tests"))

import egress  # noqa: E402 - the paths come first

RATE = 200
LONG_SECONDS, SHORT_SECONDS = 600, 15
WARM_UP_SECONDS = 5   # heaps and tables reach their size
GREW_MAX_KIB = 256    # 2 bytes a connection would be 234 KiB in the long form
KNOWN = {"navigator-sidecar": 1}  # descriptors: it keeps the directory of the load's process in its table (known.h), in another place than the warm-up's
TOLERATED = 0.001     # of all connections, that may fail on a machine which others use too

# One connection after the other at a steady rate: through the proxy, without it, denied, to a closed port, a question for a name.
CLIENT = """
import socket, sys, time
seconds, rate = float(sys.argv[1]), int(sys.argv[2])

def through_proxy(host='web.test'):
    with socket.create_connection(('127.0.0.1', 3128), 5) as s:
        s.sendall(b'CONNECT %s:443 HTTP/1.1\\r\\n\\r\\n' % host.encode())
        return s.recv(4096)[9:12]

def transparent():
    with socket.create_connection(('database.test', 5432), 5) as s:
        return s.recv(100)[:3]

def given_up():
    with socket.create_connection(('127.0.0.1', 3128), 5) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\\1\\0\\0\\0\\0\\0\\0\\0')
        s.sendall(b'CONNECT web.te')
        return b'gone'

def closed_port():
    with socket.socket() as s:
        return s.connect_ex(('198.51.100.9', 40000))

def unknown_name():
    try: socket.getaddrinfo('data.evil.test', 443)
    except socket.gaierror: return 'unknown'

kinds = [(through_proxy, b'200'), (transparent, b'SSH'), (lambda: through_proxy('evil.test'), b'403'), (given_up, b'gone'), (closed_port, 111),
         (through_proxy, b'200'), (transparent, b'SSH'), (unknown_name, 'unknown')]
done = wrong = 0
begun = time.monotonic()
while (now := time.monotonic() - begun) < seconds:
    kind, expected = kinds[done % len(kinds)]
    try:
        if kind() != expected: wrong += 1
    except OSError: wrong += 1
    done += 1
    time.sleep(max(0, done / rate - (time.monotonic() - begun)))
print(done, wrong)
"""


@dataclass(frozen=True)
class Held:
    """What a process holds: descriptors, and memory that it has written to, in KiB."""
    fds: int
    written: int


def held(pid: int) -> Held:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return Held(len(os.listdir(f"/proc/{pid}/fd")), next(int(line.split()[1]) for line in rollup if line.startswith("Anonymous:")))


def roles(pod) -> dict:
    return {name: pid for pid, (command, _) in pod.processes().items() for name in ("navigator-egress", "navigator-sidecar") if name in command}


def settled(pids: dict) -> dict:
    """When the last connections have gone: the fewest descriptors of some seconds."""
    seen = []
    for _ in range(4):
        time.sleep(0.5)
        seen.append({name: held(pid) for name, pid in pids.items()})
    return {name: min((each[name] for each in seen), key=lambda h: h.fds) for name in pids}


def soak(pod, seconds: float, rate: int = RATE) -> tuple:
    """(what was seen, a line each; what is wrong with it)"""
    gateway = pod.gateway()

    def load(length):
        session = gateway.run(["/usr/bin/python3", "-c", CLIENT, str(length), str(rate)], flags=0b1110, limit=length + 60)
        assert session.code == 0, session
        return tuple(map(int, session.out.split()))

    lines, complaints = [], []

    def check(good, text):
        lines.append(f"{'ok ' if good else 'BAD'} {text}")
        if not good:
            complaints.append(text)

    load(WARM_UP_SECONDS)
    pids = roles(pod)
    before = settled(pids)
    begun = time.monotonic()
    done, wrong = load(seconds)
    per_second = done / (time.monotonic() - begun)
    check(wrong <= done * TOLERATED, f"{done} connections, {per_second:.0f}/s; {wrong} did not end as they should")
    check(roles(pod) == pids, "the processes are the same as before")
    for name, after in settled(pids).items():
        check(after.fds <= before[name].fds + KNOWN.get(name, 0), f"{name}: {before[name].fds} descriptors before, {after.fds} after")
        check(after.written - before[name].written <= GREW_MAX_KIB,
              f"{name}: {before[name].written} KiB written to before, {after.written} after (at most {GREW_MAX_KIB} more)")
    return lines, complaints


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/soak/connections", description="Connections through egress for long, and what they leave.")
    parser.add_argument("--seconds", type=float, default=LONG_SECONDS)
    parser.add_argument("--rate", type=int, default=RATE, help="connections a second (%(default)s)")
    parser.add_argument("--build", type=Path, default=TREE / "build/dev")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="navigator-soak-") as folder:
        pod = egress.start(options.build, Path(folder))
        try:
            lines, complaints = soak(pod, options.seconds, options.rate)
        finally:
            pod.world.kill()
            pod.world.wait()
            pod.destroy()
    print("\n".join(lines))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
