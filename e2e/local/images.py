# SPDX-License-Identifier: Apache-2.0
"""The images, made on this machine from Debian packages: no registry, no build container.

    pause     holds the pod's namespaces
    sidecar   our executables and their libraries, and nothing that interprets
    workload  Debian with the user `sandbox`, /sandbox and its virtual environment
    stock     Debian as it comes: neither the user nor the folder

    development   for who asks for it: made from packages of the Python index, too (development.py)
"""
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from . import archive, development
from .build import PROGRAMS, TREE
from .progress import Console, Failure, Step

CACHE = Path(os.environ.get("NAVIGATOR_CACHE", "/var/cache/navigator"))
PREFIX = "localhost/navigator-"
SIDECAR_USER = 64700
SANDBOX_USER = 1000
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]

# What the launcher needs, and why, is in manifests/examples/pod.yaml; the manifest adds the same list to the container.
LAUNCHER_CAPABILITIES = (
    "SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE", "SETUID", "SETGID", "SETPCAP", "KILL", "CHOWN", "DAC_OVERRIDE", "FOWNER",
    "NET_BIND_SERVICE", "NET_ADMIN", "NET_RAW")

# Where the launcher looks for its roles, and the chart for the webhook; what people call is in /usr/bin.
PLACES = {name: f"/usr/libexec/navigator/{name}" for name in ("navigator-gateway", "navigator-egress", "navigator-webhook")}

# By these names the sidecar's container has a client of its own sandbox: `kubectl exec POD -c navigator -- bash` lands there, and so does kubectl cp.
# They stand in a folder of their own on PATH: by its absolute path a shell is not there.
SANDBOX_PROGRAMS = (
    "bash", "sh", "env", "tar", "test", "true", "false", "cat", "ls", "id", "ps", "echo", "sleep", "stty", "tail", "head", "grep", "find", "python",
    "python3", "pip", "uv", "node", "npm", "git", "curl", "make")
SANDBOX_PROGRAMS_FOLDER = "/usr/libexec/navigator/in-sandbox"

DEBIAN_PACKAGES = (
    "bash", "coreutils", "procps", "util-linux", "iproute2", "python3", "python3-venv", "curl", "git", "tmux", "ca-certificates",
    "openssh-client", "sudo")
# Nobody reads manuals in a test image.
DEBIAN_WITHOUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
DEBIAN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def reference(name: str) -> str:
    return f"{PREFIX}{name}:latest"


