# SPDX-License-Identifier: Apache-2.0
"""A session from its request to the end of its tree."""

import os
import re
import socket
import time

import pytest

from wire import LOGIN, PIPES, STDIN, STDOUT, TTY


def lines(session):
    return session.out.decode().split("\n")[:-1]


def test_ex1_streams_and_code(gateway):
    session = gateway.run(["sh", "-c", "echo o; echo e >&2; exit 7"])
    assert (session.out, session.err, session.code, session.signalled) == (b"o\n", b"e\n", 7, False)


@pytest.mark.parametrize("signal, code", [("KILL", 137), ("TERM", 143), ("ABRT", 134)])
def test_ex8_signals(gateway, signal, code):
    session = gateway.run(["sh", "-c", f"kill -{signal} $$"])
    assert (session.code, session.signalled) == (code, True)


def test_ex3_stdin_whole_and_binary(gateway):
    data = os.urandom(4 << 20)
    assert gateway.run(["cat"], stdin=data, limit=30).out == data


def test_ex4_stdin_never_closed(gateway):
    session = gateway.start(["echo", "hi"])
    gateway.wait_ended(session)
    assert os.read(session.fds[1], 100) == b"hi\n"
    for fd in session.fds:
        os.close(fd)


@pytest.mark.parametrize("flags", [PIPES, PIPES | LOGIN], ids=["as given", "login"])
@pytest.mark.parametrize("argument", ["a b", "'\"", "$(id)`id`", "line\nline", "ünï☃", "*", "", "-n", "a\\b", "\x1b[31m"])
def test_ex5_arguments_stay_what_they_are(gateway, flags, argument):
    session = gateway.run(["printf", "%s|%s", argument, "end"], flags=flags)
    assert session.out == (argument + "|end").encode()


@pytest.mark.parametrize("flags", [PIPES, PIPES | LOGIN], ids=["as given", "login"])
def test_ex9_not_found_and_not_executable(gateway, flags):
    for argv, code in ((["no-such-program"], 127), (["/no/such/program"], 127), (["/etc/passwd"], 126)):
        session = gateway.run(argv, flags=flags)
        assert session.code == code, session
        assert (session.refusal is None) == bool(flags & LOGIN)


def test_ex9_working_directory(gateway):
    assert lines(gateway.run(["pwd"])) == ["/sandbox"]
    assert lines(gateway.run(["pwd"], directory="/tmp")) == ["/tmp"]
    session = gateway.run(["pwd"], directory="/root")
    assert session.step == "directory" and "'/root'" in session.refusal
    assert "absolute" in gateway.run(["pwd"], directory="tmp").refusal


def test_ex10_callers_environment(gateway):
    assert lines(gateway.run(["printenv", "A"], env=["A=1"])) == ["1"]
    assert "1A" in gateway.run(["true"], env=["1A=1"]).refusal
    assert "reserved" in gateway.run(["true"], env=["NAVIGATOR_X=1"]).refusal
    assert gateway.run(["true"], env=[f"V{i}=x" for i in range(128)]).code == 0


def test_ex11_bounds(gateway):
    assert "bytes" in gateway.run(["echo", "x" * (32 * 1024 + 1)]).refusal
    assert gateway.run(["echo"] + ["x"] * 1023, flags=PIPES).code == 0


def test_ex14_background_child_does_not_hold_the_exit(gateway):
    begin = time.monotonic()
    session = gateway.run(["sh", "-c", "sleep 30 & echo x"])
    assert session.out == b"x\n" and session.code == 0
    assert time.monotonic() - begin < 2


def test_ex14_not_even_one_that_ignores_the_hangup(gateway, shared):
    session = gateway.run(["sh", "-c", "trap '' HUP; (setsid sh -c 'sleep 31' &) ; echo x"])
    assert session.code == 0
    assert not any("sleep 31" in command for command, _ in shared.processes().values())


def test_ex6_stop_ends_the_whole_tree_within_a_second(gateway, shared):
    session = gateway.start(["sh", "-c", "trap '' HUP TERM; for i in 1 2 3; do (setsid sh -c 'trap \"\" HUP; sleep 32' &); done; echo up; sleep 33"])
    gateway.wait_started(session)
    assert os.read(session.fds[1], 10) == b"up\n"
    begin = time.monotonic()
    gateway.stop(session, "deadline")
    gateway.wait_ended(session)
    assert time.monotonic() - begin < 1
    assert session.signalled
    assert not shared.sandboxed()
    assert [line for line in shared.audit() if line["event"] == "session_end"][-1]["reason"] == "deadline"


def test_fork_bomb_ends(make_pod):
    pod = make_pod(handover=["--limit", "6:120:120"])  # RLIMIT_NPROC
    pod.start()
    gateway = pod.gateway()
    bomb = "import os, signal, time\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\nwhile True:\n  try: os.fork() or os.setsid()\n  except OSError: pass\n  time.sleep(0.002)\n"
    session = gateway.start(["python3", "-c", bomb], flags=PIPES)
    gateway.wait_started(session)
    time.sleep(0.5)
    assert len(pod.sandboxed()) > 80
    gateway.stop(session)
    gateway.wait_ended(session, 20)
    assert not pod.sandboxed()


def test_ex15_login_shell_reads_its_profile(gateway):
    assert lines(gateway.run(["printenv", "PROFILE_WAS_READ"])) == ["yes"]
    assert gateway.run(["printenv", "PROFILE_WAS_READ"], flags=PIPES).out == b""


