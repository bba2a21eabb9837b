# SPDX-License-Identifier: Apache-2.0
"""The same cluster on a machine of its own, emulated: Debian's kernel, and cgroup v2 with nothing beside it.

There is no KVM to rely on, so every instruction is translated: minutes instead of seconds. Commands run outside, where helm and kubectl are quick; one
port of 127.0.0.1 leads to the API server, and nothing leads out.
"""
import json
import os
import socket
import subprocess
import time
from pathlib import Path

from local.images import CACHE
from local.progress import Console, Failure

from . import certificates, programs
from .cluster import Cluster, start_time
from .disks import Disks
from .layout import HERE, NODE, Layout

START_SECONDS = 600
MEMORY_MEBIBYTES = 4096
IMAGES = ("pause", "sidecar", "node", "workload")  # what the chosen cases need
SLOWNESS = "8"  # how much longer the cases wait than on the machine itself


class VirtualCluster(Cluster):
    chosen_cases = ("-k", "test_kernel")

    def __init__(self, console: Console):
        super().__init__(Layout(Path(os.environ.get("NAVIGATOR_VIRTUAL_CLUSTER") or CACHE / "virtual-cluster").resolve()), console)
        self.shared = Layout.default()  # where the programs are

    def up(self, images: dict) -> None:
        images = {name: archive for name, archive in images.items() if name in IMAGES}
        if self.pid():
            if self.offer(images):
                raise Failure("the virtual cluster runs with older images: e2e/cluster down --vm, then up")
            return
        if os.uname().machine != "x86_64":
            raise Failure("the virtual node is x86-64, and emulating another processor's machine is not made for here")
        programs.build(self.shared, self.console)
        self.down()
        self.layout.logs.mkdir(parents=True)
        certificates.create(self.layout)
        self.offer(images)
        disks = Disks(self.layout, self.shared.programs, self.console)
        disks.make()
        with self.console.step("starting Kubernetes in the emulator (some minutes)"):
            self.boot(disks)
            self.wait_for("the API server", "get", "--raw", "/readyz")
            self.wait_for("the node", "wait", f"node/{NODE}", "--for=condition=Ready", "--timeout=5s")
            self.wait_for("the first service account", "get", "serviceaccount/default")

    def boot(self, disks: Disks) -> None:
        port = free_port()
        self.write_kubeconfig(port)
        command = ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(os.cpu_count()),
                   "-m", str(MEMORY_MEBIBYTES), "-kernel", disks.kernel, "-initrd", disks.initramfs,
                   "-append", f"console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable net.ifnames=0 cgroup_no_v1=all navigator.now={int(time.time())}",
                   "-drive", f"file={disks.node},if=virtio,format=raw,readonly=on",
                   "-drive", f"file={disks.state},if=virtio,format=raw,cache=unsafe",
                   "-netdev", f"user,id=outside,restrict=on,hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:443", "-device", "virtio-net-pci,netdev=outside",
                   "-display", "none", "-monitor", "none", "-serial", f"file:{self.console_log}", "-no-reboot", "-nodefaults"]
        with (self.layout.logs / "emulator.log").open("w") as log:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.write_record({"pid": process.pid, "started": start_time(process.pid)})

    @property
    def console_log(self) -> Path:
        return self.layout.logs / "console.log"

    @property
    def kubeconfig(self) -> Path:
        return self.layout.state / "outside.kubeconfig"

    def write_kubeconfig(self, port: int) -> None:
        config = json.loads(self.layout.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
        self.kubeconfig.write_text(json.dumps(config, indent=2))

    def wait_for(self, what: str, *arguments) -> None:
        end = time.monotonic() + START_SECONDS
        while self.run(["kubectl", "--request-timeout=10s", *arguments], capture_output=True).returncode != 0:
            if not self.pid() or time.monotonic() > end:
                said = self.console_log.read_text(errors="replace")[-3000:] if self.console_log.exists() else ""
                raise Failure(f"{what} did not answer; the virtual node said:\n{said}\n{(self.layout.logs / 'emulator.log').read_text()}")
            time.sleep(1)

    def inside(self) -> int:
        raise Failure("commands run outside of the virtual node")

    def enter(self, command: list) -> list:
        """The command, run here with an administrator's kubeconfig."""
        return ["env", f"KUBECONFIG={self.kubeconfig}", f"PATH={self.shared.programs}:{os.environ['PATH']}",
                f"NAVIGATOR_E2E_VALUES={HERE}/virtual/values.yaml", f"NAVIGATOR_E2E_SLOWNESS={SLOWNESS}", *map(str, command)]

    def status(self) -> bool:
        if not self.pid():
            self.console.line("the virtual cluster is down: e2e/cluster up --vm")
            return False
        self.run(["kubectl", "get", "nodes,pods", "--all-namespaces", "-o", "wide"])
        self.console.line(f"\nkubeconfig {self.kubeconfig}\nconsole    {self.console_log}")
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
