# SPDX-License-Identifier: Apache-2.0
"""What Kubernetes' own tests of exec expect, as a table: every case is tried on a plain container (what Kubernetes does), in the sandbox
through the API server, and at the pod's own endpoint, with both sub-protocols. Where a sandbox differs on purpose, the row says why."""
import hashlib
from dataclasses import dataclass

import pytest
from conftest import pod, wait_for
from roads import Refused, by_api_server, by_endpoint
from test_sessions import READY_SECONDS, endpoint, sandbox, team  # noqa: F401 - fixtures

V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"
ROADS = ["plain", "api", "endpoint"]
BINARY = bytes(range(256)) * 4096
SIZE_40_120 = "until [ \"$(stty size)\" = '40 120' ]; do sleep 0.05; done; echo sized"


@dataclass
class Case:
    argv: list
    out: str = ""
    err: str = ""
    code: int = 0
    data: bytes = None  # standard input; its end can be said from v5 on
    options: tuple = ()
    resize: tuple = ()


CASES = {
    "success": Case(["echo", "hello"], out="hello\n"),
    "exit-0": Case(["sh", "-c", "exit 0"]),
    "exit-42": Case(["sh", "-c", "exit 42"], code=42),
    "exit-255": Case(["sh", "-c", "exit 255"], code=255),
    "streams-apart": Case(["sh", "-c", "echo o; echo e >&2; exit 7"], out="o\n", err="e\n", code=7),
    "stderr-alone": Case(["sh", "-c", "echo e >&2"], err="e\n"),
    "stdout-not-asked-for": Case(["sh", "-c", "echo o; echo e >&2"], err="e\n", options=(("stdout", False),)),
    "no-input": Case(["cat"]),
    "input": Case(["cat"], out="abcd1234", data=b"abcd1234"),
    "input-of-nothing": Case(["cat"], data=b""),
    "input-read-in-part": Case(["head", "-c", "4"], out="abcd", data=b"abcd1234"),
    "input-and-exit-code": Case(["sh", "-c", "read x; exit $x"], code=3, data=b"3\n"),
    "input-binary-1MiB": Case(["sh", "-c", "sha256sum | cut -c1-64"], out=hashlib.sha256(BINARY).hexdigest() + "\n", data=BINARY),
    "output-8MiB": Case(["sh", "-c", "yes | head -c 8388608 | tee /dev/stderr | wc -c >/dev/null; exit 5"], err="y\n" * 4194304, code=5),
    "output-without-newline": Case(["sh", "-c", "printf 'no newline'"], out="no newline"),
    "arguments": Case(["sh", "-c", "printf '%s|' \"$@\"", "x", "a b", "$(id)", "c\nd", "é", "'", ""], out="a b|$(id)|c\nd|é|'||"),
    "signal-9": Case(["sh", "-c", "kill -9 $$"], code=137),
    "signal-15": Case(["sh", "-c", "kill -15 $$"], code=143),
    "no-terminal": Case(["sh", "-c", "for n in 0 1 2; do [ -t $n ] && printf T || printf N; done"], out="NNN", data=b""),
    "terminal": Case(["sh", "-c", "for n in 0 1 2; do [ -t $n ] && printf T || printf N; done"], out="TTT", options=(("tty", True), ("stdin", True))),
    "terminal-has-one-stream": Case(["sh", "-c", "echo o; echo e >&2"], out="o\r\ne\r\n", options=(("tty", True), ("stdin", True))),
    "terminal-exit-code": Case(["sh", "-c", "exit 9"], code=9, options=(("tty", True), ("stdin", True))),
    "terminal-resize": Case(["sh", "-c", SIZE_40_120], out="sized\r\n", options=(("tty", True), ("stdin", True)), resize=(120, 40)),
}
V5_ALONE = {name for name, case in CASES.items() if case.data is not None and name not in ("input-read-in-part", "input-and-exit-code")}


