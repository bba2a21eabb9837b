# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 1: the file system, as a session sees it."""
import pytest

from helpers.policies import POL
from local.progress import Failure

DENIED = ("Permission denied", "Operation not permitted", "Read-only file system")


def assert_denied(result):
    assert result.code != 0
    assert any(text in result.err for text in DENIED), result.err


def test_FS1_create_in_usr(pod):
    # Also with the directory open to everybody: it is Landlock that says no.
    pod.podman_exec("workload", "chmod", "0777", "/usr", check=True)
    try:
        assert_denied(pod.shell("echo x > /usr/x"))
        assert_denied(pod.shell("mkdir /usr/directory"))
        assert pod.podman_exec("workload", "ls", "/usr/x", "/usr/directory").returncode != 0
    finally:
        pod.podman_exec("workload", "chmod", "0755", "/usr", check=True)


@pytest.mark.parametrize("folder", ["/tmp", "/sandbox"])
def test_FS2_create_read_delete(pod, folder):
    result = pod.shell(f"cd {folder} && echo content > file && cat file && rm file && ls file")
    assert result.out == "content\n"
    assert "No such file" in result.err


def test_FS3_read_what_is_read_only(pod):
    result = pod.shell("ls /usr && cat /etc/hostname")
    assert result.code == 0
    assert "bin" in result.out.split()


@pytest.mark.parametrize("path", ["/opt", "/opt/readable", "/root", "/srv", "/"])
def test_FS4_not_in_the_policy(pod, path):
    assert pod.podman_exec("workload", "ls", path, user="sandbox" if path != "/root" else "root").returncode == 0
    assert_denied(pod.run("sh", "-c", 'if [ -d "$0" ]; then ls "$0"; else cat "$0"; fi', path))


def test_FS5_own_folder_outside_the_policy(pod):
    write = "echo x > /home/sandbox/file"
    assert pod.podman_exec("workload", "sh", "-c", write, user="sandbox").returncode == 0, "DAC alone would allow it"
    pod.podman_exec("workload", "rm", "/home/sandbox/file", check=True)
    assert_denied(pod.shell(write))
    assert pod.podman_exec("workload", "ls", "/home/sandbox/file").returncode != 0


def test_FS6_rename_and_link_across_folders(pod):
    result = pod.shell("cd /sandbox && rm -rf a b && mkdir a b && echo 1 > a/f && mv a/f b/f && ln b/f a/hard && cat a/hard && rm -r a b")
    assert (result.out, result.err, result.code) == ("1\n", "", 0)


def test_FS7_rename_across_mounts(pod):
    program = """
import os
for source, target in (("/sandbox/f", "/tmp/f"), ("/tmp/f", "/dev/shm/f")):
    open(source, "w").close()
    same = os.stat(os.path.dirname(source)).st_dev == os.stat(os.path.dirname(target)).st_dev
    try:
        os.rename(source, target)
        print("same" if same else "other", "ok")
        os.unlink(target)
    except OSError as error:
        print("same" if same else "other", error.errno)
        os.unlink(source)
"""
    result = pod.python(program)
    assert result.out.splitlines() == ["same ok", "other 18"], result.err


def test_FS8_execute_from_writable_folders(pod):
    result = pod.shell("printf '#!/bin/sh\\necho script\\n' > /sandbox/s && chmod +x /sandbox/s && /sandbox/s && "
                       "cp /usr/bin/echo /tmp/e && /tmp/e binary; rm -f /sandbox/s /tmp/e")
    assert (result.out, result.err) == ("script\nbinary\n", "")


def test_FS9_execute_from_read_only(pod):
    assert pod.run("/usr/bin/id", "-u").out == "1000\n"


def test_FS10_special_files(pod):
    program = """
import os, socket, sys
folder = sys.argv[1]
def bind():
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(folder + "/s")
for name, make in (("f", lambda: os.mkfifo(folder + "/f")), ("l", lambda: os.symlink("/", folder + "/l")), ("s", bind)):
    try:
        make()
        print("ok")
        os.unlink(f"{folder}/{name}")
    except PermissionError:
        print("denied")
"""
    assert pod.python(program, "/sandbox").out.split() == ["ok"] * 3
    pod.podman_exec("workload", "chmod", "0777", "/usr/local", check=True)
    try:
        assert pod.python(program, "/usr/local").out.split() == ["denied"] * 3
    finally:
        pod.podman_exec("workload", "chmod", "0755", "/usr/local", check=True)


def test_FS11_devices(pod):
    result = pod.shell("echo x > /dev/null && head -c 8 /dev/urandom | wc -c")
    assert (result.out.strip(), result.code) == ("8", 0)


