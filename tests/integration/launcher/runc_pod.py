# SPDX-License-Identifier: Apache-2.0
"""A pod of real containers for the launcher alone: runc starts a workload and the sidecar in shared pid, network, ipc and uts namespaces, as a
kubelet or podman would; tests/helpers stand in for hook and gateway. Needs root and runc; everything it makes is below one temporary directory and
one cgroup name."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from helpers import audit
from wire import Gateway

CAPABILITIES = [
    "CAP_" + name
    for name in "SYS_ADMIN SYS_CHROOT SYS_PTRACE SETUID SETGID SETPCAP KILL CHOWN DAC_OVERRIDE FOWNER NET_BIND_SERVICE NET_ADMIN NET_RAW".split()
]
WORKLOAD_CAPABILITIES = [
    "CAP_" + name for name in "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE".split()
]
MASKED = ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"]
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
POLICY = ["--ro", "/usr", "--ro", "/lib", "--ro", "/etc", "--ro", "/proc", "--ro", "/var/log", "--ro", "/dev/urandom", "--rw", "/sandbox", "--rw", "/tmp", "--rw", "/dev/null"]


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, **options)


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def libraries(program):
    lines = run("ldd", program).stdout.splitlines()
    return [word for line in lines for word in line.split() if word.startswith("/")]


class Pod:
    def __init__(self, build, policy=(), environment=(), options=(), handover=(), sidecar_environment=()):
        self.binaries = Path(build) / "bin"
        self.directory = Path(tempfile.mkdtemp(prefix="navigator-launcher-"))
        self.name = self.directory.name
        self.policy, self.environment, self.options = list(policy or POLICY), list(environment), list(options)
        self.handover_options = list(handover)
        self.sidecar_environment = list(sidecar_environment)
        self.containers = []
        self.gateways = []
        self.sockets = self.directory / "sockets"
        self.sockets.mkdir(mode=0o711)
        os.chown(self.sockets, 64700, 64700)
        self.volume = self.directory / "policy-volume"  # empty: a pod whose policy comes from elsewhere
        self.volume.mkdir()
        self.start_pause()
        self.make_workload_root()
        self.make_sidecar_root()

    # -- what a runtime does

    def start_pause(self):
        self.pause_parent = subprocess.Popen(
            ["unshare", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child", "sh", "-c", "ip link set lo up; while :; do sleep 3600; done"]
        )
        children = Path(f"/proc/{self.pause_parent.pid}/task/{self.pause_parent.pid}/children")
        deadline = time.monotonic() + 5
        self.pause = None
        while self.pause is None and time.monotonic() < deadline:
            text = children.read_text().split()
            if text and os.readlink(f"/proc/{text[0]}/ns/pid") != os.readlink("/proc/self/ns/pid"):
                self.pause = int(text[0])
            time.sleep(0.01)

    def config(self, name, root, args, user, capabilities, ambient, mounts, environment, readonly=False):
        sets = {kind: capabilities for kind in ("bounding", "effective", "permitted", "inheritable")}
        sets["ambient"] = capabilities if ambient else []
        if not ambient:
            sets["inheritable"] = []
        shared = [{"type": kind, "path": f"/proc/{self.pause}/ns/{file}"} for kind, file in (("pid", "pid"), ("network", "net"), ("ipc", "ipc"), ("uts", "uts"))]
        return {
            "ociVersion": "1.0.2",
            "process": {
                "user": {"uid": user, "gid": user},
                "args": args,
                "env": environment,
                "cwd": "/",
                "capabilities": sets,
                "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 4096}],
            },
            "root": {"path": str(root), "readonly": readonly},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
                {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
                {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
                {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
            ]
            + mounts,
            "linux": {
                "cgroupsPath": f"/{self.name}-{name}",
                "resources": {"devices": [{"allow": False, "access": "rwm"}], "pids": {"limit": 640}},
                "namespaces": [{"type": "mount"}] + shared,
                "maskedPaths": MASKED,
                "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
            },
        }

    def run_container(self, name, config):
        bundle = self.directory / ("bundle-" + name)
        shutil.rmtree(bundle, ignore_errors=True)
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(config))
        log = open(self.directory / (name + ".log"), "ab")
        out = open(self.directory / (name + ".out"), "ab")
        identity = f"{self.name}-{name}"
        subprocess.run(
            ["runc", "--root", str(self.directory / "runc"), "run", "--detach", "--pid-file", str(bundle / "pid"), "--bundle", str(bundle), identity],
            check=True, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
        )
        if identity not in self.containers:
            self.containers.append(identity)
        return int((bundle / "pid").read_text())

    def run_in(self, name, script, uid=0):
        """As `kubectl exec` would, past us: with the container's own capabilities."""
        return subprocess.run(self.exec_in(name, "sh", "-c", script, uid=uid), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)

    def exec_in(self, name, *argv, uid=0):
        return ["runc", "--root", str(self.directory / "runc"), "exec", "--user", str(uid), f"{self.name}-{name}", *argv]

    def remove_container(self, name):
        subprocess.run(["runc", "--root", str(self.directory / "runc"), "delete", "--force", f"{self.name}-{name}"], capture_output=True, check=False)

    # -- images

    def make_workload_root(self):
        root = self.root = self.directory / "workload"
        for name in "usr proc dev sys tmp sandbox opt root home/sandbox var/log run app data".split():
            (root / name).mkdir(parents=True)
        for name in "bin sbin lib lib64".split():
            (root / name).symlink_to("usr/" + name)
        write(root / "etc/passwd", "root:x:0:0:root:/root:/bin/bash\nsandbox:x:1000:1000::/sandbox:/bin/bash\n")
        write(root / "etc/group", "root:x:0:\ntty:x:5:\nsandbox:x:1000:\n")
        write(root / "etc/shadow", "root:*:::::::\n", 0o640)
        write(root / "etc/hostname", "workload\n")
        write(root / "etc/profile", 'PATH="/usr/local/bin:/usr/bin:/bin"\nexport PATH PROFILE_WAS_READ=yes\n[ -f /sandbox/.noise ] && echo noise\n')
        write(root / "opt/readable", "not in the policy\n")
        write(root / "root/secret", "secret\n", 0o600)
        write(root / "usr-local-placeholder", "")
        (root / "tmp").chmod(0o1777)
        (root / "root").chmod(0o700)
        for name in ("sandbox", "home/sandbox"):
            os.chown(root / name, 1000, 1000)
            (root / name).chmod(0o700)

    def make_sidecar_root(self):
        root = self.sidecar_root = self.directory / "sidecar"
        write(root / "etc/resolv.conf", "nameserver 127.0.0.1\n")
        for name in "proc dev sys run/navigator run/navigator-policy usr/libexec/navigator lib64 lib/x86_64-linux-gnu".split():
            (root / name).mkdir(parents=True)
        programs = {"navigator-sidecar": "navigator-sidecar", "test-gateway": "navigator-gateway", "navigator-egress": "navigator-egress", "navigator": "navigator"}
        for source, name in programs.items():
            target = root / "usr/libexec/navigator" / name
            shutil.copy(self.binaries / source, target)
            target.chmod(0o711)
            for library in libraries(self.binaries / source):
                place = root / library.lstrip("/")
                place.parent.mkdir(parents=True, exist_ok=True)
                if not place.exists():
                    shutil.copy(library, place)
        caps = ",".join(name.lower() for name in CAPABILITIES)
        run("setcap", caps + "=ep", root / "usr/libexec/navigator/navigator-sidecar")
        for role in ("gateway", "egress"):
            run("setcap", "=", root / "usr/libexec/navigator" / f"navigator-{role}")

    # -- the pod

    def start_workload(self, name="workload", args=("sleep", "3600"), extra_mounts=(), **handover):
        mounts = [{"destination": "/usr", "type": "bind", "source": "/usr", "options": ["bind", "ro"]}] + list(extra_mounts)
        environment = ["PATH=/sandbox/.venv/bin:" + SYSTEM_PATH, "FROM_IMAGE=yes", "TERM=xterm"] + self.environment
        self.workload = self.run_container(name, self.config(name, self.root, list(args), 0, WORKLOAD_CAPABILITIES, False, mounts, environment))
        self.workload_environment = environment
        return self.workload

    def start_sidecar(self, wait=True):
        mounts = [
            {"destination": "/run/navigator", "type": "bind", "source": str(self.sockets), "options": ["bind", "rw"]},
            {"destination": "/run/navigator-policy", "type": "bind", "source": str(self.volume), "options": ["bind", "ro"]},
        ]
        args = ["/usr/libexec/navigator/navigator-sidecar"] + self.options
        environment = ["PATH=/usr/bin", "SIDECAR_SECRET=do-not-leak", "NAVIGATOR_POD=demo"] + self.sidecar_environment
        self.sidecar = self.run_container("sidecar", self.config("sidecar", self.sidecar_root, args, 64700, CAPABILITIES, True, mounts, environment, readonly=True))
        return self.sidecar

    def cgroups(self, pid):
        found = []
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            mount = "/sys/fs/cgroup/" + ("unified" if not controllers else controllers.removeprefix("name="))
            procs = Path(mount + path) / "cgroup.procs"
            if controllers and procs.exists():
                found.append(str(procs))
        return found

    def hand_over(self, *options, pid=None, cgroups=True, check=True):
        pid = pid or self.workload
        command = [self.binaries / "test-handover", "--socket", self.sockets / "launcher.sock", "--pid", pid]
        for variable in self.workload_environment:
            command += ["--env", variable]
        for path in self.cgroups(pid) if cgroups else []:
            command += ["--cgroup", path]
        deadline = time.monotonic() + 10
        while True:
            done = subprocess.run([str(part) for part in command + self.policy + self.handover_options + list(options)], capture_output=True, text=True, check=False)
            if done.returncode == 0 or not check or time.monotonic() > deadline:
                assert not check or done.returncode == 0, done.stderr + self.log("sidecar")
                return done
            time.sleep(0.05)

    def start(self):
        self.start_workload()
        self.start_sidecar()
        self.hand_over()
        return self

    def gateway(self, wait=True):
        gateway = Gateway(str(self.sockets / "exec.sock"))
        self.gateways.append(gateway)
        if wait:
            gateway.wait_for_target()
        return gateway

    def log(self, name):
        path = self.directory / (name + ".log")
        return path.read_text() if path.exists() else ""

    def audit(self):
        return [audit.flat(line) for line in (self.directory / "sidecar.out").read_text().splitlines()]

    def processes(self):
        """pid (of the host) -> (command line, network namespace) of everything in the pod's pid namespace."""
        wanted = os.readlink(f"/proc/{self.pause}/ns/pid")
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") == wanted:
                    command = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                    found[int(entry)] = (command, os.readlink(f"/proc/{entry}/ns/net"))
            except OSError:
                continue
        return found

    def sandboxed(self):
        pod_network = os.readlink(f"/proc/{self.pause}/ns/net")
        return {pid: command for pid, (command, network) in self.processes().items() if network != pod_network}

    def destroy(self):
        for gateway in self.gateways:
            gateway.close()
        for identity in self.containers:
            self.remove_container(identity.removeprefix(self.name + "-"))
        self.pause_parent.send_signal(signal.SIGKILL)
        self.pause_parent.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
