# SPDX-License-Identifier: Apache-2.0
"""A policy that changes while the pod runs: the volume as kubelet swaps it."""

import os
import subprocess
import time

import outside
import pytest
import yaml
from egress import curl, events, heard, wait_for
from runc_pod import Pod

POLICY = """
version: 1
filesystem_policy:
  read_only: [/usr, /lib, /etc, /proc]
  read_write: [/sandbox, /tmp, /dev/null]
process: {run_as_user: sandbox, run_as_group: sandbox}
"""
HOST = """
network_policies:
  web:
    endpoints: [{host: web.test, ports: [80, 5432]}]
    binaries: [{path: "/**"}]
"""
LEARNING = """
network_policies:
  learning:
    endpoints: [{host: web.test, port: 80, enforcement: audit}]
    binaries: [{path: /nobody}]
"""
ADDRESS = "203.0.113.10"
WORLD = {"addresses": [f"{ADDRESS}/32"], "names": {"web.test": [ADDRESS]}, "tcp": [[ADDRESS, 80, "http"], [ADDRESS, 5432, "echo"]]}


def swap(pod, text):
    """As kubelet does: a new folder, then the link to it in one step."""
    pod.version = getattr(pod, "version", 0) + 1
    folder = pod.volume / f"..{pod.version}"
    folder.mkdir()
    (folder / "policy.yaml").write_text(text)
    (pod.volume / "..next").symlink_to(folder.name)
    os.rename(pod.volume / "..next", pod.volume / "..data")
    if not (pod.volume / "policy.yaml").is_symlink():
        (pod.volume / "policy.yaml").symlink_to("..data/policy.yaml")


@pytest.fixture
def pod(build, tmp_path):
    (tmp_path / "policy.yaml").write_text(POLICY)
    pod = Pod(build, policy=["--policy", tmp_path / "policy.yaml", "--policy-source", "configmap/demo"])
    swap(pod, POLICY)
    pod.world = outside.start(pod.pause, WORLD, tmp_path)
    try:
        pod.start()
        wait_for(lambda: events(pod, "policy_in_force"))
        yield pod
    finally:
        print(pod.log("sidecar"), *pod.audit(), sep="\n")
        pod.world.kill()
        pod.destroy()


def generations(pod):
    return [line["generation"] for line in events(pod, "policy_in_force")]


def test_H1_H4_H2_a_host_comes_and_goes(pod, shell):
    assert curl(shell, "http://web.test/")[0] == 403
    swap(pod, POLICY + HOST)
    wait_for(lambda: generations(pod) == [1, 2])
    assert curl(shell, "http://web.test/")[0] == 200
    assert curl(shell, "http://web.test/", proxy=False)[0] == 200

    swap(pod, POLICY + HOST)  # the same text in another folder
    time.sleep(2.5)
    assert generations(pod) == [1, 2]

    script = "import socket;s=socket.create_connection(('web.test',5432));s.send(b'x');print(s.recv(9),flush=True)\ntry: print('end',s.recv(9))\nexcept OSError as e: print('end',e)"
    tunnel = shell.gateway.start(["/usr/bin/python3", "-c", script], flags=0b1110)
    shell.gateway.wait_started(tunnel)
    heard(pod, host="web.test", port="5432", verdict="allowed")
    swap(pod, POLICY)
    wait_for(lambda: generations(pod) == [1, 2, 3])
    shell.gateway.pump(tunnel, b"", 0b1110, 5)
    assert b"end" in tunnel.out
    assert heard(pod, host="web.test", port="5432", verdict="denied")["reason"] == "no_host"
    assert curl(shell, "http://web.test/")[0] == 403


def test_H3_a_bad_policy_changes_nothing(pod, shell):
    swap(pod, POLICY + HOST)
    wait_for(lambda: generations(pod) == [1, 2])
    for bad in ("version: 1\nnonsense: true\n", "", "network_policies: [", POLICY + HOST.replace("web.test", "'*'")):
        seen = len(events(pod, "policy_refused"))
        swap(pod, bad)
        refused = wait_for(lambda: events(pod, "policy_refused")[seen:])
        assert "policy.yaml" in refused[-1]["reason"]
        assert curl(shell, "http://web.test/")[0] == 200
    assert generations(pod) == [1, 2]


def test_H5_files_wait_for_a_restart(pod, shell):
    swap(pod, POLICY.replace("/tmp, ", "") + HOST)
    wait_for(lambda: generations(pod) == [1, 2])
    assert "filesystem_policy" in events(pod, "policy_changed")[-1]["waits_for_restart"]
    assert shell("/bin/sh", "-c", "echo x > /tmp/still && echo yes").out == b"yes\n"


def test_EG1_what_was_learned_becomes_the_policy(pod, shell):
    """enforcement: audit lets through and records; navigator policy suggest makes the rule of it, and under that the record ends."""
    swap(pod, POLICY + LEARNING)
    wait_for(lambda: generations(pod) == [1, 2])
    assert curl(shell, "http://web.test/")[0] == 200
    assert heard(pod, host="web.test", verdict="let_through")["reason"] == "no_binary"
    assert curl(shell, "http://evil.test/")[0] == 403
    heard(pod, host="evil.test", verdict="denied", via="proxy")

    (pod.directory / "learning.yaml").write_text(POLICY + LEARNING)
    done = subprocess.run([pod.binaries / "navigator", "policy", "suggest", "--policy", pod.directory / "learning.yaml", pod.directory / "sidecar.out"],
                          capture_output=True, text=True, check=True)
    suggested = yaml.safe_load(done.stdout)["network_policies"]["suggested_curl"]
    assert suggested == {"endpoints": [{"host": "evil.test", "port": 80}, {"host": "web.test", "port": 80}], "binaries": [{"path": "/usr/bin/curl"}]}

    swap(pod, POLICY + yaml.safe_dump({"network_policies": {"curl": {**suggested, "endpoints": suggested["endpoints"][1:]}}}))
    wait_for(lambda: generations(pod) == [1, 2, 3])
    assert curl(shell, "http://web.test/")[0] == 200
    assert heard(pod, host="web.test", verdict="allowed")["policy"] == "curl"
    assert shell("/usr/bin/python3", "-c", "import urllib.request as u; print(u.urlopen('http://web.test/').status)").code == 1


def test_H3_a_policy_that_is_no_file(pod):
    """A volume that the workload writes, too: a FIFO there holds nobody."""
    (pod.volume / "policy.yaml").unlink()
    os.mkfifo(pod.volume / "policy.yaml")
    time.sleep(2.5)
    assert pod.gateway().run(["echo", "served"]).out == b"served\n"
