# SPDX-License-Identifier: Apache-2.0
"""The pod's endpoint on the cluster's network, and what it does when the API server is silent (rows CL8, EX18, EX20, PR14)."""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Kubectl, pod, wait_for
from roads import ENDPOINT_PORT, Refused, by_api_server, by_endpoint
from test_sessions import POLICY_ANNOTATIONS, READY_SECONDS, endpoint, sandbox, team  # noqa: F401 - fixtures

ECHO = ("import socket\nl = socket.create_server(('127.0.0.1', {port}))\nprint('listening', flush=True)\n"
        "while True:\n c, _ = l.accept()\n while d := c.recv(65536): c.sendall(d[::-1])\n c.close()")


def at_endpoint(kubectl: Kubectl, token: str, name="agent") -> Kubectl:
    address = kubectl.get("pod", name)["status"]["podIP"]
    return Kubectl(kubectl.namespace, "--kubeconfig=/dev/null", f"--server=https://{address}:{ENDPOINT_PORT}", "--insecure-skip-tls-verify", f"--token={token}")


@contextlib.contextmanager
def forwarded(kubectl: Kubectl, port: int):
    """A local port that kubectl forwards to the pod's."""
    command = ["kubectl", "-n", kubectl.namespace, *kubectl.options, "port-forward", "agent", f":{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            line = process.stdout.readline()
            found = re.search(r"127\.0\.0\.1:(\d+) ->", line)
            assert found, line + process.stdout.read()
            yield int(found[1])
        finally:
            process.terminate()


def turned_round(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        return connection.recv(65536)


# -- port-forward

@pytest.fixture(scope="module")
def servers(team, endpoint):  # noqa: F811
    """One in the sandbox on 7001, one of the workload on 7002; each on its own 127.0.0.1."""
    _, token = endpoint
    inside = by_endpoint(team, "agent", token("allowed")).open(["python3", "-c", ECHO.format(port=7001)])
    inside.read_until(b"listening")
    outside = by_api_server(team, "agent", "app").open(["python3", "-c", ECHO.format(port=7002)])
    outside.read_until(b"listening")
    yield at_endpoint(team, token("allowed"))
    inside.drop()
    outside.drop()


def test_ex20_port_forward_at_the_endpoint_reaches_the_sandbox(servers):
    with forwarded(servers, 7001) as port:
        for _ in range(3):
            assert turned_round(port, b"olleh") == b"hello"
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            pass  # a client that says nothing and leaves
        assert turned_round(port, b"again") == b"niaga"


def test_ex20_port_forward_at_the_endpoint_reaches_nothing_of_the_workload(servers):
    with forwarded(servers, 7002) as port:
        with contextlib.suppress(ConnectionError):
            assert turned_round(port, b"olleh") == b""


def test_ex20_port_forward_through_the_api_server_is_the_workloads(team, servers):  # noqa: F811
    """The kubelet connects in the pod's network, which is the workload's: a sandbox has one of its own."""
    with forwarded(team, 7002) as port:
        assert turned_round(port, b"olleh") == b"hello"
    with forwarded(team, 7001) as port:
        with contextlib.suppress(ConnectionError):
            assert turned_round(port, b"olleh") == b""


def test_ex20_port_forward_needs_the_right(team, endpoint):  # noqa: F811
    _, token = endpoint
    done = at_endpoint(team, token("nobody")).run("port-forward", "agent", ":7001", check=False, timeout=20)
    assert done.returncode != 0 and "orbidden" in done.stderr + done.stdout


# -- who reaches it

def test_ex18_a_neighbours_token_opens_nothing(team, endpoint, cluster):  # noqa: F811
    """What a hostile pod holds (its sidecar's own token, its workload's, one for its own endpoint) is not for this pod."""
    team.create(pod("neighbour", annotations=POLICY_ANNOTATIONS))
    team.run("wait", "pod/neighbour", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    _, token = endpoint
    uid = team.get("pod", "neighbour")["metadata"]["uid"]
    own = token("allowed", f"navigator.sandbox/{uid}")
    workloads = team.run("exec", "neighbour", "-c", "app", "--", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/token").stdout
    assert by_endpoint(team, "neighbour", own).run(["true"]).code == 0
    for value in (own, workloads):
        with pytest.raises(Refused) as refused:
            by_endpoint(team, "agent", value).run(["true"])
        assert refused.value.status == 401


def test_ex18_the_endpoint_answers_nobody_without_a_token(team, endpoint):  # noqa: F811
    with pytest.raises(Refused) as refused:
        by_endpoint(team, "agent", "").run(["true"])
    assert refused.value.status == 401 and json.loads(refused.value.body)["reason"] == "Unauthorized"


# -- many sessions

def processes(kubectl: Kubectl) -> list:
    """state and name of every process of the pod: sidecar and workload share their namespace."""
    return kubectl.run("exec", "agent", "-c", "app", "--", "ps", "axo", "stat=,comm=").stdout.splitlines()


def test_pr14_a_thousand_sessions_leave_nothing(team, endpoint):  # noqa: F811
    _, token = endpoint
    road = by_endpoint(team, "agent", token("allowed"))
    road.run(["true"])
    before = wait_for("a quiet pod", lambda: (lambda seen: len(seen) if not [p for p in seen if p.startswith("Z")] else 0)(processes(team)), 10)
    for n in range(1000):
        assert road.run(["/bin/sh", "-c", "(:) & exit 3"], login=False).code == 3, n
    after = wait_for("the last session's end", lambda: (lambda seen: seen if len(seen) == before else None)(processes(team)), 10)
    assert not [line for line in after if line.startswith("Z")]


# -- an API server that does not answer

def api_server() -> int:
    """The process, where it is one of this machine; 0 elsewhere."""
    for status in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if status.read_text().strip() == "kube-apiserver":
                return int(status.parent.name)
    return 0


@contextlib.contextmanager
def silent_api_server():
    server = api_server()
    if not server:
        pytest.skip("the API server is no process of this machine, so it cannot be stopped: `e2e/cluster test` has one that can")
    os.kill(server, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server, signal.SIGCONT)


def test_cl8_silent_api_server(team, endpoint):  # noqa: F811
    """503 for who comes over the network with a token that is not remembered; the local socket serves on, and so do open sessions."""
    _, token = endpoint
    fresh = token("allowed")
    running = by_endpoint(team, "agent", token("allowed")).open(["cat"], stdin=True)
    sidecar = next(c for c in team.get("pod", "agent")["status"]["initContainerStatuses"] if c["name"] == "navigator")["containerID"].partition("://")[2]
    road = by_endpoint(team, "agent", fresh)
    with silent_api_server():
        begun = time.monotonic()
        with pytest.raises(Refused) as refused:
            road.run(["true"])
        assert refused.value.status == 503 and json.loads(refused.value.body)["reason"] == "ServiceUnavailable"
        assert time.monotonic() - begun < 10
        local = subprocess.run(["crictl", "exec", sidecar, "id", "-un"], stdout=subprocess.PIPE, text=True, timeout=20, check=False)
        assert local.stdout == "sandbox\n"
        running.stdin(b"still here")
        running.read_until(b"still here")
        running.stdin_end()
        assert running.finish().code == 0
    wait_for("the API server's answers", lambda: team.run("get", "pods", check=False).returncode == 0)
    assert road.run(["true"]).code == 0, "the refusal was not remembered"
