# SPDX-License-Identifier: Apache-2.0
"""OCI bundles made by hand and run by a bare runtime: what no engine would let a test do to an image, a state or a pod."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

APPLETS = ("sh", "ls", "cat", "id", "grep", "stat", "sleep", "mount", "touch", "find", "env", "readlink", "true")
PATH = "/sandbox/.venv/bin:/usr/local/bin:/usr/bin:/bin"
IMAGE = "localhost/navigator-sidecar:latest"


def inode(path) -> tuple:
    status = os.stat(path)
    return (status.st_dev, status.st_ino)


class Node:
    """The hook's configuration and everything it writes, in a folder of the test's own."""

    def __init__(self, folder: Path, hook: Path):
        self.folder, self.hook = folder, hook
        self.policies = folder / "policies"
        self.policies.mkdir()
        self.run = folder / "run"
        self.configuration = folder / "node.json"
        self.configure()

    def configure(self, **more) -> None:
        """Hand-made bundles lie where no engine has any: the tests say which engine's annotations theirs are. `engine=None`: no word of it."""
        engine = more.pop("engine", "containerd")
        self.configuration.write_text(json.dumps({
            **({"engine": engine} if engine else {}), "run_directory": str(self.run),
            "policy": {"directory": str(self.policies), "ceiling": str(self.folder / "ceiling.yaml"), **more.pop("policy", {})}, **more}))

    def policy(self, name: str, text) -> None:
        (self.policies / f"{name}.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())

    def command(self) -> list:
        return [str(self.hook), "--config", str(self.configuration)]

    def feed(self, state, **options) -> subprocess.CompletedProcess:
        """The hook alone, with that state (a document, or bytes) on standard input."""
        data = state if isinstance(state, bytes) else json.dumps(state).encode()
        return subprocess.run(self.command(), input=data, capture_output=True, timeout=20, check=False, env={}, **options)

    def log(self) -> str:
        path = self.run / "hook.log"
        return path.read_text() if path.exists() else ""

    def pod(self, name: str) -> Path:
        return self.run / "pods" / name


class Network:
    """The network namespace that the containers of a pod share."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == own:
            time.sleep(0.01)
        self.path = f"/proc/{self.holder.pid}/ns/net"

    def close(self) -> None:
        self.holder.kill()
        self.holder.wait()


class Bundle:
    """One container. Change `config`, `annotations` and the rootfs, then run() or start()."""
    count = 0

    def __init__(self, node: Node, runtime: str = "runc", stages=("prestart", "poststop")):
        Bundle.count += 1
        self.node, self.runtime = node, runtime
        self.id = f"navigator-test-{os.getpid()}-{Bundle.count}"
        self.folder = node.folder / self.id
        self.rootfs = self.folder / "rootfs"
        self.state_folder = node.folder / "runtime"
        self.annotations = {"navigator.sandbox/inject": "true"}
        self.process = None
        for name in ("bin", "etc", "proc", "sys", "dev", "tmp", "usr/bin"):
            (self.rootfs / name).mkdir(parents=True)
        shutil.copy("/usr/bin/busybox", self.rootfs / "bin/busybox")
        for name in APPLETS:
            (self.rootfs / "bin" / name).symlink_to("busybox")
        (self.rootfs / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (self.rootfs / "etc/group").write_text("root:x:0:\n")
        hook = {"path": str(node.hook), "args": ["navigator-hook", *node.command()[1:]], "env": ["PATH=/usr/bin"], "timeout": 10}
        self.config = {
            "ociVersion": "1.0.2", "hostname": "test", "root": {"path": "rootfs", "readonly": False},
            "process": {"cwd": "/", "env": [f"PATH={PATH}"], "user": {"uid": 0, "gid": 0}, "terminal": False,
                        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 2048}],
                        "capabilities": {kind: ["CAP_KILL", "CAP_DAC_OVERRIDE"] for kind in ("bounding", "effective", "permitted")}},
            "hooks": {stage: [hook] for stage in stages},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                       {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}],
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "network")]},
        }

    def join(self, network: Network, pod: str) -> None:
        """Makes it a container of that pod, as CRI engines say it."""
        for namespace in self.config["linux"]["namespaces"]:
            if namespace["type"] == "network":
                namespace["path"] = network.path
        self.annotations.update({"io.kubernetes.cri.sandbox-id": pod, "io.kubernetes.cri.sandbox-name": "demo",
                                 "io.kubernetes.cri.container-type": "container"})

    def call(self, name: str, image: str = "localhost/app:1") -> None:
        self.annotations.update({"io.kubernetes.cri.container-name": name, "io.kubernetes.cri.image-name": image})

    def become_sidecar(self) -> None:
        self.call("navigator", IMAGE)
        program = self.rootfs / "bin/navigator-sidecar"
        program.write_text("#!/bin/sh\nexec sleep 1000\n")
        program.chmod(0o755)
        self.config["process"]["user"] = {"uid": 64700, "gid": 64700}

    def volume(self, source: Path, destination: str, *options) -> None:
        self.config["mounts"].append({"destination": destination, "type": "bind", "source": str(source), "options": ["rbind", *options]})

    def _command(self, *words) -> list:
        if self.runtime == "crun":
            # crun refuses a hybrid cgroup layout: run where its version 2 part cannot be seen, and without cgroups
            hide = "umount -l /sys/fs/cgroup/unified 2>/dev/null; exec \"$@\""
            return ["unshare", "--mount", "sh", "-c", hide, "sh", "crun", "--root", str(self.state_folder), "--cgroup-manager=disabled", *words]
        return ["runc", "--root", str(self.state_folder), *words]

    def _write(self, argv) -> None:
        self.config["process"]["args"] = list(argv)
        self.config["annotations"] = self.annotations
        (self.folder / "config.json").write_text(json.dumps(self.config))

    def run(self, *argv, check: bool = False) -> subprocess.CompletedProcess:
        self._write(argv)
        result = subprocess.run(self._command("run", "--bundle", str(self.folder), self.id), capture_output=True, text=True, timeout=60,
                                check=False, stdin=subprocess.DEVNULL)
        assert not check or result.returncode == 0, result.stderr
        return result

    def shell(self, script: str, check: bool = True) -> subprocess.CompletedProcess:
        return self.run("sh", "-c", script, check=check)

    def start(self, *argv) -> int:
        """Leaves it running; returns the host's pid of its init."""
        self._write(argv or ("sleep", "1000"))
        pid_file = self.folder / "pid"
        result = subprocess.run(self._command("run", "--detach", "--pid-file", str(pid_file), "--bundle", str(self.folder), self.id),
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(self.folder / "stderr").open("w"), timeout=60, check=False)
        assert result.returncode == 0, (self.folder / "stderr").read_text()
        self.pid = int(pid_file.read_text())
        return self.pid

    def create(self) -> float:
        """How long `create` takes, in seconds: all that a container's start has of us."""
        self._write(("true",))
        words = self._command("create", "--bundle", str(self.folder), self.id)
        began = time.perf_counter()
        subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=True)
        return time.perf_counter() - began

    def remove(self) -> None:
        subprocess.run(self._command("delete", "--force", self.id), stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)

    def kill(self) -> None:
        """Ends its init as a crash would: no hook is told."""
        os.kill(self.pid, signal.SIGKILL)
        while Path(f"/proc/{self.pid}").exists() and " Z" not in Path(f"/proc/{self.pid}/stat").read_text():
            time.sleep(0.01)


class Listener:
    """Stands in for the launcher: listens on its socket, and takes what hooks hand over."""

    def __init__(self, sidecar: Bundle):
        self.directory = Path(f"/proc/{sidecar.pid}/root/run/navigator")
        path = self.directory / "launcher.sock"
        path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(str(path))
        self.socket.listen(16)

    def receive(self, seconds: float = 5) -> list:
        """The next hand-over with something in it: (bytes, descriptors)."""
        deadline = time.monotonic() + seconds
        while True:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            peer, _ = self.socket.accept()
            messages = []
            with peer:
                peer.settimeout(seconds)
                while True:
                    data, descriptors, _, _ = socket.recv_fds(peer, 64, 32)
                    if not data:
                        break
                    messages.append((data, descriptors))
            if messages:
                return messages

    def nothing(self, seconds: float = 0.5) -> bool:
        try:
            self.receive(seconds)
            return False
        except TimeoutError:
            return True

    def close(self) -> None:
        self.socket.close()
