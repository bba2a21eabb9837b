# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 3: who a session is, and what it shares with whom."""
import os
import signal
from pathlib import Path

import pytest

from helpers.policies import POL
from helpers.processes import Processes
from local import images
from local.progress import Failure

NAMESPACES = ("mnt", "pid", "net", "ipc", "uts", "cgroup", "user")


def test_PR1_user_and_groups(pod):
    assert pod.run("id", "-un").out == "sandbox\n"
    assert pod.run("id", "-u").out == "1000\n"
    assert pod.run("id", "-G").out.split() == ["1000"]  # the image gives `sandbox` no other group; above all, never 0


def test_PR2_no_capability_in_any_set(pod):
    sets = dict(line.split() for line in pod.run("grep", "Cap", "/proc/self/status").out.splitlines())
    assert sets == {f"Cap{name}:": "0" * 16 for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")}


def test_PR3_no_new_privileges(pod):
    assert pod.run("grep", "NoNewPrivs", "/proc/self/status").out.split() == ["NoNewPrivs:", "1"]
    setuid = pod.shell("cp /usr/bin/id /tmp/id; stat -c %A /usr/bin/su; su -c id; sudo -n id; true")
    assert "rws" in setuid.out
    assert "uid=0" not in setuid.out


def test_PR3_setuid_root_program_stays_sandbox(pod):
    pod.podman_exec("workload", "sh", "-c", "cp /usr/bin/cat /usr/local/bin/rootcat && chmod 4755 /usr/local/bin/rootcat", check=True)
    try:
        assert pod.podman_exec("workload", "/usr/local/bin/rootcat", "/etc/shadow", user="sandbox").returncode == 0
        assert "Permission denied" in pod.run("/usr/local/bin/rootcat", "/etc/shadow").err
    finally:
        pod.podman_exec("workload", "rm", "/usr/local/bin/rootcat", check=True)


def test_PR4_no_core_files(pod):
    assert pod.run("bash", "-c", "ulimit -S -c; ulimit -H -c").out == "0\n0\n"


@pytest.mark.parametrize("user", ["root", "0", '"0"', "-1", "007"])
def test_PR5_root_is_refused(pods, user):
    with pytest.raises(Failure, match=r"\.yaml:\d+:\d+: .*run_as_user"):
        pods.fresh(policy=POL.replace("run_as_user: sandbox", f"run_as_user: {user}"))


def test_PR5_default_is_sandbox(pods):
    policy = POL.replace("process:\n  run_as_user: sandbox\n  run_as_group: sandbox\n", "")
    assert "process:" not in policy
    assert pods(policy=policy).run("id", "-un").out == "sandbox\n"


def test_PR6_number_without_a_name(pods):
    policy = POL.replace("run_as_user: sandbox", 'run_as_user: "4321"').replace("run_as_group: sandbox", 'run_as_group: "4321"')
    result = pods(policy=policy).run("sh", "-c", 'id -u; id -g; echo "$USER $HOME"')
    assert result.out.split() == ["4321", "4321", "4321", "/sandbox"], result.err


def test_PR7_stock_image(pods):
    pod = pods(image="stock", policy="version: 1\n")
    assert pod.podman_exec("workload", "true").returncode == 0
    result = pod.shell("id -un; echo $HOME; touch ~/file && ls ~/file; getent passwd sandbox | cut -d: -f1; git config --global user.name x && "
                       "git config --global user.name; ssh -G host | grep '^user '")
    assert result.out.splitlines() == ["sandbox", "/sandbox", "/sandbox/file", "sandbox", "x", "user sandbox"], result.err


def test_PR7_stock_image_read_only(pods):
    pod = pods(image="stock", policy="version: 1\n", container={"securityContext": {"readOnlyRootFilesystem": True}})
    result = pod.shell("id -un; touch ~/file && ls ~/file")
    assert result.out.splitlines() == ["sandbox", "/sandbox/file"], result.err


@pytest.mark.parametrize("login", [True, False])
def test_PR8_no_descriptor_of_ours(pod, login):
    assert pod.run("ls", "/proc/self/fd", login=login).out.split() == ["0", "1", "2", "3"]
    links = pod.run("python3", "-c", "import os\nfor n in os.listdir('/proc/self/fd'):\n  try: print(os.readlink('/proc/self/fd/'+n))\n"
                    "  except OSError: pass", login=login).out.split()
    assert all(link.startswith(("pipe:", "/dev/null", "/proc/")) for link in links), links


def test_PR9_our_processes_are_closed(pod):
    pids = pod.run("pgrep", "navigator").out.split()
    assert len(pids) >= 2, "launcher and gateway can be seen"
    program = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
for pid in map(int, sys.argv[1:]):
    for what in (lambda: os.kill(pid, 0), lambda: open(f"/proc/{pid}/environ").read(), lambda: os.listdir(f"/proc/{pid}/fd"),
                 lambda: open(f"/proc/{pid}/mem", "rb").read(1), lambda: os.readlink(f"/proc/{pid}/exe"), lambda: os.readlink(f"/proc/{pid}/ns/net"),
                 lambda: os.listdir(f"/proc/{pid}/root/"), lambda: open(f"/proc/{pid}/maps").read()):
        try:
            what()
            print("open")
        except PermissionError:
            print("denied")
"""
    result = pod.python(program, *pids)
    assert result.out.split() == ["denied"] * 8 * len(pids), result.err


def test_PR10_cgroup_of_the_workload(pod):
    main = Path(f"/proc/{pod.pid('workload')}/cgroup").read_text()
    with Processes(pod).session("sleep", "30") as process:
        assert process.read("cgroup") == main
    assert Path(f"/proc/{pod.pid('navigator')}/cgroup").read_text() != main


def test_PR10_memory_limit_of_the_workload(pods):
    pod = pods.fresh(container={"resources": {"limits": {"memory": "128Mi"}}})
    result = pod.python("data = []\nwhile True: data.append(bytearray(b'x' * 1048576))")
    assert result.code == 137
    assert pod.run("echo", "alive").out == "alive\n", "neither the sidecar nor the workload paid for it"


def test_PR11_namespaces(pod):
    main = {name: os.readlink(f"/proc/{pod.pid('workload')}/ns/{name}") for name in NAMESPACES}
    sidecar = os.readlink(f"/proc/{pod.pid('navigator')}/ns/net")
    with Processes(pod).session("sleep", "30") as one, Processes(pod).session("sleep", "30") as other:
        inside = {name: one.namespace(name) for name in NAMESPACES}
        assert {name: inside[name] for name in NAMESPACES if name != "net"} == {name: main[name] for name in NAMESPACES if name != "net"}
        assert inside["net"] not in (main["net"], sidecar)
        assert inside["net"] == other.namespace("net"), "all sessions of a pod share one"


def test_PR11_the_network_namespace_is_empty(pod):
    assert [line.split(":")[0].strip() for line in pod.shell("cat /proc/net/dev").out.splitlines()[2:]] == ["lo"]
    assert pod.python("import socket; socket.create_connection(('10.213.1.1', 9), 3)").code != 0


def test_PR12_label_of_the_workload(pod):
    label = Path(f"/proc/{pod.pid('workload')}/attr/current")
    try:
        main = label.read_text().strip()
    except OSError:
        pytest.skip("this node has neither AppArmor nor SELinux: there is no label to compare")
    with Processes(pod).session("sleep", "30") as process:
        assert process.read("attr/current").strip() == main


def test_PR13_umask_and_signals(pod):
    assert pod.shell("umask").out == "0022\n"
    status = pod.run("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status").out
    assert [line.split()[1] for line in status.splitlines()] == ["0" * 16, "0" * 16]


def test_PR14_no_zombies(pod):
    stream = pod.run("bash", "-c", "for i in $(seq 200); do (sleep 0.01 & true); done; echo done")
    assert stream.out == "done\n"
    for _ in range(1000):
        assert pod.run("true", login=False).code == 0
    states = Processes(pod).states()
    assert "Z" not in states, states


@pytest.mark.parametrize("tty", [False, True])
def test_PR16_write_to_ones_own_output(pod, tty):
    script = "echo one > /dev/stdout && echo two > /dev/stderr && echo three > $(tty)" if tty else "echo one > /dev/stdout && echo two > /dev/stderr"
    result = pod.shell(script, tty=tty)
    assert result.code == 0, result.out + result.err
    if tty:
        assert result.out.split() == ["one", "two", "three"]
    else:
        assert (result.out, result.err) == ("one\n", "two\n")


def test_PR17_nothing_survives_the_sidecar(pods):
    pod = pods.fresh()
    processes = Processes(pod)
    stream = pod.client.open(["python3", "-c", """
import os, sys, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            print("forked", flush=True)
            time.sleep(600)
        os._exit(0)
    os.wait()
time.sleep(600)
"""])
    stream.read_until(b"forked\nforked\nforked")
    assert processes.count("python3") == 4
    os.kill(pod.pid("navigator"), signal.SIGKILL)
    processes.wait_gone("python3", 5)
    stream.drop()

    pod.engine.run("start", pod.container("navigator"))
    pod.wait_ready()
    assert pod.run("id", "-un").out == "sandbox\n"
    assert pod.shell("echo x > /usr/x").code != 0


def test_PR17_only_the_launcher_dies(pods):
    """The container lives on for a moment: gateway and keepers see the launcher's pipe close."""
    pod = pods.fresh()
    processes = Processes(pod)
    stream = pod.client.open(["sh", "-c", "setsid sleep 601 & setsid sleep 602 & wait"])
    processes.wait_for("sleep 60", 2)
    os.kill(processes.host_pid("navigator-sidecar"), signal.SIGKILL)
    processes.wait_for("sleep 60", 0)
    stream.drop()


CLOSED_TO_ITS_OWN_UID = """
import ctypes, os, sys
pid, uid = int(sys.argv[1]), int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(8, 1)
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
def number(value):
    if value < 0:
        raise OSError(ctypes.get_errno(), "")
for what in (lambda: open(f"/proc/{pid}/environ").read(), lambda: os.listdir(f"/proc/{pid}/fd"), lambda: open(f"/proc/{pid}/mem", "rb").read(1),
             lambda: number(libc.ptrace(16, pid, 0, 0)), lambda: number(libc.syscall(438, os.pidfd_open(pid), 0, 0)),
             lambda: os.readlink(f"/proc/{pid}/exe")):
    try:
        what()
        print("open")
    except PermissionError:
        print("denied")
"""


def test_PR18_root_of_the_workload_becomes_our_uid(pod):
    roles = [entry for entry in Processes(pod).list() if entry.name.startswith("navigator-") and not entry.name.startswith("navigator-sidec")]
    assert roles
    for role in roles:
        uid = role.status("Uid").split()[0]
        assert uid not in ("0", "1000")
        inside = role.status("NSpid").split()[-1]
        result = pod.podman_exec("workload", "python3", "-c", CLOSED_TO_ITS_OWN_UID, inside, uid)
        assert result.stdout.split() == ["denied"] * 6, (role.name, result)


def test_PR18_root_of_the_workload_and_the_launcher(pod):
    """Its file capabilities are not the caller's: the kernel asks for them all (ptrace(2), PTRACE_MODE)."""
    launcher = next(entry for entry in Processes(pod).list() if entry.name.startswith("navigator-sidec"))
    result = pod.podman_exec("workload", "python3", "-c", CLOSED_TO_ITS_OWN_UID, launcher.status("NSpid").split()[-1],
                             launcher.status("Uid").split()[0])
    assert result.stdout.split() == ["denied"] * 6


def sidecar_root(pod) -> Path:
    return Path(pod.engine.run("inspect", "--format", "{{.GraphDriver.Data.MergedDir}}", pod.container("navigator")).stdout.strip())


def test_PR19_only_the_launchers_file_has_capabilities(pod):
    root = sidecar_root(pod)
    elfs = {path: os.getxattr(path, "security.capability") for path in root.rglob("*")
            if path.is_file() and not path.is_symlink() and os.stat(path).st_dev == os.stat(root).st_dev and path.read_bytes()[:4] == b"\x7fELF"}
    names = {str(path.relative_to(root)) for path in elfs}
    assert {"usr/bin/navigator-sidecar", "usr/libexec/navigator/navigator-gateway"} <= names
    for path, attribute in elfs.items():
        wanted = images.LAUNCHER_CAPABILITIES if path.name == "navigator-sidecar" else ()
        assert attribute == images.archive.capability_attribute(wanted), path
        assert path.stat().st_uid == 0
        if path.name.startswith("navigator-"):
            assert path.stat().st_mode & 0o7777 == 0o711


def test_PR19_a_process_from_outside_has_nothing(pod):
    """`pods/exec` into the sidecar container: podman gives such a process the container's capabilities as ambient ones, and the empty file
    capability that every ELF there has takes them away. Shown with a program that stays to be looked at, once with it and once without."""
    capabilities = {}
    for kind in ("labelled", "plain"):
        path = sidecar_root(pod) / kind
        path.write_bytes((images.CACHE / "pause").read_bytes())
        path.chmod(0o755)
        if kind == "labelled":
            os.setxattr(path, "security.capability", images.archive.capability_attribute(()))
        try:
            with Processes(pod).podman_exec("navigator", f"/{kind}") as process:
                capabilities[kind] = {process.status(name) for name in ("CapPrm", "CapEff", "CapAmb")}
        finally:
            path.unlink()
    assert capabilities["labelled"] == {"0" * 16}
    assert capabilities["plain"] != {"0" * 16}, "the runtime gives none: then nothing was shown"


@pytest.mark.parametrize("program", ["/bin/sh", "/bin/bash", "/usr/bin/env", "/usr/bin/python3", "/usr/bin/perl"])
def test_PR19_nothing_that_interprets(pod, program):
    assert pod.podman_exec("navigator", program, "-c", "echo ran").returncode in (126, 127)


def test_PR19_no_second_launcher(pod):
    result = pod.podman_exec("navigator", "/usr/bin/navigator-sidecar", timeout=20)  # one that is let in serves until it is ended
    assert result.returncode != 0
    assert "runs in this container already" in result.stderr + result.stdout
    assert pod.run("echo", "alive").out == "alive\n"
