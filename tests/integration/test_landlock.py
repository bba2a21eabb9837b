# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 2: how strict Landlock is taken."""
import pytest

from helpers.policies import POL
from local.progress import Failure

BEST_EFFORT = POL.replace("hard_requirement", "best_effort")


def with_missing(policy: str) -> str:
    return policy.replace("    - /app\n", "    - /app\n    - /not/there\n")


def test_LL1_best_effort_skips_what_is_missing(pods):
    pod = pods(policy=with_missing(BEST_EFFORT))
    assert pod.shell("echo x > /usr/x").code != 0
    assert pod.shell("cat /opt/readable").code != 0
    assert pod.shell("cat /etc/hostname").code == 0
    assert "/not/there" in pod.logs()


def test_LL2_hard_requirement_refuses_what_is_missing(pods):
    pod = pods.fresh(policy=with_missing(POL), ready=False)
    result = pod.refusal("touch", "/sandbox/ran")
    assert "/not/there" in result.message
    assert "hard_requirement" in result.message
    assert pod.podman_exec("workload", "ls", "/sandbox/ran").returncode != 0, "no user code ran"


def test_LL2_paths_of_the_default_may_be_missing(pods):
    pod = pods(image="stock", policy="version: 1\n")
    assert pod.podman_exec("workload", "ls", "/app").returncode != 0
    assert pod.run("true").code == 0


def test_LL3_hard_requirement_with_devices(pod):
    assert pod.run("true").code == 0


def test_LL6_unknown_mode_is_refused(pods):
    with pytest.raises(Failure, match=r"\.yaml:\d+:\d+: .*hard_requirement"):
        pods.fresh(policy=POL.replace("hard_requirement", "hard-requirement"))


def test_LL7_hard_requirement_without_paths(pods):
    policy = """\
version: 1
filesystem_policy: {include_workdir: false, read_only: [], read_write: []}
landlock: {compatibility: hard_requirement}
"""
    with pytest.raises(Failure, match=r"\.yaml:\d+:\d+: "):
        pods.fresh(policy=policy)


def test_LL8_folder_that_only_root_may_open(pods):
    pod = pods(policy=POL.replace("    - /app\n", "    - /app\n    - /app/locked\n"))
    assert pod.podman_exec("workload", "stat", "-c", "%a %U", "/app/locked").stdout == "700 root\n"
    assert pod.shell("cat /app/locked/secret").code != 0, "who may open it is still for the file's owner to say"


def test_LL9_a_sandbox_in_the_sandbox(pod):
    program = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
attribute = (ctypes.c_uint64 * 1)(0x1 | 0x2 | 0x4)
ruleset = libc.syscall(444, attribute, 8, 0)
print(ruleset >= 0, libc.syscall(446, ruleset, 0))
try:
    open("/etc/hostname")
except PermissionError:
    print("denied")
"""
    assert pod.python(program).out.splitlines() == ["True 0", "denied"]


def test_LL10_best_effort_with_nothing_left(pods):
    policy = """\
version: 1
filesystem_policy: {include_workdir: false, read_only: [/not/there], read_write: []}
landlock: {compatibility: best_effort}
"""
    pod = pods.fresh(policy=policy, ready=False)
    result = pod.refusal("sh", "-c", "echo x > /usr/x; cat /opt/readable")
    assert result.status["status"] == "Failure"
    assert "world-readable" not in result.out


def test_LL11_children_have_the_same_denials(pod):
    rows = "echo x > /usr/x; cat /opt/readable; echo x > /home/sandbox/x; cat /etc/hostname"
    direct = pod.shell(f"({rows}) 2>&1 | sed 's/^.*: //'", login=False)
    nested = pod.shell(f"bash -lc 'setsid bash -c \"({rows}) 2>&1\"' | sed 's/^.*: //'")
    assert direct.out == nested.out
    assert direct.out.count("denied") == 3
