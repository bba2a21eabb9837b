# SPDX-License-Identifier: Apache-2.0
"""Acceptance row CL7: clients that mean no good. Each is refused in bounded memory, and a session that runs meanwhile does not notice."""
import os
import re
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from helpers.launcher import Launcher

HEAD = "GET /api/v1/namespaces/default/pods/demo/exec?command=id&stdout=true HTTP/1.1\r\nHost: 127.0.0.1\r\n"
WEBSOCKET = ("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n")


@pytest.fixture(scope="module")
def launcher(gateway_program, tmp_path_factory):
    with Launcher(gateway_program, tmp_path_factory.mktemp("hostile")) as running:
        yield running


@pytest.fixture
def neighbour(launcher):
    """A session from before the attack that has to work after it."""
    stream = launcher.client().open(["cat"], stdin=True)
    yield stream
    stream.stdin(b"still here")
    stream.stdin_end()
    assert stream.finish(10).out == "still here"


def read_all(connection, seconds: float = 20) -> bytes:
    connection.settimeout(seconds)
    answer = b""
    try:
        while chunk := connection.recv(65536):
            answer += chunk
    except (ConnectionError, ssl.SSLError):
        pass
    return answer


def ask(launcher, text, seconds: float = 20) -> bytes:
    connection = launcher.client().connect()
    try:
        connection.sendall(text if isinstance(text, bytes) else text.encode())
    except OSError:
        pass  # the answer may come, and the end, before all is sent
    return read_all(connection, seconds)


def authorised(launcher) -> str:
    return f"Authorization: Bearer {launcher.token}\r\n"


def test_CL7_plain_http(launcher, neighbour):
    with socket.create_connection(("127.0.0.1", launcher.port)) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP/1.1 200" not in read_all(connection)


@pytest.mark.parametrize("version", ["-tls1_1", "-tls1"])
def test_CL7_old_tls(launcher, neighbour, version):
    result = subprocess.run(["openssl", "s_client", version, "-cipher", "ALL:@SECLEVEL=0", "-connect", f"127.0.0.1:{launcher.port}"],
                            input=b"", capture_output=True, timeout=20, check=False)
    assert b"Cipher is (NONE)" in result.stdout or b"alert protocol version" in result.stderr


@pytest.mark.parametrize("version, cipher", [("-tls1_2", "ECDHE-ECDSA-(AES|CHACHA20)"), ("-tls1_3", "TLS_(AES|CHACHA20)")])
def test_CL7_the_tls_that_is_spoken(launcher, version, cipher):
    result = subprocess.run(["openssl", "s_client", version, "-connect", f"127.0.0.1:{launcher.port}"], input=b"", capture_output=True,
                            timeout=20, check=False)
    assert re.search(f"Cipher is {cipher}".encode(), result.stdout)
    assert b"Secure Renegotiation IS supported" in result.stdout or version == "-tls1_3"


def test_CL7_no_tickets_are_given(launcher):
    result = subprocess.run(["openssl", "s_client", "-tls1_3", "-ign_eof", "-connect", f"127.0.0.1:{launcher.port}"],
                            input=b"GET /livez HTTP/1.0\r\n\r\n", capture_output=True, timeout=20, check=False)
    assert b"HTTP/1.1 200" in result.stdout
    assert b"New Session Ticket" not in result.stdout


def test_CL7_http2_only(launcher, neighbour):
    context = ssl.create_default_context(cafile=launcher.certificate)
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", launcher.port)) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname="127.0.0.1")
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", launcher.port)) as raw:
        assert context.wrap_socket(raw, server_hostname="127.0.0.1").selected_alpn_protocol() == "http/1.1"