def test_en_environment(gateway):
    session = gateway.run(["env"], flags=PIPES, env=["A=1"])
    environment = dict(line.split("=", 1) for line in lines(session))
    proxies = {name: value for name, value in environment.items() if "proxy" in name.lower()}
    assert {environment.pop(name) for name in proxies} == {"http://127.0.0.1:3128", "127.0.0.1,localhost,::1", "1"}
    assert environment == {
        "PATH": "/sandbox/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "FROM_IMAGE": "yes",
        "TERM": "dumb",
        "HOME": "/sandbox",
        "USER": "sandbox",
        "LOGNAME": "sandbox",
        "SHELL": "/bin/bash",
        "A": "1",
    }


def test_ex2_and_pr16_terminal(gateway):
    script = "tty; stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo TTT; echo again > /dev/stdout; echo tty > $(tty); stat -c '%U %a' $(tty); printenv TERM"
    session = gateway.run(["sh", "-c", script], flags=PIPES | LOGIN | TTY, rows=40, columns=120)
    out = session.out.decode().replace("\r", "").split("\n")
    assert re.match(r"/dev/pts/\d+$", out[0])
    assert out[1:7] == ["40 120", "TTT", "again", "tty", "sandbox 620", "xterm"]


def test_pr16_pipes_belong_to_the_user(gateway):
    session = gateway.run(["sh", "-c", "echo o > /dev/stdout; echo e > /dev/stderr; cat /dev/stdin"], stdin=b"in\n")
    assert (session.out, session.err) == (b"o\nin\n", b"e\n")


def test_streams_nobody_asked_for(gateway):
    session = gateway.run(["sh", "-c", "cat; echo o; echo e >&2"], flags=STDOUT | LOGIN)
    assert session.out == b"o\n" and session.code == 0
    assert len(session.fds) == 1
    session = gateway.run(["cat"], flags=STDIN, stdin=b"x")
    assert session.code == 0


def test_en12_bare_shell_with_a_terminal_is_a_login_shell(gateway):
    session = gateway.start(["bash"], flags=PIPES | LOGIN | TTY)
    gateway.wait_started(session)
    os.write(session.fds[0], b"shopt -q login_shell && echo log''in; exit 3\n")
    gateway.wait_ended(session)
    out = b""
    try:
        while chunk := os.read(session.fds[0], 4096):
            out += chunk
    except OSError:
        pass
    os.close(session.fds[0])
    assert b"login" in out and session.code == 3


def test_pr_confinement_of_the_process(gateway, shared):
    status = dict(line.split(":\t", 1) for line in lines(gateway.run(["cat", "/proc/self/status"], flags=PIPES)))
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert status["Uid"].split() == ["1000"] * 4 and status["Groups"].split() in ([], ["1000"])
    assert status["SigBlk"] == status["SigIgn"] == "0" * 16
    assert status["Umask"] == "0022"


def test_pr8_descriptors(gateway):
    assert lines(gateway.run(["ls", "/proc/self/fd"], flags=PIPES)) == ["0", "1", "2", "3"]


def test_pr11_namespaces(gateway, shared):
    names = "mnt pid net ipc uts cgroup user".split()
    theirs = {name: os.readlink(f"/proc/{shared.workload}/ns/{name}") for name in names}
    script = "readlink " + " ".join(f"/proc/self/ns/{name}" for name in names)
    first, second = (dict(zip(names, lines(gateway.run(["sh", "-c", script])))) for _ in range(2))
    assert first == second
    assert first.pop("net") != theirs.pop("net")
    assert first == theirs


def test_pr10_cgroup(gateway, shared):
    def by_controller(text):
        return {line.split(":")[1]: line.split(":")[2] for line in text.splitlines()}

    with open(f"/proc/{shared.workload}/cgroup", encoding="ascii") as file:
        theirs = by_controller(file.read())
    ours = by_controller(gateway.run(["cat", "/proc/self/cgroup"]).out.decode())
    assert {name: path for name, path in ours.items() if name} == {name: path for name, path in theirs.items() if name}


def test_fs_rules(gateway, shared):
    def fails(script):
        session = gateway.run(["sh", "-c", script])
        return session.code != 0 and (b"denied" in session.err or b"Read-only" in session.err or b"not permitted" in session.err)

    assert fails("echo x > /usr/x") and fails("ls /opt") and fails("cat /opt/readable") and fails("ls /root")
    assert fails("echo x > /home/sandbox/x")
    assert fails("cat /proc/1/root/etc/hostname")
    script = "mkdir -p a b; echo 1 > a/f; mv a/f b/f; ln b/f a/g; mkfifo p; ln -s p q; cat b/f; cp /bin/true /tmp/t; /tmp/t; rm -r a b p q /tmp/t; echo x > /dev/null; head -c1 /dev/urandom > /dev/null"
    assert gateway.run(["bash", "-ec", script]).code == 0


def test_pr14_no_zombies(gateway, shared):
    for _ in range(50):
        gateway.run(["true"], flags=PIPES)
    time.sleep(0.1)
    states = [open(f"/proc/{pid}/stat", encoding="utf-8").read().rsplit(")", 1)[1].split()[0] for pid in shared.processes()]
    assert "Z" not in states


def test_connect_reaches_the_sandbox_only(gateway, shared):
    answer = gateway.connect(9)  # a refusal, or a socket that is about to say so
    if isinstance(answer, int):
        time.sleep(0.1)
        with socket.socket(fileno=answer) as unconnected:
            answer = os.strerror(unconnected.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    assert "refused" in answer
    program = "import socket; s = socket.create_server(('127.0.0.1', 4711)); print('up', flush=True); c = s.accept()[0]; c.sendall(b'hello'); c.close()"
    session = gateway.start(["python3", "-c", program], flags=PIPES)
    gateway.wait_started(session)
    assert os.read(session.fds[1], 10) == b"up\n"
    fd = gateway.connect(4711)
    time.sleep(0.1)
    assert os.read(fd, 10) == b"hello"
    os.close(fd)
    gateway.wait_ended(session)
