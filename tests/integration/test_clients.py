# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 16: unmodified kubectl."""
import http.client
import json
import os
import socket
import subprocess
import time

import pytest

from helpers.remotecommand import Client
from helpers.terminal import Terminal
from local.pod import kubectl_program


def test_CL1_streams_apart_and_exit_code(pod):
    result = pod.kubectl("exec", pod.name, "--", "sh", "-c", "echo o; echo e >&2; exit 7")
    assert result.stdout == b"o\n"
    assert result.stderr.startswith(b"e\n")
    assert result.returncode == 7


def test_CL1_stdin(pod):
    data = os.urandom(3 << 20)
    result = pod.kubectl("exec", "-i", pod.name, "--", "cat", input=data)
    assert result.stdout == data


@pytest.fixture
def terminal(pod, tmp_path):
    shell = Terminal(tmp_path, pod.environment, "sh", "-c", f"{kubectl_program()} exec -it {pod.name} -- bash; echo left with $?; sleep 60")
    yield shell
    shell.close()


def test_CL2_a_person_at_a_terminal(terminal):
    terminal.wait_for(":~$")
    terminal.type("stty size; id -un", "Enter")
    terminal.wait_for("25 90")
    terminal.resize(120, 40)
    time.sleep(0.5)  # the signal, kubectl's message and the pty have no common event to wait for
    terminal.type("stty size", "Enter")
    terminal.wait_for("40 120")
    terminal.type("sleep 1000", "Enter")
    terminal.type("C-c")
    terminal.type("echo interrupted $?", "Enter")
    terminal.wait_for("interrupted 130")
    terminal.type("C-d")
    terminal.wait_for("left with 0")


def test_CL3_copy_both_ways(pod, tmp_path):
    data = os.urandom(1 << 20)
    (tmp_path / "file").write_bytes(data)
    assert pod.kubectl("cp", tmp_path / "file", f"{pod.name}:/sandbox/copied").returncode == 0
    assert pod.run("wc", "-c", "/sandbox/copied").out.split()[0] == str(len(data))
    back = pod.kubectl("cp", f"{pod.name}:/sandbox/copied", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == data, back.stderr
    pod.run("rm", "/sandbox/copied")


def test_CL3_port_forward_reaches_the_sandboxs_loopback_alone(pod):
    """A server in a session, a server of the workload's own: both on 127.0.0.1, and only the first is the sandbox's."""
    server = "import socket\nl = socket.create_server(('127.0.0.1', 9099))\nprint('ready', flush=True)\nwhile True:\n c, _ = l.accept()\n c.sendall(c.recv(100)[::-1]); c.close()"
    stream = pod.client.open(["python3", "-c", server])
    stream.read_until(b"ready")
    command = [kubectl_program(), "port-forward", pod.name, ":9099"]
    kubectl = subprocess.Popen(command, env=pod.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        port = int(kubectl.stdout.readline().rsplit(":", 1)[1].split(" ")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"olleh")
            assert connection.recv(100) == b"hello"
    finally:
        kubectl.kill()
        kubectl.wait()
        stream.drop()


@pytest.mark.parametrize("token, status", [("", 401), ("wrong", 401)])
def test_CL6_kubectl_shows_why(pod, token, status):
    stranger = Client(pod.port, pod.name, token, pod.node.credentials.certificate)
    for method, upgrade in (("GET", "websocket"), ("POST", "SPDY/3.1")):
        connection = http.client.HTTPConnection("127.0.0.1")
        connection.sock = stranger.connect()
        connection.request(method, f"/api/v1/namespaces/default/pods/{pod.name}/exec?command=id&stdout=true", headers={
            "Authorization": f"Bearer {token}", "Connection": "Upgrade", "Upgrade": upgrade})
        answer = connection.getresponse()
        document = json.loads(answer.read())
        connection.close()
        assert (answer.status, document["kind"], document["code"]) == (status, "Status", status)


@pytest.mark.parametrize("argv, code, output", [
    (("bash", "-c", "id -un; exit 7"), 7, "sandbox\n"), (("sh", "-c", "cat /proc/self/attr/current >/dev/null 2>&1; echo $HOME"), 0, "/sandbox\n"),
    (("python3", "-c", "import os; print(os.getuid())"), 0, "1000\n"), (("navigator", "exec", "--", "id", "-un"), 0, "sandbox\n")])
def test_CL5_programs_of_the_sidecar_are_the_sandboxes(pod, argv, code, output):
    result = pod.podman_exec("navigator", *argv)
    assert (result.returncode, result.stdout) == (code, output), result.stderr
