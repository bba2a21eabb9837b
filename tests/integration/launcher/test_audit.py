# SPDX-License-Identifier: Apache-2.0
"""The audit, row by row: what is in it, who can write to it, and what waits for it."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from egress import events, wait_for
from helpers import audit
from wire import AUDIT, SESSION_START, pack_list, pack_text

POLICY = """
version: 1
filesystem_policy:
  read_only: [/usr, /lib, /etc, /proc, /not/there]
  read_write: [/sandbox, /tmp, /dev/null]
landlock: {compatibility: best_effort}
process: {run_as_user: sandbox, run_as_group: sandbox}
"""
HOST = """
network_policies:
  web:
    endpoints: [{host: web.test, port: 80}]
    binaries: [{path: "/**"}]
"""


def configmap(folder, text):
    (folder / "policy.yaml").write_text(text)
    return ["--policy", folder / "policy.yaml", "--policy-source", "configmap/demo"]


def say(gateway, event, *pairs):
    """An event as a role sends it, true or not."""
    gateway.send(AUDIT, 0, pack_text(event) + pack_list([str(part) for part in pairs]))


class Sink:
    """The audit as a pipe that is read when the test says so."""

    def __init__(self, pod, name="audit.pipe"):
        path = pod.sockets / name
        os.mkfifo(path)
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.text = b""

    def drain(self):
        try:
            while data := os.read(self.fd, 65536):
                self.text += data
        except BlockingIOError:
            pass
        return [audit.flat(line) for line in self.text.decode().splitlines()]


def test_A1_start_and_end(make_pod):
    pod = make_pod().start()
    pod.gateway().run(["echo", "a b"], directory="/tmp")
    start, end = events(pod, "session_start")[0], events(pod, "session_end")[0]
    assert start["caller"] == "tester" and start["source"] == "unix" and start["uid"] == 1000 and start["directory"] == "/tmp"
    assert start["arguments"] == ["echo", "a b"] and start["terminal"] is False
    assert start["landlock_abi"] >= 2 and start["rules"] > 10
    assert end["exit_code"] == 0 and end["milliseconds"] < 60000 and end["session"] == start["session"]


def test_A1_lines_are_ocsf(make_pod):
    """What every consumer of OCSF relies on; the numbers of each class are the formatter's unit test."""
    pod = make_pod().start()
    pod.gateway().run(["true"])
    wait_for(lambda: events(pod, "session_end"))
    for text in (pod.directory / "sidecar.out").read_text().splitlines():
        line = json.loads(text)
        assert line["type_uid"] == line["class_uid"] * 100 + line["activity_id"] and line["category_uid"] == line["class_uid"] // 1000
        assert abs(line["time"] / 1000 - time.time()) < 60 and line["severity_id"] in (1, 2, 3) and line["status_id"] in (1, 2)
        assert line["message"] and line["metadata"]["version"] == "1.6.0" and line["metadata"]["product"]["name"] == "navigator"


def test_A2_a_policy_that_is_loaded(make_pod, tmp_path):
    accepted = "inference: {allowed_routes: [local]}\n"
    pod = make_pod(policy=configmap(tmp_path, POLICY + accepted)).start()
    pod.gateway().run(["true"])
    wait_for(lambda: events(pod, "session_end") and events(pod, "policy_in_force"))
    taken, changed, force, start = (events(pod, name)[0] for name in ("container_taken", "policy_changed", "policy_in_force", "session_start"))
    assert taken["policy_source"] == "configmap/demo" and taken["landlock"] == "best_effort" and taken["landlock_abi"] >= 2 and taken["paths"] > 5
    assert (taken["keys_not_enforced"], taken["endpoints_not_inspectable"]) == (1, 0)
    assert len(taken["policy_sha256"]) == 64 and taken["policy_sha256"] == changed["policy_sha256"] == force["policy_sha256"] == start["policy_sha256"]
    assert changed["generation"] == force["generation"] == 1 and changed["sequence"] < force["sequence"]
    assert start["paths_missing"] == ["/not/there"] and start["rules"] > 5 and "paths missing: 1" in start["status"]


ASK = """
import socket
def ask(host):
    with socket.create_connection(("127.0.0.1", 3128), 5) as proxy:
        proxy.sendall(f"CONNECT {host}:443 HTTP/1.1\\r\\nHost: {host}:443\\r\\n\\r\\n".encode())
        assert b" 403 " in proxy.recv(4096)
for _ in range(50): ask("evil.test")
for number in range(200): ask(f"h{number}.test")
"""