class Images:
    """Archives in the cache, each named by what went into it, so that an unchanged one is not made again."""

    def __init__(self, console: Console, programs: Path):
        self.console = console
        self.programs = programs
        CACHE.mkdir(parents=True, exist_ok=True)

    def make(self) -> dict:
        """Name -> archive, of all images."""
        rootfs = self._debian()
        with self.console.step("writing the images") as step:
            return {
                "pause": self._pause(step),
                "sidecar": self._sidecar(),
                "workload": self._workload(rootfs),
                "stock": self._archive("stock", rootfs.stem, lambda: [rootfs], {
                    "Cmd": ["/bin/bash"], "Env": [f"PATH={DEBIAN_PATH}"]}),
            }

    def make_development(self) -> dict:
        rootfs = self._debian()
        with self.console.step("making the development image (virtual environments, uv, its policy)") as step:
            pip = development.Pip(CACHE, step)
            python = development.make_python(rootfs, pip, CACHE, step)
            settings = development.make_settings(debian_accounts(rootfs), pip, self.programs / "navigator")
            return {"development": self._archive("development", rootfs.stem + python.stem + archive.digest(settings),
                                                 lambda: [rootfs, python, settings], development.CONFIG)}

    def _archive(self, name: str, key: str, layers, config: dict) -> Path:
        """The archive for this key; an older one of the same name makes room."""
        output = CACHE / f"{name}-{hashlib.sha256(f'{reference(name)} {key} {config}'.encode()).hexdigest()[:16]}.image"
        if not output.exists():
            archive.write(output, reference(name), layers(), config, ARCHITECTURE)
            for old in CACHE.glob(f"{name}-*.image"):
                if old != output:
                    old.unlink(missing_ok=True)
        return output

    def _debian(self) -> Path:
        suite = re.search(r"VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text())[1]
        key = hashlib.sha256(" ".join((suite, *DEBIAN_PACKAGES, *DEBIAN_WITHOUT)).encode()).hexdigest()[:16]
        rootfs = CACHE / f"debian-{key}.tar"
        if rootfs.exists():
            return rootfs
        with self.console.step(f"making a Debian root filesystem ({suite}, {len(DEBIAN_PACKAGES)} packages and what they need)") as step:
            sources = CACHE / "debian.list"
            if not any(Path("/var/lib/apt/lists").glob("*Packages*")):
                step.run(["apt-get", "update"], CACHE / "update.log")
            sources.write_text(debian_sources(suite))
            part = rootfs.with_suffix(".part.tar")
            step.run(["mmdebstrap", "--variant=minbase", f"--include={','.join(DEBIAN_PACKAGES)}",
                      *(f"--dpkgopt=path-exclude={path}" for path in DEBIAN_WITHOUT),
                      "--customize-hook=rm -rf $1/var/cache/* $1/var/log/*", suite, part, sources],
                     CACHE / "debian.log", env={**os.environ, "SOURCE_DATE_EPOCH": "0"})
            part.rename(rootfs)
            for old in CACHE.glob("debian-*.tar"):
                if old != rootfs:
                    old.unlink()
        return rootfs

    def _pause(self, step: Step) -> Path:
        source = TREE / "e2e/images/pause.c"
        program = CACHE / "pause"
        step.run(["gcc", "-Os", "-static", "-s", "-o", program, source], CACHE / "pause.log")

        def layers():
            layer = archive.Layer()
            layer.file("/pause", program.read_bytes(), 0o755)
            return [layer.bytes()]
        return self._archive("pause", archive.digest(program.read_bytes()), layers, {"Entrypoint": ["/pause"]})

    def _sidecar(self) -> Path:
        programs = [self.programs / name for name in PROGRAMS if (self.programs / name).exists()]
        if not programs or programs[0].name != "navigator-sidecar":
            raise Failure(f"{self.programs} has no navigator-sidecar: build first")
        layer = archive.Layer()
        for path, source in libraries(programs):
            layer.file(path, source.read_bytes(), 0o755, attribute=archive.capability_attribute(()))
        for program in programs:
            capabilities = LAUNCHER_CAPABILITIES if program.name == "navigator-sidecar" else ()
            layer.file(PLACES.get(program.name, f"/usr/bin/{program.name}"), program.read_bytes(),
                       0o711, attribute=archive.capability_attribute(capabilities))
        for name in SANDBOX_PROGRAMS:
            layer.link(f"{SANDBOX_PROGRAMS_FOLDER}/{name}", "/usr/bin/navigator")
        for folder in ("/etc/navigator-gateway", "/proc", "/sys", "/dev", "/run/navigator"):
            layer.parents(folder + "/")
            layer.folder(folder)
        layer.folder("/tmp", 0o1777)
        data = layer.bytes()
        return self._archive("sidecar", archive.digest(data), lambda: [data], {
            "Entrypoint": ["/usr/bin/navigator-sidecar"], "User": f"{SIDECAR_USER}:{SIDECAR_USER}", "WorkingDir": "/",
            "Env": [f"PATH={SANDBOX_PROGRAMS_FOLDER}:/usr/bin"]})

    def _workload(self, rootfs: Path) -> Path:
        layer = archive.Layer()
        sandbox = (SANDBOX_USER, SANDBOX_USER)
        files = debian_accounts(rootfs)
        layer.file("/etc/passwd", files["etc/passwd"] + b"sandbox:x:1000:1000:sandbox:/sandbox:/bin/bash\n")
        layer.file("/etc/group", files["etc/group"] + b"sandbox:x:1000:\n")
        layer.folder("/sandbox", 0o755, sandbox)
        layer.folder("/app")
        layer.folder("/home/sandbox", 0o700, sandbox)
        layer.file("/sandbox/.bashrc", b"# read by interactive shells that are no login shells\n", owner=sandbox)
        layer.file("/opt/readable", b"world-readable, and in no policy\n")
        layer.link("/app/link", "/opt")
        layer.file("/app/owned", b"owned by sandbox\n", owner=sandbox)
        layer.folder("/app/locked", 0o700)
        layer.file("/app/locked/secret", b"root only\n", 0o600)
        # The environment of Python: what `python3 -m venv` makes, without running a program of the image.
        layer.folder("/sandbox/.venv", 0o755, sandbox)
        layer.folder("/sandbox/.venv/bin", 0o755, sandbox)
        layer.file("/sandbox/.venv/pyvenv.cfg", b"home = /usr/bin\ninclude-system-site-packages = true\nversion = 3\n", owner=sandbox)
        for name in ("python", "python3"):
            layer.link(f"/sandbox/.venv/bin/{name}", "/usr/bin/python3")
        data = layer.bytes()
        return self._archive("workload", rootfs.stem + archive.digest(data), lambda: [rootfs, data], {
            "Cmd": ["/bin/bash"], "WorkingDir": "/sandbox",
            "Env": [f"PATH=/sandbox/.venv/bin:/opt/tool/bin:{DEBIAN_PATH}", "FROM_IMAGE=yes"]})


def debian_sources(suite: str) -> str:
    """The machine's own sources, one line each, as apt itself understands them: no mirror is named here."""
    lines = subprocess.run(["apt-get", "indextargets", "--format", "$(ORIGIN)\t$(REPO_URI)\t$(RELEASE)\t$(COMPONENT)", "Created-By: Packages"],
                           stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    options = f"[signed-by={keyring}] " if keyring.exists() else ""
    sources = set()
    for line in lines:
        origin, uri, release, component = line.split("\t")
        if origin == "Debian" and release.startswith(suite):
            sources.add(f"deb {options}{uri} {release} {component}\n")
    if not sources:
        raise Failure(f"apt knows no Debian source for {suite}: run 'apt-get update', and see /etc/apt/sources.list")
    return "".join(sorted(sources))


def debian_accounts(rootfs: Path) -> dict:
    """The files that a layer of ours extends."""
    with tarfile.open(rootfs) as tar:
        return {name: tar.extractfile(f"./{name}").read() for name in ("etc/passwd", "etc/group")}


def libraries(programs: list) -> list:
    """(path in the image, file on this machine) of every shared library of the programs, the loader included."""
    found = {}
    for program in programs:
        text = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout
        if "not found" in text:
            raise Failure(f"{program.name} needs a library that is not on this machine:\n{text}")
        for path in re.findall(r"(/\S+) \(0x", text):
            found[path] = Path(path).resolve()
    return sorted(found.items())


def forget() -> None:
    """Removes what Images made: the next run makes it anew."""
    for pattern in ("*.image", "debian*", "pause*", "development*", "pip*"):
        for path in CACHE.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
