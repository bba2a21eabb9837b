# SPDX-License-Identifier: Apache-2.0
"""What a node's kernel makes different: cgroups of version 1 or 2, and Landlock down to ABI 2. In short form, so that an emulated node can be asked."""
import json
import re
import time

import pytest
from conftest import Kubectl, container, pod, wait_for
from test_sessions import POLICY_ANNOTATIONS, READY_SECONDS, config_map, sandbox

MEMORY_LIMIT = "192Mi"
LANDLOCK_VERSION = "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))"
HOG = "x = []\nwhile True: x.append(bytearray(b'y' * (8 << 20)))"


@pytest.fixture(scope="module")
def room(cluster, release):
    """One sandboxed pod, its container with a limit of memory."""
    name = f"kernel-{time.time_ns():x}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    kubectl = Kubectl(name)
    kubectl.run("wait", "serviceaccount/default", "--for=create", "--timeout=30s")
    kubectl.create(config_map())
    kubectl.create(pod(annotations=POLICY_ANNOTATIONS, containers=[container(resources={"limits": {"memory": MEMORY_LIMIT}})]))
    kubectl.run("wait", "pod/agent", "--for=condition=Ready", f"--timeout={READY_SECONDS}s", timeout=READY_SECONDS + 30)
    yield kubectl
    cluster.run("delete", "namespace", name, "--wait=false")


def in_workload(kubectl, *command) -> str:
    return kubectl.run("exec", "agent", "-c", "app", "--", *command).stdout


def restarts(kubectl) -> dict:
    status = kubectl.get("pod", "agent")["status"]
    return {each["name"]: each["restartCount"] for each in status["containerStatuses"] + status["initContainerStatuses"]}


def test_which_kernel_this_is(room, capsys):
    """Not a judgement: what the others were asked of."""
    version = sandbox(room, "python3", "-c", LANDLOCK_VERSION).stdout.strip()
    groups = in_workload(room, "cat", "/proc/self/cgroup").splitlines()
    with capsys.disabled():
        print(f"\n    Linux {in_workload(room, 'uname', '-r').strip()}, Landlock {version}, cgroups of version {2 if len(groups) == 1 else 1}")
    assert int(version) >= 2


def test_pr10_session_is_where_the_workload_is(room):
    """Seen from the workload's own cgroup namespace, where there is one: the sidecar's group would be /../NAME there."""
    session = sandbox(room, "cat", "/proc/self/cgroup").stdout
    assert session and session == in_workload(room, "cat", "/proc/self/cgroup")
    if re.fullmatch(r"0::.*\n", session):
        assert session == "0::/\n"
        assert MEMORY_LIMIT == f"{int(in_workload(room, 'cat', '/sys/fs/cgroup/memory.max')) >> 20}Mi"


def test_pr10_the_sidecar_is_elsewhere(room):
    launcher = in_workload(room, "bash", "-c", "cat /proc/$(pgrep -f '^/usr/bin/navigator-sidecar')/cgroup")
    assert launcher and launcher != in_workload(room, "cat", "/proc/self/cgroup")


def test_pr10_limit_of_the_workload_ends_a_hog_in_a_session(room):
    """On version 2 the kubelet lets a container end as one (memory.oom.group): then the workload starts again, the sidecar never does."""
    before = restarts(room)
    assert sandbox(room, "python3", "-c", HOG).returncode != 0
    wait_for("a session afterwards", lambda: sandbox(room, "id", "-un").stdout.strip() == "sandbox", READY_SECONDS)
    after = restarts(room)
    assert after["navigator"] == before["navigator"]
    state = room.get("pod", "agent")["status"]["containerStatuses"][0]
    if after["app"] != before["app"]:
        assert state["lastState"]["terminated"]["reason"] == "OOMKilled"


# name -> a statement of Python
DENIED = {
    "fs4_write_below_read_only": "open('/app/new', 'w')",
    "fs4_write_what_it_owns_below_read_only": "open('/app/owned', 'a')",
    "fs13_read_what_is_not_listed": "open('/opt/readable')",
    "fs13_list_what_is_not_listed": "os.listdir('/opt')",
    "fs13_through_a_link": "os.listdir('/app/link/')",
    "fs14_truncate": "os.truncate('/app/owned', 0)",
    "fs14_open_and_truncate": "os.open('/app/owned', os.O_RDONLY | os.O_TRUNC)",
    "fs_remove": "os.unlink('/app/owned')",
    "fs_rename_out": "os.rename('/app/owned', '/sandbox/owned')",
    "fs_link_out": "os.link('/app/owned', '/sandbox/owned')",
    "fs_rename_in": "open('/sandbox/x', 'w').close(); os.rename('/sandbox/x', '/app/x')",
    "fs_device": "os.mknod('/sandbox/device', 0o600 | 0o020000, 0x103)",
    "fs_new_folder_below_read_only": "os.mkdir('/app/folder')",
    "fs_symlink_below_read_only": "os.symlink('x', '/app/symlink')",
}
ALLOWED = {
    "fs_write": "open('/sandbox/a', 'w').write('x'); assert open('/sandbox/a').read() == 'x'",
    "fs_truncate_what_is_open": "f = open('/sandbox/o', 'w+'); f.write('xx'); f.truncate(1); assert os.stat('/sandbox/o').st_size == 1",
    "ll_rename_across_folders": "os.makedirs('/sandbox/one', exist_ok=True); open('/sandbox/one/f', 'w'); os.rename('/sandbox/one/f', '/sandbox/f')",
    "ll_rename_to_another_listed": "open('/tmp/f', 'w'); __import__('shutil').move('/tmp/f', '/sandbox/g')",
    "fs_read_only_is_read": "assert 'owned by' in open('/app/owned').read()",
}


# Landlock tells the two apart from ABI 3 on; below, seccomp forbids the call altogether (docs/threat-model.md).
TRUNCATE = "open('/sandbox/t', 'w').write('xx'); os.truncate('/sandbox/t', 1); assert os.stat('/sandbox/t').st_size == 1"

# One session for all of them: on an emulated node each would take seconds.
JUDGE = """
import errno, json, os, sys
def outcome(statement):
    try:
        exec(statement)
    except OSError as error:  # EXDEV is Landlock's word for what must not be linked or moved between folders
        return "denied" if error.errno in (errno.EACCES, errno.EPERM, errno.EXDEV) else repr(error)
    except Exception as error:
        return repr(error)
    return "allowed"
print(json.dumps({name: outcome(statement) for name, statement in json.loads(sys.argv[1]).items()}))
"""


@pytest.fixture(scope="module")
def outcomes(room) -> dict:
    done = sandbox(room, "python3", "-c", JUDGE, json.dumps({**DENIED, **ALLOWED, "truncate": TRUNCATE}))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", DENIED)
def test_floor_denies(outcomes, case):
    assert outcomes[case] == "denied"


@pytest.mark.parametrize("case", ALLOWED)
def test_floor_allows(outcomes, case):
    assert outcomes[case] == "allowed"


def test_fs14_truncate_by_name_needs_abi_3(outcomes, room):
    version = int(sandbox(room, "python3", "-c", LANDLOCK_VERSION).stdout)
    assert outcomes["truncate"] == ("allowed" if version >= 3 else "denied")


def test_floor_leaves_the_file_whole(outcomes, room):
    assert in_workload(room, "cat", "/app/owned") == "owned by sandbox\n"
