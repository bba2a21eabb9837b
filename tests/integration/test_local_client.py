# SPDX-License-Identifier: Apache-2.0
"""`navigator exec` and the programs that are links to it, against the real gateway's local socket."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from helpers.launcher import LOGIN, STDERR, STDIN, STDOUT, TTY, Launcher


@pytest.fixture(scope="module")
def launcher(gateway_program, tmp_path_factory):
    with Launcher(gateway_program, tmp_path_factory.mktemp("local"), pod=("team", "agent")) as running:
        yield running


@pytest.fixture
def navigator(launcher, programs):
    def run(*words, data=b"", **options):
        return subprocess.run([programs / "navigator", words[0], "--socket", launcher.socket_path, *words[1:]], input=data, capture_output=True,
                              timeout=60, check=False, **options)
    return run


@pytest.fixture
def as_program(launcher, programs, tmp_path):
    """The program under another name, where the socket is at its place."""
    inside = "mkdir -p /run/navigator && mount --bind \"$1\" /run/navigator && PATH=$2:$PATH && shift 2 && exec \"$@\""

    def command(name, *words):
        link = tmp_path / name
        if not link.exists():
            link.symlink_to(programs / "navigator")
        return ["unshare", "--mount", "sh", "-c", inside, "sh", launcher.folder, tmp_path, name, *words]
    return command


def test_streams_apart_and_exit_code(launcher, navigator):
    result = navigator("exec", "--", "sh", "-c", "echo o; echo e >&2; exit 7")
    assert (result.returncode, result.stdout, result.stderr) == (7, b"o\n", b"e\n")
    assert launcher.requests[-1].flags == STDIN | STDOUT | STDERR | LOGIN
    assert launcher.requests[-1].source == "unix"


def test_options(launcher, navigator):
    result = navigator("exec", "--container", "workload", "--workdir", "/", "--no-login", "pwd")
    assert (result.returncode, result.stdout) == (0, b"/\n")
    assert launcher.requests[-1].container == "workload" and not launcher.requests[-1].flags & LOGIN
    assert navigator("exec", "--timeout", "1", "sleep", "100").returncode == 124
    result = navigator("exec", "--container", "other", "true")
    assert result.returncode == 125 and b"container other is not valid" in result.stderr


def test_a_terminal_where_there_is_none(launcher, navigator):
    result = navigator("exec", "--tty", "sh", "-c", "[ -t 0 ] && [ -t 1 ] && echo yes")
    assert (result.returncode, result.stdout) == (0, b"yes\r\n")


def test_arguments_as_they_are(navigator):
    words = ["a b", "c\"d'", "$(id)", "e\nf", "ü", "", "&x=y", "%00", "+"]
    assert navigator("exec", "--", "printf", "%s|", *words).stdout.decode() == "".join(f"{word}|" for word in words)


def test_stdin_both_ways(navigator):
    data = os.urandom(8 << 20)
    assert navigator("exec", "cat", data=data).stdout == data


def test_a_slow_reader_is_waited_for(launcher, programs):
    child = subprocess.Popen([programs / "navigator", "exec", "--socket", launcher.socket_path, "head", "-c", "30000000", "/dev/zero"], stdout=subprocess.PIPE)
    time.sleep(1)
    assert len(child.stdout.read()) == 30_000_000
    assert child.wait(10) == 0


def test_refused(launcher, navigator):
    launcher.refusals["refused"] = {"text": "cannot restrict files: no Landlock"}
    result = navigator("exec", "refused")
    assert (result.returncode, result.stderr) == (125, b"navigator: cannot restrict files: no Landlock\n")
    assert navigator("exec", "/no/such").returncode == 127


def test_no_gateway(programs):
    result = subprocess.run([programs / "navigator", "exec", "--socket", "/nonexistent/socket", "id"], capture_output=True, text=True, check=False, timeout=10)
    assert result.returncode == 125 and "cannot reach the sandbox's gateway" in result.stderr


def test_the_gateway_dies(gateway_program, programs, tmp_path):
    with Launcher(gateway_program, tmp_path) as launcher:
        child = subprocess.Popen([programs / "navigator", "exec", "--socket", launcher.socket_path, "sleep", "100"], stderr=subprocess.PIPE)
        while not launcher.requests:
            time.sleep(0.01)
        launcher.process.kill()
        assert child.wait(10) == 125
        assert b"ended before the session did" in child.stderr.read()


def test_killed_is_a_hangup(launcher, programs):
    count = len(launcher.requests)
    child = subprocess.Popen([programs / "navigator", "exec", "--socket", launcher.socket_path, "sleep", "100"])
    while len(launcher.requests) == count:
        time.sleep(0.01)
    child.kill()
    child.wait()
    assert launcher.requests[-1].ended.wait(5)
    assert launcher.requests[-1].stopped == "client gone"


def test_by_the_name_of_a_program(launcher, as_program):
    result = subprocess.run(as_program("bash", "-c", "echo $0 $1; cat; exit 9", "x", "a b"), input=b"in", capture_output=True, timeout=20, check=False)
    assert (result.returncode, result.stdout) == (9, b"x a b\nin")
    assert launcher.requests[-1].arguments[0] == b"bash"
    assert launcher.requests[-1].flags == STDIN | STDOUT | STDERR | LOGIN


def test_a_terminal_within_a_terminal(launcher, as_program):
    """As with kubectl exec -it into the sidecar: the runtime's terminal outside, the sandbox's inside."""
    outer, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 90, 0, 0))
    settings = termios.tcgetattr(slave)
    child = subprocess.Popen(as_program("sh", "-i"), stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env={**os.environ, "TERM": "vt220"},
                             preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    seen = b""

    def wait_for(pattern):
        nonlocal seen
        deadline = time.monotonic() + 15
        while not re.search(pattern, seen):
            assert time.monotonic() < deadline, f"{pattern!r} not in {seen!r}"
            if select.select([outer], [], [], 0.1)[0]:
                seen += os.read(outer, 65536)

    try:
        wait_for(rb"[$#] $")
        os.write(outer, b"stty size; echo is $TERM\r")
        wait_for(rb"25 90\r\nis vt220")
        assert launcher.requests[-1].flags & TTY
        fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        os.killpg(child.pid, signal.SIGWINCH)
        time.sleep(0.3)  # signal, message and pty have no event in common to wait for
        os.write(outer, b"stty size\r")
        wait_for(rb"40 120")
        os.write(outer, b"sleep 100\r")
        time.sleep(0.3)
        os.write(outer, b"\x03")
        os.write(outer, b"echo was $?\r")
        wait_for(rb"was 130")
        os.write(outer, b"exit 5\r")
        assert child.wait(10) == 5
        assert termios.tcgetattr(slave) == settings
    finally:
        child.kill()
        child.wait()
        os.close(slave)
        os.close(outer)
