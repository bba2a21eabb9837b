# SPDX-License-Identifier: Apache-2.0
"""What must hold when something is killed, lies, or stands in the way."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

TREE = ["sh", "-c", "trap '' HUP TERM; for i in 1 2 3; do (setsid sh -c 'trap \"\" HUP; exec sleep 34' &); done; echo up; exec sleep 35"]


def wait_for(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
    return value


def start_tree(gateway):
    session = gateway.start(TREE)
    gateway.wait_started(session)
    assert os.read(session.fds[1], 10) == b"up\n"
    return session


def named(pod, name):
    return [pid for pid in pod.processes() if Path(f"/proc/{pid}/comm").read_text().strip() == name[:15]]


def events(pod, name):
    return [line for line in pod.audit() if line["event"] == name]


def test_pr17_launcher_killed(make_pod):
    pod = make_pod().start()
    gateway = pod.gateway()
    start_tree(gateway)
    assert len(pod.sandboxed()) >= 4
    os.kill(pod.sidecar, signal.SIGKILL)
    wait_for(lambda: not pod.sandboxed())
    gateway.close()
    pod.remove_container("sidecar")
    pod.start_sidecar()
    pod.hand_over()
    assert pod.gateway().run(["echo", "back"]).out == b"back\n"


def test_pr17_everything_of_the_sidecar_killed_at_once(make_pod):
    """Then nobody is left to end the sessions but the next launcher."""
    pod = make_pod().start()
    gateway = pod.gateway()
    start_tree(gateway)
    ours = [pod.sidecar] + named(pod, "keeper") + named(pod, "navigator-gateway")
    for pid in ours:
        os.kill(pid, signal.SIGSTOP)
    for pid in ours:
        with contextlib.suppress(ProcessLookupError):  # the launcher's end takes the gateway along
            os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    left = pod.sandboxed().values()
    assert left and not any("sleep 35" in command for command in left)  # the program itself died with its keeper
    gateway.close()
    pod.remove_container("sidecar")
    pod.start_sidecar()
    pod.hand_over()
    assert pod.gateway().run(["echo", "back"]).out == b"back\n"
    assert not pod.sandboxed()


def test_sweep_leaves_a_workloads_own_namespaces_alone(make_pod):
    pod = make_pod()
    pod.start_workload()
    own = subprocess.Popen(["nsenter", "--target", str(pod.pause), "--pid", "--net", "unshare", "--user", "--net", "sleep", "36"])
    try:
        wait_for(lambda: any("sleep 36" in command for command in pod.sandboxed().values()))
        pod.start_sidecar()
        pod.hand_over()
        pod.gateway().run(["true"])
        assert any("sleep 36" in command for command in pod.sandboxed().values())
    finally:
        own.kill()
        own.wait()


def test_keeper_killed(make_pod):
    pod = make_pod().start()
    gateway = pod.gateway()
    session = start_tree(gateway)
    (keeper,) = named(pod, "keeper")
    os.kill(keeper, signal.SIGKILL)
    gateway.wait_ended(session)
    assert session.signalled and not pod.sandboxed()
    assert gateway.run(["echo", "still"]).out == b"still\n"


def test_gateway_killed(make_pod):
    pod = make_pod().start()
    gateway = pod.gateway()
    start_tree(gateway)
    (process,) = named(pod, "navigator-gateway")
    os.kill(process, signal.SIGKILL)
    wait_for(lambda: not pod.sandboxed(), 2)
    assert pod.gateway().run(["echo", "again"]).out == b"again\n"
    assert len(events(pod, "process_ended")) == 1


def test_workload_ends_and_comes_back(make_pod):
    pod = make_pod().start()
    gateway = pod.gateway()
    session = start_tree(gateway)
    os.kill(pod.workload, signal.SIGKILL)
    gateway.wait_ended(session)
    gateway.wait(lambda: gateway.targets == [])
    assert "no sandboxed container" in gateway.run(["true"]).refusal
    pod.remove_container("workload")
    pod.start_workload()
    pod.hand_over()
    gateway.wait_for_target()
    assert gateway.run(["echo", "new"]).out == b"new\n"


def test_pr19_second_launcher_refuses(make_pod):
    pod = make_pod().start()
    pod.gateway()
    done = subprocess.run(
        ["runc", "--root", pod.directory / "runc", "exec", f"{pod.name}-sidecar", "/usr/libexec/navigator/navigator-sidecar", "--gateway", "/bin/sh", "--port", "99"],
        capture_output=True, text=True, check=False, timeout=20,
    )
    assert done.returncode == 1 and "runs in this container already" in done.stderr


def test_capabilities_missing(make_pod):
    pod = make_pod()
    subprocess.run(["setcap", "cap_sys_admin,cap_kill=ep", pod.sidecar_root / "usr/libexec/navigator/navigator-sidecar"], check=True)
    pod.start_sidecar()
    wait_for(lambda: "SYS_PTRACE" in pod.log("sidecar"))


@pytest.mark.parametrize("uid", [0, 64700, 64701])
def test_pr18_nobody_looks_into_ours(shared, gateway, uid):
    session = start_tree(gateway)
    try:
        for name in ("navigator-sidecar", "navigator-gateway", "keeper"):
            for host_pid in named(shared, name):
                status = Path(f"/proc/{host_pid}/status").read_text()
                pid = next(line.split()[-1] for line in status.splitlines() if line.startswith("NSpid:"))
                script = f"cat /proc/{pid}/environ /proc/{pid}/maps; cat /proc/{pid}/fd/0; ls /proc/{pid}/root/; readlink /proc/{pid}/fd/1 && echo read; head -c1 /proc/{pid}/mem"
                done = subprocess.run(
                    ["runc", "--root", shared.directory / "runc", "exec", "--user", f"{uid}:{uid}", f"{shared.name}-workload", "sh", "-c", script],
                    capture_output=True, text=True, check=False,
                )
                assert done.stdout == "" and done.stderr.count("denied") >= 5, (name, done)
    finally:
        gateway.stop(session)
        gateway.wait_ended(session)


def test_pr18_capabilities_of_ours(shared, gateway):
    session = start_tree(gateway)
    try:
        def sets(pid):
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            return {line.split(":")[0]: int(line.split()[1], 16) for line in lines if line.startswith("Cap")}

        (role,), (keeper,), (launcher,) = named(shared, "navigator-gateway"), named(shared, "keeper"), named(shared, "navigator-sidecar")
        assert set(sets(role).values()) == {0}
        # a uid of its own: what runs as the launcher's may signal it and open its socket
        ids = dict(line.split(":", 1) for line in Path(f"/proc/{role}/status").read_text().splitlines() if line.startswith(("Uid", "Gid", "Groups")))
        assert {name: value.split() for name, value in ids.items()} == {"Uid": ["64701"] * 4, "Gid": ["64701"] * 4, "Groups": []}
        assert sets(keeper) == {"CapInh": 0, "CapPrm": 1 << 5, "CapEff": 1 << 5, "CapBnd": 0, "CapAmb": 0}
        assert sets(launcher)["CapInh"] == sets(launcher)["CapAmb"] == 0
        assert sets(launcher)["CapEff"] & (1 << 12 | 1 << 13) == 0  # NET_ADMIN, NET_RAW
        with open(f"/proc/{role}/environ", encoding="ascii") as file:
            assert file.read().split("\0")[:-1] == ["NAVIGATOR_POD=demo"]
        assert sorted(os.listdir(f"/proc/{role}/fd")) [:4] == ["0", "1", "2", "3"]
    finally:
        gateway.stop(session)
        gateway.wait_ended(session)


def test_hand_over_from_inside_the_pod_is_not_heard(make_pod):
    pod = make_pod()
    pod.start_workload()
    pod.start_sidecar()
    wait_for((pod.sockets / "launcher.sock").exists)
    subprocess.run(
        ["nsenter", "--target", str(pod.pause), "--pid", pod.binaries / "test-handover", "--socket", pod.sockets / "launcher.sock", "--pid", str(pod.workload)],
        capture_output=True, text=True, check=False,
    )
    wait_for(lambda: "of this pod tried to hand over" in pod.log("sidecar"))
    assert events(pod, "container_taken") == []


def test_record_of_another_process(make_pod):
    pod = make_pod()
    pod.start_workload()
    pod.start_sidecar()
    pod.hand_over("--start-time", "1")
    gateway = pod.gateway(wait=False)
    wait_for(lambda: events(pod, "container_refused"))
    assert "another process" in gateway.run(["true"]).refusal


def test_container_that_has_not_started(make_pod):
    """The runtime's init is still the runtime: sleep stands for it."""
    pod = make_pod()
    pod.start_workload(args=["sh", "-c", "sleep 2; exec tail -f /dev/null"])
    pod.start_sidecar()
    pod.hand_over("--runtime", f"/proc/{pod.workload}/exe")
    gateway = pod.gateway(wait=False)
    session = gateway.run(["true"])
    while session.refusal and "no sandboxed container" in session.refusal:
        session = gateway.run(["true"])
    assert "has not started" in session.refusal
    gateway.wait_for_target()
    assert gateway.run(["echo", "now"]).out == b"now\n"


