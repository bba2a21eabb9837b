# SPDX-License-Identifier: Apache-2.0
"""The exec endpoint by itself: the real gateway under a launcher that runs plain processes (helpers/launcher.py).

The same rows of the acceptance list are asked of a whole pod in test_exec.py and test_clients.py; here the protocol is looked at closely, and without a
container.
"""
import base64
import contextlib
import fcntl
import hashlib
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import pytest

from helpers.launcher import LOGIN, STDERR, STDOUT, Launcher
from helpers.remotecommand import STATUS, STDOUT as STDOUT_CHANNEL, Refused


@pytest.fixture(scope="module")
def launcher(gateway_program, tmp_path_factory):
    with Launcher(gateway_program, tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(params=["tls", "unix"])
def client(launcher, request):
    return launcher.client() if request.param == "tls" else launcher.local_client()


def wait_for(what, seconds: float = 5):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def begin(launcher, client, *argv, **options):
    """A session, and what the launcher knows of it once its program runs."""
    count = len(launcher.requests)
    stream = client.open(list(argv), **options)
    wait_for(lambda: len(launcher.requests) > count)
    request = launcher.requests[-1]
    wait_for(lambda: request.process or launcher.start_delay)
    return stream, request


# --- kubectl ---

def test_CL1_kubectl_streams_apart_and_exit_code(launcher):
    result = launcher.kubectl("exec", "demo", "--", "sh", "-c", "echo o; echo e >&2; exit 7")
    assert (result.returncode, result.stdout) == (7, b"o\n")
    assert result.stderr == b"e\ncommand terminated with exit code 7\n"


@pytest.mark.parametrize("code", [0, 1, 126, 255])
def test_CL1_kubectl_exit_codes(launcher, code):
    assert launcher.kubectl("exec", "demo", "--", "sh", "-c", f"exit {code}").returncode == code


def test_CL1_kubectl_stdin_both_ways_intact(launcher):
    data = os.urandom(8 << 20)
    result = launcher.kubectl("exec", "-i", "demo", "--", "cat", data=data)
    assert result.stdout == data and result.returncode == 0


def test_CL1_kubectl_through_a_proxy_prefix(launcher):
    result = launcher.kubectl("exec", "demo", "--", "echo", "there", prefix="/api/v1/namespaces/default/pods/https:demo:8443/proxy")
    assert result.stdout == b"there\n"


def test_CL3_kubectl_cp_both_ways(launcher, tmp_path):
    (tmp_path / "from").mkdir()
    data = os.urandom(3 << 20)
    (tmp_path / "from/file").write_bytes(data)
    (tmp_path / "from/link").symlink_to("file")
    assert launcher.kubectl("cp", str(tmp_path / "from"), f"demo:{tmp_path}/there").returncode == 0
    assert (tmp_path / "there/file").read_bytes() == data
    assert os.readlink(tmp_path / "there/link") == "file"
    assert launcher.kubectl("cp", f"demo:{tmp_path}/there/file", str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back").read_bytes() == data
    assert not any(request.flags & LOGIN for request in launcher.requests if request.arguments[0] in (b"tar", b"test"))


def test_CL6_kubectl_with_a_wrong_token(launcher):
    count = len(launcher.requests)
    result = launcher.kubectl("exec", "demo", "--", "id", token="wrong-token-wrong-token")
    assert result.returncode == 1
    assert b"Unauthorized" in result.stderr or b"provide credentials" in result.stderr # said to its call, or before to its discovery
    assert len(launcher.requests) == count


class Terminal:
    """kubectl exec -it on a pty of its own."""

    def __init__(self, launcher, *argv, columns=90, rows=25):
        self.fd, slave = pty.openpty()
        self.resize(columns, rows, slave)
        self.seen = b""
        self.process = subprocess.Popen(["kubectl", "exec", "-it", "demo", "--", *argv], env=launcher.environment(), stdin=slave, stdout=slave,
                                        stderr=slave, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)

    def resize(self, columns, rows, fd=None):
        fcntl.ioctl(self.fd if fd is None else fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, pattern, seconds=15):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            assert time.monotonic() < deadline, f"{pattern!r} not in {self.seen!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 65536)
                except OSError:
                    break
        assert re.search(pattern, self.seen), f"{pattern!r} not in {self.seen!r}"

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


def test_CL2_kubectl_in_a_terminal(launcher):
    terminal = Terminal(launcher, "bash", "--norc", "-i")
    try:
        terminal.type("tty; stty size; echo TERM=$TERM\r")
        terminal.wait_for(rb"25 90")
        terminal.wait_for(rb"TERM=xterm")
        terminal.resize(120, 40)
        os.killpg(terminal.process.pid, signal.SIGWINCH)
        time.sleep(0.5)  # the signal, kubectl's message and the pty have no event in common to wait for
        terminal.type("stty size\r")
        terminal.wait_for(rb"40 120")
        terminal.type("sleep 1000\r")
        time.sleep(0.3)
        terminal.type("\x03")
        terminal.type("echo was $?\r")
        # The prompt too: a Ctrl-D typed before readline has left the canonical mode is read as NUL, on any terminal.
        terminal.wait_for(rb"was 130\r\n[^\r\n]*[#$] ")
        terminal.type("\x04")
        assert terminal.process.wait(10) == 0
    finally:
        terminal.close()


# --- the request ---

def test_request_arrives_as_asked(launcher):
    result = launcher.client().exec(["printf", "%s|", "a b", "c\"d'", "$(id)", "e\nf", "ü", ""], workdir="/", env=["A=1", "B=x=y z"], container="workload")
    request = launcher.requests[-1]
    assert result.out == "a b|c\"d'|$(id)|e\nf|ü||"
    assert request.directory == "/" and request.container == "workload"
    assert request.environment == [b"A=1", b"B=x=y z"]
    assert request.flags == STDOUT | STDERR | LOGIN
    assert (request.caller, request.source) == ("token", "tls")


def test_a_local_caller_is_known_by_the_kernel(launcher):
    launcher.local_client().exec(["true"])
    assert launcher.requests[-1].caller.startswith(f"local:uid={os.getuid()},pid=")
    assert launcher.requests[-1].source == "unix"


@pytest.mark.parametrize("argv, options, login", [
    (["true"], {}, True), (["true"], {"login": False}, False), (["tar", "cf", "-", "x"], {}, False), (["test", "-d", "x"], {}, False),
    (["sh", "-c", "tar cf - '/x' | tail -c+1"], {}, False), (["sh", "-c", "true"], {}, True), (["/bin/tar", "--version"], {}, True)])
def test_EX15_login(launcher, argv, options, login):
    launcher.client().exec(argv, **options)
    assert bool(launcher.requests[-1].flags & LOGIN) == login


REFUSED_QUERIES = [
    ("stdout=true", 400, "command"),
    ("command=&stdout=true", 400, "command"),
    ("command=true", 400, "at least one of"),
    ("command=true&stdout=false&stdin=0", 400, "at least one of"),
    ("command=%00&stdout=true", 400, "NUL"),
    ("command=%4&stdout=true", 400, "%"),
    ("command=true&stdout=true&tty=true&tty=true", 400, "twice"),
    ("command=true&stdout=true&container=other", 400, "container other is not valid"),
    ("command=true&stdout=true&workdir=relative", 400, "workdir"),
    ("command=true&stdout=true&timeout=soon", 400, "timeout"),
    ("command=true&stdout=true&timeout=-1", 400, "timeout"),
    ("command=true&stdout=true&env=A", 400, "NAME=value"),
    ("command=true&stdout=true&env=1A=x", 400, "NAME=value"),
    ("command=true&stdout=true&env=A%20B=x", 400, "NAME=value"),
    ("command=true&stdout=true&env=NAVIGATOR_X=1", 400, "NAVIGATOR_"),
    ("command=true&stdout=true" + "&env=A=1" * 129, 413, "128"),
    ("stdout=true" + "&command=x" * 1025, 413, "1024"),
    ("command=true&stdout=true&command=" + "x" * (32 * 1024 + 1), 413, "32 KiB"),
    ("stdout=true" + ("&command=" + "x" * (32 * 1024)) * 4, 413, "128 KiB"),
    ("stdout=true" + "&x=y" * 100_000, 413, "parameters"),
]


def request_lines(launcher, method, target, **fields):
    """One request by hand; the answer's head and body."""
    connection = launcher.client().connect()
    lines = {"Host": f"127.0.0.1:{launcher.port}", "Authorization": f"Bearer {launcher.token}", "Connection": "close", **fields}
    connection.sendall(f"{method} {target} HTTP/1.1\r\n".encode() + b"".join(f"{key}: {value}\r\n".encode() for key, value in lines.items()) + b"\r\n")
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    head, body = answer.split(b"\r\n\r\n", 1)
    return head.decode(), body.decode()


UPGRADE = {"Connection": "Upgrade, close", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x" * 22 + "==",
           "Sec-WebSocket-Protocol": "v5.channel.k8s.io"}
SPDY = {"Connection": "Upgrade, close", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "v4.channel.k8s.io"}
EXEC = "/api/v1/namespaces/default/pods/demo/exec?"


@pytest.mark.parametrize("query, code, text", REFUSED_QUERIES, ids=[query[:40] for query, _, _ in REFUSED_QUERIES])
def test_refused_queries_get_the_same_status_both_ways(launcher, query, code, text):
    count = len(launcher.requests)
    for method, fields in (("GET", UPGRADE), ("POST", SPDY)):
        head, body = request_lines(launcher, method, EXEC + query, **fields)
        status = json.loads(body)
        assert head.split()[1] == str(code) == str(status["code"])
        assert status["kind"] == "Status" and text in status["message"]
    assert len(launcher.requests) == count


def test_EX11_the_most_that_is_taken(launcher):
    result = launcher.client().exec(["printf", "%s", *["x" * 100] * 1022])
    assert len(result.stdout) == 102200
    result = launcher.client().exec(["printf", "%s", "%" * 32768])
    assert len(result.stdout) == 32768


def test_EX10_128_variables(launcher):
    result = launcher.client().exec(["sh", "-c", "env | grep -c ^MANY_"], env=[f"MANY_{n}=1" for n in range(128)])
    assert result.out == "128\n"


# --- streams ---

def test_EX3_binary_stdin(client):
    data = bytes(range(256)) * 16384
    assert client.exec(["sha256sum"], data=data).out.split()[0] == hashlib.sha256(data).hexdigest()
    assert client.exec(["cat"], data=data[:65536]).stdout == data[:65536]


def test_EX4_stdin_never_closed(client):
    started = time.monotonic()
    result = client.open(["sh", "-c", "echo hi"], stdin=True).finish(10)
    assert (result.out, result.code) == ("hi\n", 0)
    assert time.monotonic() - started < 1.5


def test_EX8_killed(client):
    assert client.exec(["sh", "-c", "kill -9 $$"]).code == 137
    assert client.exec(["sh", "-c", "kill -TERM $$"]).code == 143


def test_EX9_no_such_program(client):
    result = client.exec(["/no/such/program"])
    assert result.code == 127 and "No such file" in result.err
    result = client.exec(["/"])
    assert result.code == 126 and "Permission denied" in result.err


def test_a_refusal_is_the_status_of_a_session_that_did_not_run(launcher, client):
    launcher.refusals["refused"] = {"text": "cannot restrict files: Landlock hard_requirement: '/no' is missing"}
    result = client.exec(["refused"])
    assert result.status["status"] == "Failure" and result.status["reason"] == "Forbidden" and result.status["code"] == 403
    assert result.message == "cannot restrict files: Landlock hard_requirement: '/no' is missing"
    assert result.close_code == 1000
    shown = launcher.kubectl("exec", "demo", "--", "refused")
    assert shown.returncode == 1
    assert shown.stderr == b"error: cannot restrict files: Landlock hard_requirement: '/no' is missing\n"


def test_degraded_is_said_in_the_status(launcher, client):
    launcher.sandbox = "view: private"
    try:
        for argv, code in ((["true"], 0), (["false"], 1)):
            result = client.exec(argv)
            assert result.code == code
            assert {"reason": "Sandbox", "message": "view: private"} in result.status["details"]["causes"]
        assert launcher.kubectl("exec", "demo", "--", "true").returncode == 0
    finally:
        launcher.sandbox = ""


def test_EX13_output_is_bounded_by_back_pressure(launcher, client):
    before = launcher.memory()
    stream = client.open(["head", "-c", "100M", "/dev/zero"])
    time.sleep(1)
    assert launcher.memory() - before < 4096
    sizes = []
    stream._channel = lambda channel, data: sizes.append(len(data) if channel == STDOUT_CHANNEL else 0)  # pylint: disable=protected-access
    stream.finish()
    assert sum(sizes) == 100 << 20
    assert launcher.memory() - before < 4096


def test_stdin_is_bounded_by_back_pressure(launcher, client):
    before = launcher.memory()
    stream, request = begin(launcher, client, "sleep", "100", stdin=True)
    stream.connection.settimeout(1)
    with pytest.raises(TimeoutError):
        while True:
            stream.stdin(b"x" * 32768)
    assert launcher.memory() - before < 4096
    stream.drop()
    # By TCP what waits to be read hides the end behind it: then the next pong finds out.
    wait_for(lambda: request.stopped == "client gone", 15)


def test_a_reset_while_input_waits(launcher, client):
    stream, request = begin(launcher, client, "sleep", "100", stdin=True)
    stream.connection.settimeout(1)
    with pytest.raises(TimeoutError):
        while True:
            stream.stdin(b"x" * 32768)
    stream.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.drop()
    wait_for(lambda: request.stopped == "client gone", 3)


def test_a_flood_of_pings_is_bounded(launcher, client):
    before = launcher.memory()
    stream = client.open(["sleep", "100"])
    stream.connection.settimeout(0.5)
    with pytest.raises(TimeoutError):
        for _ in range(200_000):
            stream.send_frame(9, b"x" * 125)
    assert launcher.memory() - before < 8192
    stream.drop()


def test_EX14_a_grandchild_holds_the_output(launcher, client):
    launcher.kill_tree = False
    try:
        started = time.monotonic()
        result = client.exec(["sh", "-c", "sleep 30 & echo x"])
        assert (result.out, result.code) == ("x\n", 0)
        assert 1.5 < time.monotonic() - started < 3
        result = client.exec(["sh", "-c", "yes & echo x"], seconds=10)
        assert result.code == 0
    finally:
        launcher.kill_tree = True
        for request in launcher.requests[-2:]:
            with contextlib.suppress(OSError):  # `yes` has ended with its pipe
                os.killpg(request.process.pid, signal.SIGKILL)


def test_EX14_a_slow_client_loses_nothing(client):
    stream = client.open(["sh", "-c", "head -c 1000000 /dev/zero; exit 3"])
    time.sleep(3)
    result = stream.finish()
    assert (len(result.stdout), result.code) == (1000000, 3)


def test_EX6_timeout(launcher, client):
    started = time.monotonic()
    result = client.exec(["sh", "-c", "echo begun; sleep 100 & sleep 100"], timeout="1")
    assert (result.out, result.code) == ("begun\n", 124)
    assert 0.9 < time.monotonic() - started < 2.5
    assert launcher.requests[-1].stopped == "deadline"


def test_EX7_the_client_leaves(launcher, client):
    stream, request = begin(launcher, client, "sleep", "100")
    stream.drop()
    wait_for(request.ended.is_set)
    assert request.stopped == "client gone"


def test_a_close_frame_is_a_hangup(launcher, client):
    stream, request = begin(launcher, client, "cat", stdin=True, protocol="v4.channel.k8s.io")
    stream.send_frame(8, struct.pack(">H", 1000))
    wait_for(lambda: request.stopped == "client gone")


def test_a_client_that_leaves_before_the_session_has_started(launcher, client):
    launcher.start_delay = 0.5
    try:
        stream, request = begin(launcher, client, "sleep", "100")
        stream.drop()
        wait_for(request.ended.is_set)
        assert request.stopped == "client gone"
    finally:
        launcher.start_delay = 0


def test_EX2_terminal_or_not(client):
    probe = ["sh", "-c", "for n in 0 1 2; do [ -t $n ] && printf T || printf N; done"]
    assert client.exec(probe, data=b"").out == "NNN"
    assert client.open(probe, tty=True, stdin=True).finish().out == "TTT"


def test_EX12_resize(client):
    stream = client.open(["bash", "-c", "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done"], tty=True, stdin=True)
    stream.read_until(b"ready")
    stream.resize(120, 40)
    stream.read_until(b"40 120")
    stream.finish()


def test_end_of_input_on_a_terminal(client):
    for text in (b"one\n", b"no newline"):
        stream = client.open(["sh", "-c", "cat >/dev/null; echo ended"], tty=True, stdin=True)
        stream.stdin(text)
        stream.stdin_end()
        assert stream.finish(10).out.endswith("ended\r\n")


def test_EX17_many_at_once(client):
    streams = [client.open(["sh", "-c", f"sleep 0.2; echo {n}; exit {n}"]) for n in range(50)]
    results = [stream.finish() for stream in streams]
    assert [(result.out, result.code) for result in results] == [(f"{n}\n", n) for n in range(50)]


# --- the protocol ---

def test_v1_has_plain_text_for_status(launcher):
    for protocol in ("channel.k8s.io",):
        stream = launcher.client().open(["sh", "-c", "exit 3"], protocol=protocol)
        seen = []
        stream._channel = lambda channel, data: seen.append((channel, data))  # pylint: disable=protected-access
        stream.finish()
        assert seen == [(STATUS, b"command terminated with exit code 3")]


def test_the_first_protocol_that_is_spoken_is_chosen(launcher):
    with pytest.raises(Refused) as refused:
        launcher.client().open(["true"], protocol="v9.channel.k8s.io")
    assert refused.value.status == 400
    assert launcher.client().exec(["true"], protocol="v9.channel.k8s.io, v4.channel.k8s.io, v5.channel.k8s.io").code == 0


def test_a_token_as_a_protocol(launcher):
    word = base64.urlsafe_b64encode(launcher.token.encode()).decode().rstrip("=")
    stranger = launcher.client(token="")
    protocol = f"base64url.bearer.authorization.k8s.io.{word}, v5.channel.k8s.io"
    assert stranger.exec(["true"], protocol=protocol).code == 0
    with pytest.raises(Refused) as refused:
        stranger.exec(["true"], protocol=f"base64url.bearer.authorization.k8s.io.{word}x, v5.channel.k8s.io")
    assert refused.value.status == 401


def test_fragments_text_frames_and_unknown_channels(client):
    stream = client.open(["cat"], stdin=True)
    stream.send_frame(1, b"\0text ", final=False)
    stream.send_frame(9, b"ping")
    stream.send_frame(0, b"in ", final=False)
    stream.send_frame(0, b"pieces ")
    stream.send_frame(2, b"")
    stream.send_frame(2, b"\x07nobody")
    stream.send_frame(2, b"\0end")
    stream.stdin_end()
    stream.stdin_end()
    stream.stdin(b"too late")
    assert stream.finish(10).out == "text in pieces end"


BROKEN = {
    "unmasked": b"\x82\x02\x00x",
    "reserved bits": b"\xf2\x82\0\0\0\0\0x",
    "unknown opcode": b"\x83\x80\0\0\0\0",
    "continuation of nothing": b"\x80\x82\0\0\0\0\0x",
    "a long ping": b"\x89\xfe\x00\x80\0\0\0\0" + b"x" * 128,
    "a frame of 2^62": b"\x82\xff\x40\0\0\0\0\0\0\0\0\0\0\0\0",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_frames_end_the_session_alone(launcher, client, name):
    neighbour, _ = begin(launcher, client, "cat", stdin=True)
    stream, request = begin(launcher, client, "sleep", "100")
    stream.connection.sendall(BROKEN[name])
    assert stream.finish(10).close_code in (1002, 1005, 1009)
    wait_for(request.ended.is_set)
    neighbour.stdin(b"alive")
    neighbour.stdin_end()
    assert neighbour.finish().out == "alive"


@pytest.mark.parametrize("channel, data", [(4, b"{}"), (4, b"not json"), (4, b'{"Width":-1,"Height":2}'), (4, b'{"Width":99999,"Height":2}'),
                                           (4, b"[" * 1000), (4, b"x" * 2000), (255, b"\0\0"), (255, b"")])
def test_broken_messages_are_named(launcher, client, channel, data):
    stream, request = begin(launcher, client, "sleep", "100", tty=True, stdin=True)
    stream.send(channel, data)
    result = stream.finish(10)
    assert result.status["status"] == "Failure" and result.status["reason"] == "BadRequest"
    assert "message" in result.message
    wait_for(lambda: request.stopped == "protocol error")


def test_pongs_come_unasked_while_input_waits(launcher):
    """kubectl gives up 61 s after the last pong; its own pings wait behind its data."""
    stream = launcher.client().open(["sleep", "100"], stdin=True)
    stream.connection.settimeout(1)
    with pytest.raises(TimeoutError):
        while True:
            stream.stdin(b"x" * 32768)
    stream.connection.settimeout(15)
    first = stream.connection.recv(2)
    assert first == b"\x8a\x00"
    stream.drop()


# --- documents and health ---

def test_health_needs_no_token_and_follows_the_targets(launcher):
    none = {"Authorization": "x"}
    assert request_lines(launcher, "GET", "/livez", **none)[0].startswith("HTTP/1.1 200")
    assert request_lines(launcher, "GET", "/healthz?verbose", **none)[0].startswith("HTTP/1.1 200")
    assert request_lines(launcher, "GET", "/readyz", **none)[0].startswith("HTTP/1.1 200")
    launcher.targets([])
    try:
        wait_for(lambda: request_lines(launcher, "GET", "/readyz", **none)[0].startswith("HTTP/1.1 503"))
        with pytest.raises(Refused) as refused:
            launcher.client().exec(["true"])
        assert refused.value.status == 503
    finally:
        launcher.targets(["workload"])
    wait_for(lambda: request_lines(launcher, "GET", "/readyz", **none)[0].startswith("HTTP/1.1 200"))


def test_a_probe_that_comes_a_moment_too_early_is_told_so_late(launcher):
    """A no is kept back for as long as a kubelet's probe waits, and turns into a yes when a container comes."""
    begun = time.monotonic()
    launcher.targets([])
    try:
        assert request_lines(launcher, "GET", "/readyz", Authorization="x")[0].startswith("HTTP/1.1 503")
        assert time.monotonic() - begun > 0.7
        threading.Timer(0.2, launcher.targets, [["workload"]]).start()
        assert request_lines(launcher, "GET", "/readyz", Authorization="x")[0].startswith("HTTP/1.1 200")
    finally:
        launcher.targets(["workload"])


@pytest.mark.parametrize("target, code", [
    ("/api?timeout=32s", 200), ("/apis", 200), ("/api/v1", 200), ("/version", 200), ("/api/v1/namespaces/default/pods/any", 200),
    ("/", 404), ("/api/v1/namespaces/default", 200), ("/api/v1/namespaces", 404), ("/api/v1/namespaces/default/pods/x/portforward", 400), ("/apis/apps/v1", 404),
    ("/api/v1/namespaces/default/pods/UPPER", 400), ("//api", 404), ("/api/../apis", 404)])
def test_documents(launcher, target, code):
    head, body = request_lines(launcher, "GET", target)
    assert head.split()[1] == str(code)
    assert body.startswith("{")
    assert request_lines(launcher, "GET", target, Authorization="Bearer nonsense-nonsense")[0].split()[1] in ("401", "400")


def test_kubectl_get_and_an_unknown_type(launcher):
    shown = launcher.kubectl("get", "pod", "demo", "-o", "jsonpath={.spec.containers[*].name}")
    assert shown.stdout == b"workload"
    shown = launcher.kubectl("exec", "deploy/x", "--", "true")
    assert b"the server doesn't have a resource type" in shown.stderr


def test_a_denied_request_is_in_the_audit(launcher):
    launcher.audits.clear()
    head, _ = request_lines(launcher, "GET", EXEC + "command=id&stdout=true", Authorization="Bearer wrong-wrong-wrong-wrong", **UPGRADE)
    assert head.split()[1] == "401" and "www-authenticate: bearer" in head.lower()
    wait_for(lambda: launcher.audits)
    event, fields = launcher.audits[0]
    assert event == "request_denied"
    assert fields == {"caller": "anonymous", "source": "tls", "namespace": "default", "pod": "demo", "code": "401",
                      "reason": "Unauthorized: this token is not known here"}


def test_the_pods_own_name(gateway_program, tmp_path):
    with Launcher(gateway_program, tmp_path, pod=("team", "agent-1")) as launcher:
        assert launcher.kubectl("exec", "-n", "team", "agent-1", "--", "echo", "x").stdout == b"x\n"
        shown = launcher.kubectl("exec", "-n", "team", "agent-2", "--", "true")
        assert shown.returncode == 1 and b'pods "agent-2" not found' in shown.stderr
        shown = launcher.kubectl("exec", "agent-1", "--", "true")
        assert b"not found" in shown.stderr


def test_it_ends_with_its_launcher(gateway_program, tmp_path):
    launcher = Launcher(gateway_program, tmp_path)
    with launcher:
        stream = launcher.client().open(["sleep", "100"])
    assert launcher.exit_code == 0
    stream.drop()


def test_a_token_that_is_none(gateway_program, tmp_path):
    launcher = Launcher(gateway_program, tmp_path, token="short")
    assert launcher.process.wait(10) == 1
    launcher.close()
    assert "token: the token has 5 bytes" in launcher.log()


def test_it_is_not_started_by_hand(programs):
    result = subprocess.run([programs / "navigator-gateway"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False)
    assert result.returncode == 1 and "started by navigator-sidecar" in result.stderr


def test_an_idle_gateway_lets_go_of_code(programs, tmp_path):
    """What a handshake and a session ran is not held by a gateway that waits; the next session finds it again."""
    with Launcher(programs / "navigator-gateway", tmp_path) as launcher:
        client = launcher.client()
        assert client.exec(["true"]).code == 0
        busy = launcher.memory()
        wait_for(lambda: launcher.memory() < busy - 1024, seconds=15)
        assert client.exec(["sh", "-c", "exit 7"]).code == 7