@pytest.fixture(scope="module")
def roads(team, endpoint):  # noqa: F811
    """The three ways; the plain container is in a pod of its own."""
    _, token = endpoint
    team.create(pod("plain", annotations={}))
    team.run("wait", "pod/plain", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    return {"plain": by_api_server(team, "plain", "app"), "api": by_api_server(team, "agent", "navigator"),
            "endpoint": by_endpoint(team, "agent", token("allowed"))}


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("protocol", [V5, V4], ids=["v5", "v4"])
@pytest.mark.parametrize("name", CASES)
def test_ex_case(roads, road, protocol, name):
    case = CASES[name]
    if protocol == V4 and name in V5_ALONE:
        protocol = f"{V4}x, {V5}"  # v4 cannot say that input has ended: there the row is that an unknown offer is passed over
    stream = roads[road].open(case.argv, protocol=protocol, **{"stdin": case.data is not None, **dict(case.options)})
    if case.resize:
        stream.resize(*case.resize)
    if case.data is not None:
        stream.stdin(case.data)
        if V5 in protocol:
            stream.stdin_end()
    result = stream.finish(30)
    assert (result.code, result.out) == (case.code, case.out)
    assert result.err == case.err
    assert result.close_code == 1000, "the Status is followed by an orderly Close"
    assert result.status["status"] == ("Success" if case.code == 0 else "Failure")
    if case.code:
        assert result.status["reason"] == "NonZeroExitCode"


# -- what is refused before anything runs: the HTTP status, the Status' reason, words

REFUSED = {
    "no-stream": (["true"], {"stdout": False, "stderr": False}, 400, "stdin"),
    "unknown-container": (["true"], {"container": "nosuch"}, 400, "nosuch"),
}


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("name", REFUSED)
def test_ex_refused(roads, road, name):
    argv, options, status, words = REFUSED[name]
    with pytest.raises(Refused) as refused:
        roads[road].run(argv, **options)
    assert refused.value.status == status and words in str(refused.value)


def test_ex_no_command(roads):
    """The API server leaves this to the runtime, behind the upgrade."""
    with pytest.raises(Refused) as refused:
        roads["endpoint"].run([])
    assert refused.value.status == 400 and "command" in str(refused.value)
    for road in ("plain", "api"):
        assert roads[road].run([]).status["status"] == "Failure"


@pytest.mark.parametrize("road", ROADS)
def test_ex_no_such_program(roads, road):
    """A runtime cannot tell it from its own failure; a login shell tells it as a shell does."""
    result = roads[road].run(["nosuch-program"] if road != "api" else ["env", "nosuch-program"])
    assert result.code == (127 if road != "plain" else result.code) and result.status["status"] == "Failure"
    assert "nosuch-program" in result.err + result.message


@pytest.mark.parametrize("road", ROADS)
def test_ex_heartbeat(roads, road):
    """A ping is answered while a program runs, and the program's input is not touched by it."""
    stream = roads[road].open(["cat"], stdin=True)
    stream.send_frame(9, b"are you there")
    stream.stdin(b"x")
    stream.read_until(b"x")
    stream.stdin_end()
    assert stream.finish().out == "x"


def test_ex7_client_that_leaves_takes_its_processes_along(roads, team):  # noqa: F811
    """At the endpoint. Through the API server nobody hears of it: a runtime lets what it started run on, here as in any container."""
    stream = roads["endpoint"].open(["sh", "-c", "echo begun; exec sleep 24681357"])
    stream.read_until(b"begun")
    assert "24681357" in processes(team)
    stream.drop()
    wait_for("the end of the session's process", lambda: "24681357" not in processes(team), 5)


def processes(kubectl) -> str:
    return kubectl.run("exec", "agent", "-c", "app", "--", "ps", "axo", "args").stdout


# -- the verbs that are not exec

def test_attach_to_the_endpoint_is_refused_by_name(roads):
    """There is no main process to attach to: a session is its own."""
    with pytest.raises(Refused) as refused:
        roads["endpoint"].run([], verb="attach")
    assert refused.value.status in (404, 405) and '"kind":"Status"' in str(refused.value).replace(" ", "")


def test_attach_through_the_api_server_reaches_no_session(roads):
    """It reaches the sidecar's own output, its audit, and types into nothing."""
    stream = roads["api"].open([], verb="attach", stdin=False)
    stream.drop()


# -- kubectl's own forms

KUBECTL = {
    "pod": ["exec", "agent", "-c", "navigator"],
    "type/name": ["exec", "pod/agent", "-c", "navigator"],
    "pods/name": ["exec", "pods/agent", "-c", "navigator"],
    "quiet": ["exec", "-q", "agent", "-c", "navigator"],
    "running-timeout": ["exec", "--pod-running-timeout=10s", "agent", "-c", "navigator"],
}


@pytest.mark.parametrize("form", KUBECTL)
def test_cl5_forms_of_kubectl(team, form):  # noqa: F811
    done = team.run(*KUBECTL[form], "--", "sh", "-c", "id -un; exit 3", check=False)
    assert (done.stdout, done.returncode) == ("sandbox\n", 3)


def test_cl5_kubectl_of_before_websockets(team, monkeypatch):  # noqa: F811
    """SPDY to the API server, as kubectl before 1.31 speaks."""
    monkeypatch.setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false")
    done = sandbox(team, "sh", "-c", "cat; exit 4", input="over spdy\n")
    assert (done.stdout, done.returncode) == ("over spdy\n", 4)


def test_cl5_many_at_once(roads):
    streams = [roads["api"].open(["sh", "-c", f"echo {n}; exit {n}"]) for n in range(12)]
    assert [(r.out, r.code) for r in (stream.finish() for stream in streams)] == [(f"{n}\n", n) for n in range(12)]