def test_root_that_is_another(make_pod):
    """A process that is not in the container's root yet is not entered: /proc/PID/root of the record is another directory."""
    pod = make_pod()
    pod.start_workload(args=["sh", "-c", "sleep 1; exec chroot /sandbox/other /usr/bin/sleep 60"])
    pod.start_sidecar()
    other = pod.root / "sandbox/other"
    for file in ("/usr/bin/sleep", "/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"):
        target = other / file.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    wait_for(lambda: os.readlink(f"/proc/{pod.workload}/root").endswith("/sandbox/other"))
    pod.hand_over()
    session = pod.gateway().run(["true"])
    assert session.step == "root" and "root" in session.refusal


def test_unknown_container_and_the_default(make_pod):
    pod = make_pod()
    pod.start_workload()
    pod.start_sidecar()
    pod.hand_over("--name", "one", "--target", "two")
    pod.start_workload("second")
    pod.hand_over("--name", "two", "--target", "two", "--env", "WHICH=two")
    gateway = pod.gateway(wait=False)
    gateway.wait(lambda: gateway.targets == ["two", "one"])
    assert gateway.run(["printenv", "WHICH"]).out == b"two\n"
    assert gateway.run(["printenv", "WHICH"], container="one").code == 1
    assert "'three'" in gateway.run(["true"], container="three").refusal


