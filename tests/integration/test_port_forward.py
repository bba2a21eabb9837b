# SPDX-License-Identifier: Apache-2.0
"""Port-forward by kubectl and by the Python client, under the launcher of plain processes: "the sandbox's network" is this machine's loopback."""
import contextlib
import os
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

from helpers.launcher import Launcher
from helpers.remotecommand import Refused, Stream


@pytest.fixture(scope="module")
def launcher(gateway_program, tmp_path_factory):
    with Launcher(gateway_program, tmp_path_factory.mktemp("forward")) as running:
        yield running


@pytest.fixture(scope="module")
def server():
    """A port that echoes, and says the end when it hears it."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=200)

    def echo(connection):
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=echo, args=[listener.accept()[0]], daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


@contextlib.contextmanager
def forwarded(launcher, port):
    """kubectl port-forward; the local port, and its output at the end."""
    kubectl = subprocess.Popen(["kubectl", "port-forward", "pod/demo", f":{port}"], env=launcher.environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    try:
        line = kubectl.stdout.readline()
        yield int(re.match(r"Forwarding from 127.0.0.1:(\d+) ->", line)[1]), kubectl
    finally:
        kubectl.kill()
        kubectl.wait()


def there_and_back(port, data) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(20)

        def send():
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)

        threading.Thread(target=send, daemon=True).start()
        got = bytearray()
        while chunk := connection.recv(65536):
            got += chunk
        return bytes(got)


def test_CL3_kubectl_port_forward(launcher, server):
    with forwarded(launcher, server) as (port, _):
        for size in (0, 1, 300_000, 8_000_000):
            data = os.urandom(size)
            assert there_and_back(port, data) == data
    events = [fields for event, fields in launcher.audits if event == "port_forward"]
    assert {"caller": "token", "source": "tls", "port": str(server)} in events


def test_CL3_many_connections_at_once_and_after_another(launcher, server):
    with forwarded(launcher, server) as (port, _):
        results = [None] * 40

        def one(number):
            data = os.urandom(100_000)
            results[number] = there_and_back(port, data) == data

        threads = [threading.Thread(target=one, args=[number]) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(results)
        for _ in range(100):
            assert there_and_back(port, b"again") == b"again"


def test_EX20_nobody_listens(launcher):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        unused = closed.getsockname()[1]
    with forwarded(launcher, unused) as (port, kubectl):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.settimeout(10)
            with contextlib.suppress(ConnectionError):
                assert connection.recv(1) == b""
        assert f"cannot reach port {unused}: Connection refused" in kubectl.stdout.read()


def test_a_reader_that_stops_is_waited_for_in_bounded_memory(launcher, server):
    before = launcher.memory()
    with forwarded(launcher, server) as (port, _), socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(1)
        with pytest.raises(TimeoutError):
            while True:
                connection.sendall(b"x" * 65536)
        assert launcher.memory() - before < 4096


def wait_gone(port) -> None:
    """No connection to the port is left, as far as this machine's table says."""
    deadline = time.monotonic() + 10
    while f":{port:04X} 01 " in open("/proc/net/tcp", encoding="ascii").read():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_connections_end_with_kubectl(launcher):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with forwarded(launcher, port) as (local, _):
            with socket.create_connection(("127.0.0.1", local)) as connection:
                connection.sendall(b"x")
                peer, _ = listener.accept()
                assert peer.recv(1) == b"x"
        peer.settimeout(10)
        assert peer.recv(1) == b""
        peer.close()
        wait_gone(port)


# --- the channels of the Python and JavaScript clients ---

def test_CL3_python_client(launcher, server):
    client = pytest.importorskip("kubernetes.client", reason="the Python client is not installed: tests/run does that")
    from kubernetes.stream import portforward
    configuration = client.Configuration(host=f"https://127.0.0.1:{launcher.port}")
    configuration.ssl_ca_cert = str(launcher.certificate)
    configuration.api_key = {"BearerToken": f"Bearer {launcher.token}"}
    api = client.CoreV1Api(client.ApiClient(configuration))
    forward = portforward(api.connect_get_namespaced_pod_portforward, "demo", "default", ports=str(server))
    connection = forward.socket(server)
    connection.setblocking(True)
    connection.sendall(b"through")
    assert connection.recv(100) == b"through"
    connection.close()
    assert forward.error(server) is None


def open_channels(launcher, query, protocol="v4.channel.k8s.io"):
    client = launcher.client()
    return Stream(client.connect(), f"/api/v1/namespaces/default/pods/demo/portforward?{query}",
                  {"Host": "x", "Authorization": f"Bearer {client.token}", "Sec-WebSocket-Protocol": protocol})


def collect(stream):
    messages = []
    stream._channel = lambda channel, data: messages.append((channel, data))  # pylint: disable=protected-access
    return messages


def test_channels(launcher, server):
    stream = open_channels(launcher, f"ports={server},1&port=2", protocol="v5.channel.k8s.io, v4.channel.k8s.io")
    messages = collect(stream)
    stream.send(0, b"first")
    stream.connection.settimeout(10)
    while (0, b"first") not in messages or len(messages) < 9:
        assert stream.read()
    for channel, port in ((0, server), (1, server), (2, 1), (3, 1), (4, 2), (5, 2)):
        assert (channel, struct.pack("<H", port)) in messages
    assert any(channel == 3 and b"cannot reach port 1" in data for channel, data in messages)
    assert any(channel == 5 and b"cannot reach port 2" in data for channel, data in messages)
    stream.drop()


def test_channels_are_over_with_their_connections(launcher):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = open_channels(launcher, f"ports={listener.getsockname()[1]}")
        messages = collect(stream)
        peer, _ = listener.accept()
        peer.sendall(b"last words")
        peer.close()
        assert stream.finish(10).close_code == 1000
        assert (0, b"last words") in messages


@pytest.mark.parametrize("query", ["", "ports=", "ports=0", "ports=65536", "ports=80,x", "ports=1" + ",1" * 32])
def test_wrong_ports(launcher, query):
    with pytest.raises(Refused) as refused:
        open_channels(launcher, query)
    assert refused.value.status in (400, 413)


def test_an_unknown_protocol(launcher):
    with pytest.raises(Refused) as refused:
        open_channels(launcher, "ports=80", protocol="v5.channel.k8s.io")
    assert refused.value.status == 400


# --- clients that mean no good ---

SPDY = "SPDY/3.1+portforward.k8s.io"
BROKEN = {
    "another SPDY": b"\x80\x02\x00\x01" + b"\0" * 20,
    "a long control frame": b"\x80\x03\x00\x01\x00\xff\xff\xff",
    "broken headers": b"\x80\x03\x00\x01\x00\x00\x00\x14\x00\x00\x00\x01" + b"\xff" * 16,
    "a stream of no type": b"\x80\x03\x00\x01\x00\x00\x00\x15\x00\x00\x00\x01\0\0\0\0\0\0\x78\x01\x00\x04\x00\xfb\xff\0\0\0\0",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_spdy_ends_the_connection(launcher, server, name):
    stream = open_channels(launcher, "", protocol=SPDY)
    stream.send_frame(2, BROKEN[name])
    assert stream.finish(10).close_code in (1002, 1005)
    with forwarded(launcher, server) as (port, _):
        assert there_and_back(port, b"alive") == b"alive"


def test_more_forwards_than_fit(launcher):
    streams = []
    try:
        with pytest.raises(Refused) as refused:
            for _ in range(40):
                streams.append(open_channels(launcher, "", protocol=SPDY))
        assert refused.value.status == 429 and len(streams) <= 32
    finally:
        for stream in streams:
            stream.drop()
