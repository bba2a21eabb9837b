# SPDX-License-Identifier: Apache-2.0
"""What the hook remembers of containers, and what it hands to the pod's sidecar (docs/formats/record.md)."""
import hashlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from helpers import record
from helpers.bundle import PATH, Bundle, Listener, inode

POLICY = "version: 1\n# für jeden Pod\n"

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="container runtimes and the hook run as root"),
    pytest.mark.skipif(not shutil.which("busybox"), reason="busybox-static is not installed"),
]


@pytest.fixture
def node(bare_node):
    bare_node.policy("default", POLICY)
    return bare_node


# --- K9: the sidecar's name

def test_K9_name_alone_makes_no_sidecar(node, bundle, network):
    workload = bundle()
    workload.join(network, "pod-1")
    workload.start()
    for change in ({"io.kubernetes.cri.image-name": "evil/sidecar:1"}, {}):
        impostor = bundle()
        impostor.join(network, "pod-1")
        impostor.become_sidecar()
        impostor.annotations.update(change)
        result = impostor.run("/bin/sh" if not change else "/bin/navigator-sidecar")
        assert result.returncode != 0 and "has the sidecar's name" in result.stderr
        assert not list(node.run.glob("pods/*/*.sidecar"))


class Handed:
    def __init__(self, message):
        data, self.descriptors = message
        assert int.from_bytes(data, "little") == record.MAGIC and len(data) == 4
        with os.fdopen(os.dup(self.descriptors[0]), "rb") as file:
            self.record = record.read(file.read())

    @property
    def pid(self) -> int:
        text = Path(f"/proc/self/fdinfo/{self.descriptors[1]}").read_text()
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith("Pid:")))

    def close(self) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)


@pytest.fixture
def pod(bundle, network):
    """(workload, sidecar) of one pod, not started."""
    workload, sidecar = bundle(), bundle()
    for each in (workload, sidecar):
        each.join(network, "pod-1")
    workload.call("app")
    workload.annotations["navigator.sandbox/container"] = "app"
    sidecar.become_sidecar()
    return workload, sidecar


def start_sidecar(sidecar: Bundle) -> Listener:
    began = time.monotonic()
    sidecar.start("/bin/navigator-sidecar")
    assert time.monotonic() - began < 5, "the runtime waited for the deliverer"
    return Listener(sidecar)


def test_record_says_what_is(node, pod):
    workload, sidecar = pod
    listener = start_sidecar(sidecar)
    workload.config["process"]["env"].append("FOO=bar baz")
    pid = workload.start()
    (message,) = listener.receive()
    handed = Handed(message)
    said = handed.record
    assert handed.pid == said["pid"] == pid
    assert said["start_time"] == int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    assert said["root"] == inode(f"/proc/{pid}/root")
    assert said["runtime"] != inode(f"/proc/{pid}/exe")
    for kind, name in (("mnt", "mount"), ("pid", "pid"), ("user", "user")):
        assert said[f"{name}_namespace"] == inode(f"/proc/{pid}/ns/{kind}")
    assert (said["pod"], said["pod_name"], said["container_id"]) == ("pod-1", "demo", workload.id)
    assert (said["container_name"], said["target"]) == ("app", "app")
    assert said["environment"] == [f"PATH={PATH}", "FOO=bar baz"]
    assert said["limits"] == [(7, 1024, 2048)]
    assert (said["workload_uid"], said["workload_gid"], said["directory"]) == (0, 0, "/")
    assert (said["uid"], said["gid"], said["groups"]) == (64750, 64750, [])
    assert (said["name"], said["home"], said["shell"]) == ("sandbox", "/sandbox", "/bin/sh")
    assert (said["policy_source"], said["policy_text"]) == ("default", POLICY)
    assert said["policy_hash"] == hashlib.sha256(POLICY.encode()).digest()
    assert len(said["cgroups"]) == len(handed.descriptors) - 2
    with pytest.raises(PermissionError):
        os.pwrite(handed.descriptors[0], b"x", 0)
    handed.close()
    listener.close()


def test_record_moves_a_process_to_the_cgroup(node, pod):
    workload, sidecar = pod
    listener = start_sidecar(sidecar)
    workload.start()
    (message,) = listener.receive()
    handed = Handed(message)
    assert handed.record["cgroups"], "runc gave the container no cgroup"
    child = subprocess.Popen(["sleep", "100"])
    try:
        for descriptor in handed.descriptors[2:]:
            os.write(descriptor, str(child.pid).encode())
        theirs = Path(f"/proc/{workload.pid}/cgroup").read_text().splitlines()
        ours = Path(f"/proc/{child.pid}/cgroup").read_text().splitlines()
        names = {line.split(":")[1]: line for line in theirs}
        assert all(names[name] in ours for name in handed.record["cgroups"])
    finally:
        child.kill()
        child.wait()
        handed.close()
        listener.close()