def test_a_session_is_stopped_before_it_began(make_pod):
    """Its child waits for the audit then, and its keeper for the child: neither is left, and nothing of the workload's has run."""
    pod = make_pod(options=["--audit", "/dev/full"]).start()
    gateway = pod.gateway()
    session = gateway.start(["sh", "-c", "touch /sandbox/ran"])
    wait_for(lambda: named(pod, "keeper"))
    gateway.stop(session)
    begin = time.monotonic()
    gateway.wait_ended(session)
    assert session.step == "start" and time.monotonic() - begin < 1
    wait_for(lambda: not named(pod, "keeper") and not pod.sandboxed())
    assert not (pod.root / "sandbox/ran").exists()


def test_launcher_is_filtered(shared, gateway):
    """What neither the sidecar nor a session calls is forbidden to the launcher and all that it starts; these containers have no filter of a runtime's."""
    session = start_tree(gateway)
    try:
        for name in ("navigator-sidecar", "keeper", "navigator-gateway"):
            (pid,) = named(shared, name)
            assert "\nSeccomp:\t2\n" in Path(f"/proc/{pid}/status").read_text(), name
    finally:
        gateway.stop(session)
        gateway.wait_ended(session)


def test_a_keeper_that_was_stopped(make_pod):
    """By a root in the workload: its session ends all the same, when it is to end."""
    pod = make_pod().start()
    gateway = pod.gateway()
    gateway.limit = 15
    session = start_tree(gateway)
    (keeper,) = named(pod, "keeper")
    os.kill(keeper, signal.SIGSTOP)
    gateway.stop(session)
    gateway.wait_ended(session)
    wait_for(lambda: not pod.sandboxed() and not named(pod, "keeper"))
    assert gateway.run(["echo", "still"]).out == b"still\n"


def test_a_launcher_whose_files_were_limited(make_pod):
    """By a process of its own uid: a keeper lets go of what it was forked with all the same, and sessions end."""
    pod = make_pod().start()
    gateway = pod.gateway()
    as_the_launcher = ["setpriv", "--reuid=64700", "--regid=64700", "--clear-groups"]
    subprocess.run([*as_the_launcher, "prlimit", "--pid", str(pod.sidecar), "--nofile=64:"], check=True)
    session = start_tree(gateway)
    (keeper,) = named(pod, "keeper")
    wait_for(lambda: "\nCapEff:\t0000000000000020\n" in Path(f"/proc/{keeper}/status").read_text())
    assert len(os.listdir(f"/proc/{keeper}/fd")) == 6
    gateway.stop(session)
    gateway.wait_ended(session)
    wait_for(lambda: not pod.sandboxed())


def test_a_session_may_not_limit_another(shared, gateway):
    """Landlock's scope keeps signals in; a limit of processor time would be one."""
    victim = gateway.start(["sleep", "61"])
    try:
        gateway.wait_started(victim)
        program = "import resource, sys; resource.prlimit(int(sys.argv[1]), resource.RLIMIT_CPU, (0, 0))"
        pid = wait_for(lambda: next((pid for pid, command in shared.sandboxed().items() if "sleep 61" in command), None))
        done = gateway.run(["python3", "-c", program, str(pid)])
        assert done.code == 1 and b"PermissionError" in done.err
    finally:
        gateway.stop(victim)
        gateway.wait_ended(victim)


def test_too_many_sessions(make_pod):
    pod = make_pod().start()
    gateway = pod.gateway()
    gateway.limit = 60
    sessions = [gateway.start(["sleep", "60"], flags=0) for _ in range(256)]
    for session in sessions:
        gateway.wait_started(session)
        assert session.refusal is None
    assert "256 sessions" in gateway.run(["true"]).refusal
    for session in sessions:
        gateway.stop(session)
    for session in sessions:
        gateway.wait_ended(session)
    assert gateway.run(["true"]).code == 0
    assert not pod.sandboxed() and len(os.listdir(f"/proc/{pod.sidecar}/fd")) < 40