def test_FS12_read_only_below_writable(pods):
    policy = POL.replace("    - /dev/urandom\n", "    - /dev/urandom\n    - /sandbox/.bashrc\n")
    with pytest.raises(Failure, match=r"\.yaml:\d+:\d+: .*/sandbox/\.bashrc"):
        pods.fresh(policy=policy)


def test_FS13_workdir_not_included(pods):
    policy = POL.replace("include_workdir: true", "include_workdir: false").replace("    - /sandbox\n", "")
    policy = policy.replace("    - /usr\n", "    - /usr\n    - /sandbox\n")
    pod = pods(policy=policy)
    assert_denied(pod.shell("echo x > /sandbox/x"))
    assert pod.shell("cat /sandbox/.bashrc").code == 0


TRUNCATE = {
    "truncate -s0": "import subprocess, sys; sys.exit(subprocess.call(['truncate', '-s0', '/app/owned'], stderr=subprocess.DEVNULL))",
    "truncate(2)": "import os; os.truncate('/app/owned', 0)",
    "O_RDONLY|O_TRUNC": "import os; os.open('/app/owned', os.O_RDONLY | os.O_TRUNC)",
    "O_WRONLY|O_TRUNC": "import os; os.open('/app/owned', os.O_WRONLY | os.O_TRUNC)",
    "O_CREAT|O_TRUNC": "import os; os.open('/app/owned', os.O_CREAT | os.O_TRUNC)",
}


@pytest.mark.parametrize("how", TRUNCATE)
def test_FS14_truncate_what_is_read_only(pod, how):
    assert pod.python(TRUNCATE[how]).code != 0
    assert pod.podman_exec("workload", "cat", "/app/owned").stdout == "owned by sandbox\n"


def test_FS14_truncate_by_openat2(pod):
    program = """
import ctypes, struct
how = struct.pack("QQQ", 0o1000, 0, 0)
print(ctypes.CDLL(None, use_errno=True).syscall(437, -100, b"/app/owned", how, len(how)))
"""
    assert pod.python(program).out == "-1\n"
    assert pod.podman_exec("workload", "cat", "/app/owned").stdout == "owned by sandbox\n"


def test_FS15_through_proc(pod):
    for pid in (1, "$(pgrep -x navigator-sidec)", "$(pgrep -x sleep | head -1)"):
        assert_denied(pod.shell(f"cat /proc/{pid}/root/etc/shadow"))
        assert_denied(pod.shell(f"ls /proc/{pid}/root/opt"))


def test_FS16_terminals(pod):
    assert pod.python("import os; os.openpty(); print('ok')").out == "ok\n"
    result = pod.shell("script -qc true /tmp/typescript && tmux -f /dev/null new -d sleep 5 && tmux ls && tmux kill-server")
    assert result.code == 0, result.err


def test_FS17_shared_memory(pod):
    assert pod.python("import multiprocessing; multiprocessing.Semaphore(); print('ok')").out == "ok\n"


def test_FS18_volume_of_the_pod(pods, tmp_path):
    tmp_path.chmod(0o777)
    (tmp_path / "given").write_text("by the volume\n")
    policy = POL.replace("    - /tmp\n", "    - /tmp\n    - /data\n")

    def mount(manifest):
        manifest["spec"]["volumes"].append({"name": "data", "hostPath": {"path": str(tmp_path)}})
        manifest["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    pod = pods.fresh(policy=policy, change=mount)
    result = pod.shell("cat /data/given && echo back > /data/back")
    assert (result.out, result.code) == ("by the volume\n", 0), result.err
    assert (tmp_path / "back").read_text() == "back\n"


def test_FS19_symlink_read_only_grants_its_target(pods):
    pod = pods(policy=POL.replace("    - /app\n", "    - /app\n    - /app/link\n"))
    assert pod.shell("cat /opt/readable").code == 0
    assert "/app/link" in pod.logs(), "the load says that a link was followed"


def test_FS19_symlink_read_write_is_refused(pods):
    pod = pods.fresh(policy=POL.replace("    - /tmp\n", "    - /tmp\n    - /app/link\n"), ready=False)
    result = pod.refusal("touch", "/sandbox/ran")
    assert "/app/link" in result.message
    assert "symbolic link" in result.message
    assert pod.podman_exec("workload", "ls", "/sandbox/ran").returncode != 0


def test_FS20_missing_folder_is_created(pods):
    pod = pods(policy=POL.replace("    - /tmp\n", "    - /tmp\n    - /sandbox/new\n"))
    assert pod.shell("stat -c %U /sandbox/new && touch /sandbox/new/file").out == "sandbox\n"