def test_A3_denials_are_folded_and_none_goes_uncounted(make_pod, tmp_path):
    """Fifty of one kind are two lines; of many kinds in a second those beyond the 64th are counted together."""
    pod = make_pod(policy=configmap(tmp_path, POLICY + HOST)).start()
    wait_for(lambda: events(pod, "policy_in_force"))
    done = pod.gateway().run(["/usr/bin/python3", "-c", ASK])
    assert done.code == 0, done.err

    def counted():
        return len(events(pod, verdict="denied")) + sum(line["repeated"] for line in events(pod, "network_repeated", verdict="denied"))
    wait_for(lambda: counted() == 250, 15)
    evil = events(pod, host="evil.test") + events(pod, "network_repeated", host="evil.test")
    assert [line.get("repeated") for line in evil] == [None, 49] and evil[0]["binary"] == evil[1]["binary"] and evil[0]["pid"] > 0
    assert evil[1]["message"].endswith("(and 49 more)")
    assert events(pod, reason="many") and len(events(pod, verdict="denied")) < 200


def test_A4_what_a_caller_writes_is_escaped(make_pod):
    pod = make_pod().start()
    hostile = ["echo", "\x1b[31m\n{\"class_uid\":1007}\n", "\u202e\u2028", "a\"b\\"]
    pod.gateway().run(hostile)
    wait_for(lambda: events(pod, "session_end"))
    raw = (pod.directory / "sidecar.out").read_bytes()
    assert all(byte == 10 or 32 <= byte < 127 for byte in raw)
    start = events(pod, "session_start")[0]
    assert start["arguments"] == hostile
    assert all(" " <= letter <= "~" for letter in start["message"]), "the shorthand is printable as it is"


def test_A5_a_long_line_is_cut_and_its_hash_kept(make_pod):
    pod = make_pod().start()
    pod.gateway().run(["echo", "x" * 30000, "\x1b" * 30000])
    wait_for(lambda: events(pod, "session_end"))
    raw = (pod.directory / "sidecar.out").read_bytes()
    start = events(pod, "session_start")[0]
    assert max(len(line) for line in raw.split(b"\n")) < 4096
    assert start["cut"] and len(start["arguments_sha256"]) == 64 and start["arguments"][0] == "echo"


def test_A5_sequence_and_role_are_the_launchers(make_pod):
    pod = make_pod().start()
    gateway = pod.gateway()
    say(gateway, 'x"\n', "who", 'a"b\n\x1b', "code", 7)
    say(gateway, "session_start", "session", 9, "caller", "root", "exit_code", '1},"metadata":{"sequence":1')
    wait_for(lambda: events(pod, "session_start"))
    odd, forged = events(pod, 'x"\n')[0], events(pod, "session_start")[0]
    assert odd["role"] == forged["role"] == "gateway"
    assert odd["class"] == forged["class"] == 0, "what is not a role's own has no class"
    assert odd["who"] == 'a"b\n\x1b' and odd["code"] == "7" and forged["exit_code"] == '1},"metadata":{"sequence":1'
    assert [line["sequence"] for line in pod.audit()] == list(range(1, len(pod.audit()) + 1))


@pytest.mark.parametrize("kind, fields", [
    (1, b""), (200, b""), (SESSION_START, b"xx"), (AUDIT, b"xx"),
    (AUDIT, pack_text("e") + pack_list(['x":"', "y"])),
    (AUDIT, pack_text("e") + pack_list(["role", "launcher"])),
    (AUDIT, pack_text("e") + pack_list(["host", "a", "host", "b"])),
    (AUDIT, pack_text("e") + pack_list(["host", "a" * 4096])),
    (AUDIT, pack_text("e") + pack_list(["host"])),
], ids="unknown-kind no-kind bad-session bad-audit bad-key stamped-key key-twice too-long no-value".split())
def test_A5_a_role_that_breaks_the_rules_is_ended(make_pod, kind, fields):
    pod = make_pod().start()
    gateway = pod.gateway(wait=False)
    gateway.send(kind, 1, fields)
    wait_for(lambda: events(pod, "process_ended", process="gateway"))


