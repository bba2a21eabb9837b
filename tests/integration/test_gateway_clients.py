# SPDX-License-Identifier: Apache-2.0
"""Acceptance row CL4: the Python and the JavaScript client, as their users use them."""
import json
import shutil
import subprocess
import time

import pytest

from helpers import javascript
from helpers.launcher import Launcher


@pytest.fixture(scope="module")
def launcher(gateway_program, tmp_path_factory):
    with Launcher(gateway_program, tmp_path_factory.mktemp("clients")) as running:
        yield running


# --- Python ---

@pytest.fixture(scope="module")
def stream(launcher):
    client = pytest.importorskip("kubernetes.client", reason="the Python client is not installed: tests/run does that")
    from kubernetes.stream import stream as open_stream
    configuration = client.Configuration(host=f"https://127.0.0.1:{launcher.port}")
    configuration.ssl_ca_cert = str(launcher.certificate)
    configuration.api_key = {"BearerToken": f"Bearer {launcher.token}"}
    api = client.CoreV1Api(client.ApiClient(configuration))

    def run(argv, **options):
        return open_stream(api.connect_get_namespaced_pod_exec, "demo", "default", command=argv,
                           **{"stdout": True, "stderr": True, "stdin": False, "tty": False, **options})

    return run


def test_CL4_python_everything_at_once(stream):
    assert stream(["sh", "-c", "echo o"]) == "o\n"


def test_CL4_python_streams_and_exit_code(stream):
    session = stream(["sh", "-c", "echo o; echo e >&2; exit 7"], _preload_content=False)
    session.run_forever(timeout=20)
    assert (session.read_stdout(), session.read_stderr(), session.returncode) == ("o\n", "e\n", 7)
    session = stream(["true"], _preload_content=False)
    session.run_forever(timeout=20)
    assert session.returncode == 0


def test_CL4_python_refusal_has_a_return_code(launcher, stream):
    launcher.refusals["refused"] = {"text": "no"}
    session = stream(["refused"], _preload_content=False)
    session.run_forever(timeout=20)
    assert session.returncode == 1


def test_CL4_python_stdin(stream):
    session = stream(["sh", "-c", "read line; echo got $line"], stdin=True, _preload_content=False)
    session.write_stdin("something\n")
    session.run_forever(timeout=20)
    assert session.read_stdout() == "got something\n"
    session = stream(["wc", "-c"], stdin=True, _preload_content=False)
    session.write_stdin("x" * 200_000)
    session.close_channel(0)
    session.run_forever(timeout=20)
    assert session.read_stdout().strip() == "200000"


def test_CL4_python_resize(stream):
    session = stream(["bash", "-c", "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done"], stdin=True, tty=True, _preload_content=False)
    deadline = time.monotonic() + 10
    while "ready" not in session.peek_stdout(timeout=0.1):
        assert time.monotonic() < deadline
    session.write_channel(4, json.dumps({"Width": 120, "Height": 40}))
    session.run_forever(timeout=10)
    assert "40 120" in session.read_stdout()


# --- JavaScript ---

@pytest.fixture(scope="module")
def node_exec(launcher):
    folder = javascript.installed()
    shutil.copy(javascript.CLIENTS / "exec.js", folder / "exec.mjs")
    launcher.environment()

    def run(argv, tty=False, stdin="-", size="-"):
        result = subprocess.run(["node", folder / "exec.mjs", launcher.folder / "kubeconfig", "demo", str(tty).lower(), stdin, size, *argv],
                                capture_output=True, text=True, timeout=40, check=False)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


def test_CL4_javascript_streams_and_exit_code(node_exec):
    result = node_exec(["sh", "-c", "echo o; echo e >&2; exit 7"])
    assert (result["stdout"], result["stderr"]) == ("o\n", "e\n")
    assert result["status"]["details"]["causes"][0] == {"reason": "ExitCode", "message": "7"}
    assert node_exec(["true"])["status"]["status"] == "Success"


def test_CL4_javascript_stdin_with_its_end(node_exec):
    assert node_exec(["cat"], stdin="through and back")["stdout"] == "through and back"


def test_CL4_javascript_terminal_size(node_exec):
    result = node_exec(["sh", "-c", "sleep 0.5; stty size"], tty=True, size="120x40")
    assert "40 120" in result["stdout"]