def test_sidecar_second_and_again(node, pod):
    """What already runs is handed over when the sidecar comes second, or comes again."""
    workload, sidecar = pod
    pid = workload.start()
    for _ in range(2):
        listener = start_sidecar(sidecar)
        (message,) = listener.receive()
        handed = Handed(message)
        assert handed.pid == pid
        handed.close()
        listener.close()
        sidecar.remove()


def test_sidecar_sees_nothing_of_the_node(node, pod):
    workload, sidecar = pod
    workload.start()
    listener = start_sidecar(sidecar)
    folder = Path(f"/proc/{sidecar.pid}/root/run/navigator")
    assert [path.name for path in folder.iterdir()] == ["launcher.sock"]
    assert folder.stat().st_uid == 64700 and folder.stat().st_mode & 0o7777 == 0o755
    mounts = Path(f"/proc/{sidecar.pid}/mountinfo").read_text()
    assert str(node.run) not in mounts
    line = next(line for line in mounts.splitlines() if " /run/navigator " in line)
    assert "nosuid,nodev,noexec" in line and " tmpfs navigator rw,size=1024k" in line
    assert "/etc/navigator" not in mounts, "the sidecar gets no policy"
    listener.close()


def test_a_link_in_place_of_the_socket(node, pod, tmp_path):
    """Whoever broke the sidecar makes the hook connect nowhere else."""
    workload, sidecar = pod
    sidecar.start("/bin/navigator-sidecar")
    trap = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    trap.bind(str(tmp_path / "trap.sock"))
    trap.listen(4)
    trap.settimeout(1)
    Path(f"/proc/{sidecar.pid}/root/run/navigator/launcher.sock").symlink_to(tmp_path / "trap.sock")
    workload.start()
    with pytest.raises(TimeoutError):
        trap.accept()
    trap.close()


def test_another_file_system_in_place_of_the_sockets(node, pod):
    workload, sidecar = pod
    sidecar.start("/bin/navigator-sidecar")
    subprocess.run(["nsenter", "--target", str(sidecar.pid), "--mount", "--", "/bin/mount", "-t", "tmpfs", "none", "/run/navigator"], check=True)
    listener = Listener(sidecar)
    workload.start()
    assert listener.nothing()
    listener.close()


def test_pod_id_of_another_network_namespace(node, pod, bundle, other_network):
    """A pod's author who writes another pod's id gets nothing of it, and gives it nothing."""
    _, sidecar = pod
    listener = start_sidecar(sidecar)
    foreign = bundle()
    foreign.join(other_network, "pod-1")
    foreign.call("app")
    foreign.start()
    assert listener.nothing()
    assert "not the same network namespace" in node.log()
    listener.close()


def test_dead_containers_are_forgotten(node, pod, bundle, network):
    workload, sidecar = pod
    workload.start()
    assert (node.pod("pod-1") / f"{workload.id}.record").exists()
    workload.kill()
    other = bundle()
    other.join(network, "pod-1")
    other.start()
    assert [path.name for path in node.pod("pod-1").iterdir()] == [f"{other.id}.record"]
    other.remove()  # poststop
    assert not node.pod("pod-1").exists()


def test_what_a_killed_runtime_left_goes_with_the_next_sidecar(node, pod, bundle, other_network):
    workload, sidecar = pod
    left = bundle()
    left.join(other_network, "pod-0")
    left.call("app")
    left.start()
    left.kill()
    assert (node.pod("pod-0") / f"{left.id}.record").exists()
    workload.start()
    listener = start_sidecar(sidecar)
    Handed(listener.receive()[0]).close()
    deadline = time.monotonic() + 5
    while node.pod("pod-0").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not node.pod("pod-0").exists() and node.pod("pod-1").exists()
    listener.close()


def test_files_are_roots_alone(node, pod):
    workload, sidecar = pod
    workload.start()
    start_sidecar(sidecar).close()
    for path in [node.run, *node.run.rglob("*")]:
        assert path.stat().st_uid == 0 and path.stat().st_mode & 0o077 == 0, path


def test_no_process_is_left_behind(node, pod):
    workload, sidecar = pod
    workload.start()
    start_sidecar(sidecar).close()
    sidecar.kill()
    deadline = time.monotonic() + 5
    def deliverers():
        return [entry for entry in Path("/proc").iterdir() if entry.name.isdigit() and
                (entry / "cmdline").exists() and str(node.configuration).encode() in (entry / "cmdline").read_bytes()]
    while deliverers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not deliverers()


def test_pod_without_an_engine_is_its_network_namespace(node, bundle, network):
    container = bundle()
    container.join(network, "x")
    for key in [key for key in container.annotations if key.startswith("io.")]:
        del container.annotations[key]
    node.configure(engine=None)
    container.start()
    assert (node.pod(f"net-{inode(network.path)[1]}") / f"{container.id}.record").exists()
    container.remove()
    assert not list((node.run / "pods").iterdir())
