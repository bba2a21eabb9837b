# SPDX-License-Identifier: Apache-2.0
"""pid 1 of the cluster's namespaces: makes them look like a node, starts the programs, and keeps containerd and kubelet running
as a node's service manager would. When it ends, the kernel ends everything else.

Outside nothing changes: mounts and network are of these namespaces, and what the node writes to /etc, /opt and /var lands in the
state directory, because overlays lie over them.
"""
import os
import subprocess
import sys
import time
from pathlib import Path
from string import Template

from .layout import API_ADDRESS, HERE, NODE, NODE_ADDRESS, SERVICE_RANGE, Layout

V1_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")
# kubelet writes these; they belong to the whole machine, so it gets files of its own instead
MACHINE_SYSCTLS = {"vm/overcommit_memory": 1, "vm/panic_on_oom": 0, "kernel/panic": 10, "kernel/panic_on_oops": 1}
FIRST_CGROUP_NAMESPACE = 0xEFFFFFFB  # PROC_CGROUP_INIT_INO of the kernel's include/linux/proc_ns.h
CONTAINERD_SOCKET = Path("/run/containerd/containerd.sock")


def run(*command, **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], check=True, **options)


class Node:
    def __init__(self, layout: Layout):
        self.layout = layout
        self.services = {}  # name -> [process, command, restarted when it ends]
        os.environ["PATH"] = f"{layout.programs}:{os.environ['PATH']}"

    # -- the look of a node

    def prepare(self) -> None:
        run("mount", "--make-rshared", "/")
        self.mount_cgroups()
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
        for folder in ("/etc", "/opt", "/var/lib", "/var/log"):
            self.overlay(folder)
        for folder in ("/var/lib/containerd", "/var/lib/kubelet"):
            self.own(folder)
        self.hide_machine_sysctls()
        self.set_up_network()
        self.settings("containerd.toml", Path("/etc/containerd/config.toml"))
        self.settings("kubelet.yaml", self.layout.state / "kubelet.yaml")
        self.settings("bridge.conflist", Path("/etc/cni/net.d/10-pods.conflist"))

    def mount_cgroups(self) -> None:
        """Mounted again inside the cgroup namespace, every hierarchy begins at our own group."""
        root = Path("/sys/fs/cgroup")
        if (root / "cgroup.controllers").exists():
            # the virtual node is in the first one: there it begins at the top, as it is mounted already
            if os.stat("/proc/self/ns/cgroup").st_ino != FIRST_CGROUP_NAMESPACE:
                run("mount", "-t", "cgroup2", "cgroup2", root)
            # v2: a group with processes in it hands no controller down, so its processes move to a leaf
            (root / "init").mkdir()
            (root / "init/cgroup.procs").write_text("0")
            enabled = " ".join(f"+{name}" for name in (root / "cgroup.controllers").read_text().split())
            (root / "cgroup.subtree_control").write_text(enabled)
            return
        unified = (root / "unified").exists()
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", root)
        for name in V1_CONTROLLERS:
            (root / name).mkdir()
            run("mount", "-t", "cgroup", "-o", name, "cgroup", root / name)
        (root / "systemd").mkdir()
        run("mount", "-t", "cgroup", "-o", "none,name=systemd", "cgroup", root / "systemd")
        if unified:
            (root / "unified").mkdir()
            run("mount", "-t", "cgroup2", "cgroup2", root / "unified")

    def overlay(self, folder: str) -> None:
        name = folder.strip("/").replace("/", "-")
        upper, work = self.layout.node / name, self.layout.node / f".{name}"
        for path in (upper, work):
            path.mkdir(parents=True)
        run("mount", "-t", "overlay", "-o", f"lowerdir={folder},upperdir={upper},workdir={work}", "overlay", folder)

    def own(self, folder: str) -> None:
        """A directory straight from the disk: containerd's snapshots are overlays themselves and cannot lie on one."""
        source = self.layout.node / Path(folder).name
        source.mkdir(parents=True, exist_ok=True)  # the virtual node is given its images in it
        Path(folder).mkdir(exist_ok=True)
        run("mount", "--bind", source, folder)

    def hide_machine_sysctls(self) -> None:
        # the kernel lets a user namespace mount proc only while an unspoilt one is mounted somewhere
        Path("/run/proc").mkdir()
        run("mount", "-t", "proc", "proc", "/run/proc")
        for name, value in MACHINE_SYSCTLS.items():
            own = Path("/run/sysctl") / name
            own.parent.mkdir(parents=True, exist_ok=True)
            own.write_text(f"{value}\n")
            run("mount", "--bind", own, Path("/proc/sys") / name)

    def set_up_network(self) -> None:
        """A veth carries the node's address and the API server's Service address: pods reach the API with no kube-proxy."""
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "node0", "type", "veth", "peer", "name", "node1")
        for address in (f"{NODE_ADDRESS}/24", f"{API_ADDRESS}/32"):
            run("ip", "addr", "add", address, "dev", "node0")
        for link in ("node0", "node1"):
            run("ip", "link", "set", link, "up")
        # kubelet takes a default route for the sign of a network; nothing answers at the other end
        run("ip", "route", "add", "default", "via", "10.77.0.254", "dev", "node0")
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")

    def settings(self, name: str, target: Path) -> None:
        text = Template((HERE / "settings" / name).read_text())
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.substitute(programs=self.layout.programs, pki=self.layout.pki))

    # -- the programs

    def start(self, name: str, *arguments, restarted: bool = False) -> None:
        self.services[name] = [None, [str(self.layout.programs / name), *map(str, arguments)], restarted]
        self.launch(name)

    def launch(self, name: str) -> None:
        service = self.services[name]
        with (self.layout.logs / f"{name}.log").open("a") as log:
            service[0] = subprocess.Popen(service[1], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start_all(self) -> None:
        self.start("etcd", "--data-dir", self.layout.state / "etcd", "--unsafe-no-fsync",
                   "--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379",
                   "--listen-peer-urls", "http://127.0.0.1:2380")
        self.start("containerd", "--config", "/etc/containerd/config.toml", restarted=True)
        self.start_api_server()
        self.import_images()
        self.wait_for("the API server", ["kubectl", "--kubeconfig", self.layout.kubeconfig, "get", "--raw", "/readyz"])
        self.start_controllers()
        self.start("kubelet", "--config", self.layout.state / "kubelet.yaml", "--kubeconfig", self.layout.pki / "kubelet.kubeconfig",
                   "--hostname-override", NODE, "--node-ip", NODE_ADDRESS, "--v=2", restarted=True)

    def start_api_server(self) -> None:
        pki = self.layout.pki
        self.start(
            "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379", "--secure-port=443", "--bind-address=0.0.0.0",
            f"--advertise-address={NODE_ADDRESS}", f"--service-cluster-ip-range={SERVICE_RANGE}", f"--cert-dir={self.layout.state}/apiserver",
            f"--tls-cert-file={pki}/apiserver.crt", f"--tls-private-key-file={pki}/apiserver.key", f"--client-ca-file={pki}/ca.crt",
            "--authorization-mode=Node,RBAC", "--anonymous-auth=false", "--allow-privileged=true",
            "--enable-admission-plugins=NodeRestriction", f"--admission-control-config-file={HERE}/settings/admission.yaml",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={pki}/service-accounts.pub",
            f"--service-account-signing-key-file={pki}/service-accounts.key",
            f"--kubelet-client-certificate={pki}/kubelet-client.crt", f"--kubelet-client-key={pki}/kubelet-client.key",
            f"--kubelet-certificate-authority={pki}/ca.crt", "--kubelet-preferred-address-types=InternalIP",
            f"--requestheader-client-ca-file={pki}/ca.crt", "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={pki}/front-proxy.crt", f"--proxy-client-key-file={pki}/front-proxy.key",
            # with no kube-proxy a Service address leads nowhere: webhooks are called at their endpoints
            "--enable-aggregator-routing=true")

    def start_controllers(self) -> None:
        pki = self.layout.pki

        def client(name):
            return [f"--{flag}={pki}/{name}.kubeconfig" for flag in ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")]
        # at the default rate the first pod waits up to a minute behind the start's own requests
        self.start("kube-controller-manager", *client("controller-manager"), "--leader-elect=false", "--bind-address=127.0.0.1",
                   "--use-service-account-credentials=true", f"--service-account-private-key-file={pki}/service-accounts.key",
                   f"--root-ca-file={pki}/ca.crt", "--kube-api-qps=500", "--kube-api-burst=500")
        self.start("kube-scheduler", *client("scheduler"), "--leader-elect=false", "--bind-address=127.0.0.1")

    def import_images(self) -> None:
        self.wait_for("containerd", ["ctr", "version"])
        for archive in sorted((self.layout.state / "images").glob("*.image")):
            run("ctr", "-n", "k8s.io", "images", "import", "--local", archive, stdout=subprocess.DEVNULL)

    def wait_for(self, what: str, command: list) -> None:
        for _ in range(600):
            if subprocess.run([str(word) for word in command], capture_output=True).returncode == 0:
                return
            self.reap()
            time.sleep(0.1)
        sys.exit(f"{what} did not answer within a minute; its log is in {self.layout.logs}")

    # -- for life

    def reap(self) -> None:
        """Collects what ended: orphans silently; a program of the node is started again, or its end is the cluster's."""
        for name, (process, _, restarted) in self.services.items():
            if process.poll() is None:
                continue
            print(f"{name} ended with {process.returncode}", flush=True)
            if not restarted:
                sys.exit(f"{name} is gone; its log is in {self.layout.logs}")
            self.launch(name)

    def watch(self) -> None:
        while True:
            # WNOWAIT leaves a service's status to its own Popen; every other child is an orphan and collected here
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            if ended.si_pid in {process.pid for process, _, _ in self.services.values()}:
                time.sleep(1)  # as RestartSec: a program that cannot start must not spin
                self.reap()
            else:
                os.waitpid(ended.si_pid, 0)


def main() -> None:
    node = Node(Layout.default())
    node.prepare()
    node.start_all()
    node.layout.ready.touch()
    node.watch()


if __name__ == "__main__":
    main()