HEADS = {
    "1 MiB in one field": (HEAD + "X: " + "x" * (1 << 20), 431),
    "1 MiB of fields": (HEAD + "X: y\r\n" * 180_000, 431),
    "65 fields": (HEAD + "X: y\r\n" * 65 + "\r\n", 431),
    "1 MiB of path": ("GET /" + "x" * (1 << 20) + " HTTP/1.1\r\n", 431),
    "1 MiB of method": ("G" * (1 << 20), 400),
    "HTTP/0.9": ("GET /livez\r\n\r\n", 400),
    "HTTP/2 preface": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "no host": ("GET /livez HTTP/1.1\r\n\r\n", 400),
    "folded": (HEAD + "A: b\r\n c\r\n\r\n", 400),
    "blank before colon": (HEAD + "A : b\r\n\r\n", 400),
    "line feeds alone": (HEAD.replace("\r\n", "\n") + "\n", 400),
    "two lengths": (HEAD + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400),
    "a body": (HEAD.replace("GET", "POST") + "Content-Length: 5\r\n\r\nhello", 400),
    "chunked": (HEAD.replace("GET", "POST") + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "two tokens": (HEAD + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400),
    "NUL": (HEAD + "A: \0\r\n\r\n", 400),
    "an absolute target": ("GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a connect": ("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", HEADS)
def test_CL7_heads(launcher, neighbour, name):
    text, code = HEADS[name]
    before = launcher.memory()
    answer = ask(launcher, text)
    # A client that is still sending may be reset before it has read the answer.
    assert answer.startswith(f"HTTP/1.1 {code} ".encode()) or (not answer and len(text) > 1 << 19)
    assert launcher.memory() - before < 4096


def test_CL7_a_foreign_origin(launcher, neighbour):
    count = len(launcher.requests)
    answer = ask(launcher, HEAD + WEBSOCKET + authorised(launcher) + "Origin: https://evil.example\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ") and b'"reason":"Forbidden"' in answer
    assert len(launcher.requests) == count
    result = launcher.client().exec(["true"], headers={"Origin": "https://127.0.0.1"})
    assert result.code == 0


def test_CL7_100_000_parameters(launcher, neighbour):
    before = launcher.memory()
    answer = ask(launcher, HEAD.replace("command=id", "&".join(["x=y"] * 100_000)) + authorised(launcher) + "Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert launcher.memory() - before < 4096


def slowly(connection, text: bytes, seconds: float) -> float:
    """Byte by byte, until the other side has had enough; how long that took."""
    started = time.monotonic()
    connection.settimeout(0.2)
    for byte in text:
        try:
            connection.sendall(bytes([byte]))
            if not connection.recv(1):
                break
        except TimeoutError:
            pass
        except OSError:
            break
        if time.monotonic() - started > seconds:
            break
    return time.monotonic() - started


def test_CL7_slow_loris(launcher, neighbour):
    """10 s from the accept to a whole head, however busily the bytes trickle; a handshake that never comes, too."""
    silent = socket.create_connection(("127.0.0.1", launcher.port))
    took = slowly(launcher.client().connect(), (HEAD + "X: " + "y" * 1000).encode(), 20)
    assert 8 < took < 13
    assert read_all(silent, 5) == b""


def test_CL7_more_connections_than_fit(launcher, neighbour):
    """300 that hold a place for nothing: the oldest go, and who means it gets in."""
    descriptors = len(list(Path(f"/proc/{launcher.process.pid}/fd").iterdir()))
    crowd = [socket.create_connection(("127.0.0.1", launcher.port)) for _ in range(300)]
    try:
        started = time.monotonic()
        assert launcher.client().exec(["echo", "in"]).out == "in\n"
        assert launcher.local_client().exec(["echo", "in"]).out == "in\n"
        assert time.monotonic() - started < 3
        assert len(list(Path(f"/proc/{launcher.process.pid}/fd").iterdir())) < descriptors + 140
    finally:
        for connection in crowd:
            connection.close()


def test_CL7_more_sessions_than_fit(launcher):
    streams = []
    try:
        while len(streams) < 300:
            stream = launcher.local_client().open(["sleep", "60"])
            streams.append(stream)
    except Exception as refused:  # pylint: disable=broad-except
        assert "429" in str(refused) and "too many sessions" in str(refused)
    assert 250 <= len(streams) <= 256
    for stream in streams:
        stream.drop()
    deadline = time.monotonic() + 20
    while True:
        try:
            assert launcher.client().exec(["echo", "again"]).out == "again\n"
            break
        except Exception:  # pylint: disable=broad-except
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_CL7_pipelined_requests_without_reading(launcher, neighbour):
    before = launcher.memory()
    connection = launcher.client().connect()
    connection.settimeout(2)
    try:
        for _ in range(20_000):
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
    except OSError:
        pass
    assert launcher.memory() - before < 4096
    connection.close()


def test_requests_one_after_another_on_a_connection(launcher):
    connection = launcher.client().connect()
    connection.sendall((f"GET /api HTTP/1.1\r\nHost: x\r\n{authorised(launcher)}\r\n" * 5 + "GET /livez HTTP/1.0\r\n\r\n").encode())
    answer = read_all(connection)
    assert answer.count(b"HTTP/1.1 200 OK") == 6


# --- what the process has given up ---

def test_the_process_is_confined(programs, tmp_path):
    """As the user it runs as in a pod: root's processes have root's files in /proc anyway."""
    command = ["setpriv", "--reuid", "64701", "--regid", "64701", "--clear-groups"]
    with Launcher(programs / "navigator-gateway", tmp_path, command=command) as launcher:
        status = Path(f"/proc/{launcher.process.pid}/status").read_text()
        assert re.search(r"^NoNewPrivs:\t1$", status, re.M)
        assert re.search(r"^Seccomp:\t2$", status, re.M)
        limits = Path(f"/proc/{launcher.process.pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.M)
        # Not dumpable: its files in /proc are root's, whoever it runs as.
        assert os.stat(f"/proc/{launcher.process.pid}/environ").st_uid == 0


def test_a_wrong_system_call_is_its_end(programs, tmp_path):
    """With the debugger's power: make it open a file, then a socket, then exec."""
    script = tmp_path / "script"
    script.write_text("\n".join(["set pagination off", "print (int)open(\"/etc/passwd\", 0)", "print (int)socket(2, 1, 0)",
                                 "print (int)fork()", "detach"]))
    debugger = subprocess.run(["sh", "-c", "command -v gdb"], capture_output=True, check=False).stdout.strip()
    if not debugger:
        pytest.skip("gdb is not installed: it makes the calls from inside the process")
    with Launcher(programs / "navigator-gateway", tmp_path) as launcher:
        result = subprocess.run([debugger, "-q", "-batch", "-p", str(launcher.process.pid), "-x", str(script)], capture_output=True, text=True,
                                timeout=60, check=False)
        assert re.findall(r"^\$\d = (-?\d+)", result.stdout, re.M)[:2] == ["-1", "-1"]
        assert launcher.process.wait(10) == -31  # SIGSYS
