# SPDX-License-Identifier: Apache-2.0
"""What the virtual node boots from: Debian's kernel, an initramfs that finds the disk, a read-only disk with Debian and the cluster's programs, and
a disk for what changes. All made here from Debian packages; what does not change is kept between runs."""
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from local.images import debian_sources
from local.progress import Console, Failure

from .layout import HERE, Layout

SUITE = "bookworm"
KERNEL_PACKAGE = "linux-image-cloud-amd64"  # the one whose drivers are a virtual machine's
PACKAGES = ("python3", "iproute2", "kmod", "mount", "util-linux", "procps", "libseccomp2", "iptables")
WITHOUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
DISK_MODULES = ("virtio_pci", "virtio_blk", "ext4")
NODE_SIZE, STATE_SIZE = "3G", "8G"
NOT_FOR_UNPACKING = ("io.containerd.cri.v1.runtime", "io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri", "io.containerd.nri.v1.nri")
NEEDED = {"depmod": "kmod", "qemu-system-x86_64": "qemu-system-x86", "cpio": "cpio", "busybox": "busybox-static", "mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs"}


class Disks:
    def __init__(self, layout: Layout, programs: Path, console: Console):
        self.layout = layout
        self.programs = programs
        self.console = console
        self.kernel = layout.base / "vmlinuz"
        self.initramfs = layout.base / "initramfs"
        self.node = layout.base / "node.disk"
        self.state = layout.state / "state.disk"

    def make(self) -> None:
        missing = [package for program, package in NEEDED.items() if not shutil.which(program)]
        if missing:
            raise Failure(f"the virtual node needs {', '.join(missing)}: e2e/setup virtual")
        release = kernel_release()
        stamp, wanted = self.layout.base / "made-from", self.fingerprint(release)
        if not stamp.exists() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            with tempfile.TemporaryDirectory(dir=self.layout.base) as place:
                self.make_kernel(Path(place), release)
                self.make_node(Path(place))
            stamp.write_text(wanted)
        self.make_state()

    def fingerprint(self, release: str) -> str:
        scripts = b"".join((HERE / "virtual" / name).read_bytes() for name in ("early", "node"))
        text = " ".join((release, SUITE, *PACKAGES, *DISK_MODULES, (self.programs / "built-from").read_text()))
        return hashlib.sha256(text.encode() + scripts).hexdigest()

    def make_kernel(self, place: Path, release: str) -> None:
        """The kernel, its modules below place/kernel, and the initramfs."""
        with self.console.step(f"unpacking Debian's kernel {release}") as step:
            step.run(["apt-get", "download", f"linux-image-{release}"], self.layout.base / "kernel.log", cwd=place)
            step.run(["dpkg", "-x", next(place.glob("*.deb")), place / "kernel"], self.layout.base / "kernel.log")
            shutil.copy(place / f"kernel/boot/vmlinuz-{release}", self.kernel)
            step.run(["depmod", "-b", place / "kernel", release], self.layout.base / "kernel.log")
            early = place / "early"
            for folder in ("bin", "dev", "root", "modules"):
                (early / folder).mkdir(parents=True)
            shutil.copy(shutil.which("busybox"), early / "bin/busybox")
            shutil.copy(HERE / "virtual/early", early / "init")
            names = []
            for module in modules_of(place / "kernel", release):
                shutil.copy(module, early / "modules" / module.name)
                names.append(module.name)
            (early / "modules/order").write_text("\n".join(names) + "\n")
            names = subprocess.run(["find", "."], cwd=early, stdout=subprocess.PIPE, check=True).stdout
            with self.initramfs.open("wb") as output:
                subprocess.run(["cpio", "--create", "--format=newc", "--quiet"], cwd=early, input=names, stdout=output, check=True)

    def make_node(self, place: Path) -> None:
        root, sources = place / "root", place / "debian.list"
        sources.write_text(debian_sources(SUITE))
        with self.console.step(f"making the node's root file system ({SUITE}, {len(PACKAGES)} packages and what they need)") as step:
            step.run(["mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", *(f"--dpkgopt=path-exclude={path}" for path in WITHOUT),
                      "--customize-hook=rm -rf $1/var/cache/* $1/var/log/* $1/var/lib/apt/lists/*", SUITE, root, sources], self.layout.base / "debian.log")
        with self.console.step("writing the node's disk") as step:
            (root / "cluster/state").mkdir(parents=True)
            (root / "cluster/programs").mkdir()
            for program in self.programs.iterdir():
                os.link(program, root / "cluster/programs" / program.name)
            shutil.move(place / "kernel/lib/modules", root / "usr/lib/modules")
            shutil.copy(HERE / "virtual/node", root / "virtual-node")
            step.run(["mke2fs", "-q", "-t", "ext4", "-d", root, self.fresh(self.node), NODE_SIZE], self.layout.base / "disk.log")

    def make_state(self) -> None:
        """What of the cluster's state the node is given: certificates, unpacked images, and the code of onenode itself."""
        with self.console.step("writing the state's disk") as step, tempfile.TemporaryDirectory(dir=self.layout.base) as place:
            content = Path(place)
            shutil.copytree(self.layout.pki, content / "pki")
            (content / "images").mkdir()  # none to import: they are unpacked already
            (content / "logs").mkdir()
            self.unpack_images(content / "node/containerd", step)
            for package in ("onenode", "local"):
                shutil.copytree(HERE.parent / package, content / "e2e" / package, ignore=shutil.ignore_patterns("__pycache__", "modules"))
            step.run(["mke2fs", "-q", "-t", "ext4", "-d", content, self.fresh(self.state), STATE_SIZE], self.layout.logs / "disk.log")

    def unpack_images(self, root: Path, step) -> None:
        """By containerd itself, here, where it takes seconds: the folder becomes the node's /var/lib/containerd."""
        root.mkdir(parents=True)
        with tempfile.TemporaryDirectory(prefix="navigator-") as name:  # a socket's path must be short
            settings, address = Path(name) / "config.toml", Path(name) / "socket"
            settings.write_text(f"version = 3\nroot = '{root}'\nstate = '{name}/state'\noom_score = 0\ndisabled_plugins = [{', '.join(map(repr, NOT_FOR_UNPACKING))}]\n"
                                f"[grpc]\naddress = '{address}'\n")
            with (self.layout.logs / "unpacking.log").open("w") as log, subprocess.Popen(
                    ["unshare", "--mount", self.programs / "containerd", "--config", settings], stdout=log, stderr=log) as server:
                try:
                    self.import_all(address, step)
                finally:
                    server.terminate()

    def import_all(self, address: Path, step) -> None:
        client = [self.programs / "ctr", "--address", address, "--namespace", "k8s.io"]
        for _ in range(100):
            if subprocess.run([*client, "version"], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)
        for archive in sorted((self.layout.state / "images").glob("*.image")):
            step.run([*client, "images", "import", "--local", archive], self.layout.logs / "import.log")

    @staticmethod
    def fresh(path: Path) -> Path:
        path.unlink(missing_ok=True)
        return path


def kernel_release() -> str:
    """Of the newest kernel that apt knows: 6.1.0-NN-cloud-amd64."""
    text = subprocess.run(["apt-cache", "depends", KERNEL_PACKAGE], stdout=subprocess.PIPE, text=True, check=False).stdout
    names = [word.removeprefix("linux-image-") for word in text.split() if word.startswith("linux-image-") and word != KERNEL_PACKAGE]
    if not names:
        raise Failure(f"apt knows no {KERNEL_PACKAGE}: run 'apt-get update'; the virtual node is Debian 12 on x86-64")
    return names[0]


def modules_of(kernel: Path, release: str) -> list:
    """Files, each after those it needs; what is built in needs none."""
    found = []
    for name in DISK_MODULES:
        text = subprocess.run(["modprobe", "--dirname", kernel, "--set-version", release, "--show-depends", name],
                              stdout=subprocess.PIPE, text=True, check=True).stdout
        for line in text.splitlines():
            if line.startswith("insmod ") and Path(line.split()[1]) not in found:
                found.append(Path(line.split()[1]))
    return found
