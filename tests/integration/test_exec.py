# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 6: running programs in the sandbox."""
import os
import time

import pytest

from helpers.processes import Processes


def test_EX1_streams_and_exit_code(pod):
    result = pod.run("sh", "-c", "echo o; echo e >&2; exit 7")
    assert (result.stdout, result.stderr, result.code, result.close_code) == (b"o\n", b"e\n", 7, 1000)


def test_EX2_what_is_a_terminal(pod):
    probe = "for n in 0 1 2; do [ -t $n ] && printf T || printf N; done"
    assert pod.shell(probe).out == "NNN"
    assert pod.shell(probe, tty=True).out == "TTT"


def test_EX3_stdin(pod):
    data = os.urandom(4 << 20)
    result = pod.client.exec(["cat"], data=data)
    assert result.stdout == data
    assert pod.client.exec(["sh", "-c", "cat; echo end"], data=b"sentinel\n").out == "sentinel\nend\n"
    assert pod.client.exec(["od", "-An", "-tx1"], data=b"a\0b\0").out.split() == ["61", "00", "62", "00"]


def test_EX4_stdin_is_never_closed(pod):
    start = time.monotonic()
    stream = pod.client.open(["echo", "hi"], stdin=True)
    assert stream.finish(10).out == "hi\n"
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("login", [True, False])
def test_EX5_arguments_as_they_are(pod, login):
    words = ["two words", "quote's \"double\"", "$(id)", "`id`", "new\nline", "ünïcödé ☃", "*", "", "-n", "--", "\\", "!1", "a;b|c>d"]
    result = pod.run("python3", "-c", "import sys; print(repr(sys.argv[1:]))", *words, login=login)
    assert result.out == f"{words!r}\n"


def test_EX7_client_goes_away(pod):
    stream = pod.client.open(["sh", "-c", "sleep 701 & setsid sleep 702 & wait"])
    Processes(pod).wait_for("sleep 70", 2)
    stream.drop()
    Processes(pod).wait_for("sleep 70", 0)


@pytest.mark.parametrize("name, code", [("KILL", 137), ("TERM", 143), ("SEGV", 139)])
@pytest.mark.parametrize("login", [True, False])
def test_EX8_signals(pod, name, code, login):
    assert pod.run("bash", "-c", f"kill -{name} $$", login=login).code == code


@pytest.mark.parametrize("login", [True, False])
def test_EX9_what_cannot_run(pod, login):
    missing = pod.run("no-such-program", login=login)
    assert missing.code == 127
    assert "no-such-program" in missing.err + missing.message
    assert pod.run("/etc/hostname", login=login).code == 126


def test_EX9_bad_working_directory(pod):
    result = pod.run("true", workdir="/not/there")
    assert result.status["status"] == "Failure"
    assert "/not/there" in result.err + result.message


def test_EX12_resize(pod):
    stream = pod.client.open(["sh", "-c", "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.1; done"], tty=True, stdin=True)
    stream.resize(80, 24)
    stream.read_until(b"ready")
    stream.resize(120, 40)
    assert b"40 120" in stream.read_until(b"40 120")
    stream.finish()


def test_EX14_grandchild_keeps_stdout(pod):
    start = time.monotonic()
    result = pod.shell("sleep 30 & echo x")
    assert (result.out, result.code) == ("x\n", 0)
    assert time.monotonic() - start < 3


def test_EX15_login_shell_or_not(pod):
    pod.shell("echo 'export FROM_PROFILE=yes; echo noise' > ~/.profile")
    try:
        assert pod.run("sh", "-c", "echo [$FROM_PROFILE]").out == "noise\n[yes]\n"
        assert pod.run("sh", "-c", "echo [$FROM_PROFILE]", login=False).out == "[]\n"
        # kubectl cp: what a profile prints must not stand in the archive.
        assert not pod.run("tar", "cf", "-", "/sandbox/.bashrc").stdout.startswith(b"noise")
        assert pod.run("test", "-d", "/sandbox").out == ""
    finally:
        pod.shell("rm ~/.profile", login=False)


def test_EX17_sessions_are_independent(pod):
    slow = pod.client.open(["sh", "-c", "echo begun; sleep 3; echo done"])
    slow.read_until(b"begun")
    streams = [pod.client.open(["sh", "-c", f"echo {number}; exit {number}"]) for number in range(50)]
    for number, stream in enumerate(streams):
        result = stream.finish(30)
        assert (result.out, result.code) == (f"{number}\n", number)
    assert slow.finish().out == "begun\ndone\n"


def test_EX18_without_the_token(pod):
    from helpers.remotecommand import Client, Refused
    for token in ("", "wrong", pod.node.credentials.token[:-1], pod.node.credentials.token + "x"):
        stranger = Client(pod.port, pod.name, token, pod.node.credentials.certificate)
        with pytest.raises(Refused) as refused:
            stranger.open(["touch", "/sandbox/ran"])
        assert refused.value.status == 401
    assert pod.podman_exec("workload", "ls", "/sandbox/ran").returncode != 0


def test_EX19_control_c_ends_the_foreground(pod):
    stream = pod.client.open(["bash"], tty=True, stdin=True)
    stream.stdin(b"PS1='> '; echo up\n")
    stream.read_until(b"\rup\r\n")
    stream.stdin(b"sleep 600\n")
    Processes(pod).wait_for("sleep 600", 1)
    stream.stdin(b"\x03")
    stream.stdin(b"echo alive-$?\nexit 3\n")
    result = stream.finish(20)
    assert "alive-130" in result.out
    assert result.code == 3