def test_A5_the_workload_reaches_no_audit(make_pod):
    """Its root shares the pod's processes with the launcher, and can be the launcher's uid: it sees none of its files."""
    pod = make_pod().start()
    pod.gateway().run(["true"])
    sidecar = next(line for line in Path(f"/proc/{pod.sidecar}/status").read_text().splitlines() if line.startswith("NSpid:")).split()[-1]
    for uid in (0, 64700, 64701, 64702):
        done = pod.run_in("workload", f"ls /proc/{sidecar}/root/run; cat /proc/{sidecar}/fd/1; echo forged >> /proc/{sidecar}/fd/1; rm /proc/{sidecar}/root/run/navigator/*", uid)
        assert done.stdout == "" and done.stderr.count("Permission denied") >= 3, done
    assert "forged" not in (pod.directory / "sidecar.out").read_text() and (pod.sockets / "audit.jsonl").stat().st_size > 0


def test_A1_followed_from_the_sidecars_container(make_pod):
    """What `kubectl exec POD -c navigator -- navigator audit --follow` runs."""
    pod = make_pod().start()
    gateway = pod.gateway()
    gateway.run(["true"])
    command = ["/usr/libexec/navigator/navigator", "audit"]
    following = subprocess.Popen(pod.exec_in("sidecar", *command, "--follow", "--last", "1", "event=session_*", uid=64700), stdout=subprocess.PIPE, text=True)
    assert "session 1 ended: exit code 0" in following.stdout.readline()
    gateway.run(["echo", "x y"])
    assert 'session 2 started: tester (unix) runs ["echo","x y"] in workload as 1000' in following.stdout.readline()
    assert "session 2 ended" in following.stdout.readline()
    following.send_signal(signal.SIGINT)
    assert following.wait(5) == 0 and following.stdout.read() == ""
    following.stdout.close()
    shown = subprocess.run(pod.exec_in("sidecar", *command, "--output", "json", uid=64700), capture_output=True, text=True, check=True).stdout
    assert [json.loads(line) for line in shown.splitlines()] == [json.loads(line) for line in (pod.directory / "sidecar.out").read_text().splitlines()]


def test_A6_a_session_waits_two_seconds_and_is_refused(make_pod):
    pod = make_pod(options=["--audit", "/dev/full"]).start()
    begin = time.monotonic()
    session = pod.gateway().run(["sh", "-c", "touch /sandbox/ran"])
    assert session.step == "audit" and 1.5 < time.monotonic() - begin < 4
    assert not (pod.root / "sandbox/ran").exists()


def test_A6_a_session_that_waits_is_not_lost(make_pod):
    """A reader that was behind for a second costs nothing."""
    pod = make_pod(options=["--audit", "/run/navigator/audit.pipe"])
    sink = Sink(pod)
    pod.start()
    gateway = pod.gateway()
    wait_for(lambda: {"policy_in_force", "process_ready"} <= {line["event"] for line in sink.drain() if line.get("process") != "gateway"})
    for number in range(200):
        say(gateway, "e", "number", number)
    threading.Timer(1, sink.drain).start()
    assert gateway.run(["echo", "late"]).out == b"late\n"
    lines = wait_for(lambda: (lines := sink.drain()) and lines[-1]["event"] == "session_end" and lines)
    assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))
    given_up = sum(line.get("lines_lost", 0) for line in lines)
    assert given_up > 0 and given_up + sum(line["event"] == "e" for line in lines) == 200, "each of them was written or counted"


def test_A6_a_policy_does_not_come_into_force_without_its_line(make_pod, tmp_path):
    pod = make_pod(policy=configmap(tmp_path, POLICY), options=["--audit", "/run/navigator/audit.pipe"])
    (pod.volume / "policy.yaml").write_text(POLICY)
    sink = Sink(pod)

    def generations():
        return [line["generation"] for line in sink.drain() if line["event"] == "policy_in_force"]

    pod.start()
    gateway = pod.gateway()
    wait_for(lambda: generations() == [1])
    for number in range(200):
        say(gateway, "e", "number", number)
    (pod.volume / "policy.yaml").write_text(POLICY + HOST)
    wait_for(lambda: "no policy comes into force without its line" in pod.log("sidecar"), 8)
    assert gateway.run(["true"]).step == "audit"
    assert generations() == [1], "what was in the pipe before has no second one"
    wait_for(lambda: generations() == [1, 2])
    assert any(line.get("lines_lost", 0) > 0 for line in sink.drain())
