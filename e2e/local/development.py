# SPDX-License-Identifier: Apache-2.0
"""The development image: what agents work in, as people build such images, with its policy inside.

    /app/.venv                   packages of build time; the policy lets sessions read and run them
    /sandbox/.venv               writable, sees the system's packages, has pip
    /usr/local/bin/uv
    /etc/navigator/policy.yaml   the development preset, and in it the Python index that pip on this machine uses

Its Python parts are installed in a chroot of the Debian root filesystem, as the RUN lines of a Dockerfile would be. How this
machine's pip reaches its index is configuration of the machine; its values are written into the image, and nowhere else.
"""
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import archive
from .progress import Failure, Step

PATH = "/sandbox/.venv/bin:/app/.venv/bin:/usr/local/bin:/usr/bin:/bin"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt" # Debian's name for the bundle, on this machine and in the image
SANDBOX = (1000, 1000)
SETTINGS = {"VIRTUAL_ENV": "/sandbox/.venv", "UV_PYTHON_INSTALL_DIR": "/sandbox/.uv/python"}
CONFIG = {
    "Cmd": ["/bin/bash"], "WorkingDir": "/sandbox",
    # uv brings its own authorities and asks nobody else's unless told.
    "Env": [f"PATH={PATH}", *(f"{name}={value}" for name, value in SETTINGS.items()), f"SSL_CERT_FILE={CERTIFICATES}"]}

RUN = """
python3 -m venv /app/.venv
/app/.venv/bin/pip install --quiet --only-binary :all: tabulate==0.9.0
python3 -m venv --system-site-packages /sandbox/.venv
python3 -m venv /tmp/uv
/tmp/uv/bin/pip install --quiet --only-binary :all: uv==0.13.9
install -m 0755 /tmp/uv/bin/uv /usr/local/bin/uv
chown -R 1000:1000 /sandbox
"""
RESULT = ("app", "sandbox", "usr/local/bin/uv")

# What of pip's configuration says where the index is; the rest is the machine's own taste.
CARRIED = ("index-url", "extra-index-url", "trusted-host", "timeout", "default-timeout")


class Pip:
    """pip of this machine, from Debian's Python: a virtual environment in the cache."""

    def __init__(self, cache: Path, step: Step):
        self.folder = cache / "pip"
        if not (self.folder / "bin/pip").exists():
            step.run(["/usr/bin/python3", "-m", "venv", self.folder], cache / "pip.log")

    @property
    def environment(self) -> dict:
        return {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def configuration(self) -> dict:
        """What is in force, files and PIP_ variables together."""
        text = subprocess.run([self.folder / "bin/pip", "config", "list"], stdout=subprocess.PIPE, text=True, check=True).stdout
        found = {match[1]: match[2] for match in re.finditer(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", text, flags=re.M)}
        return {key: found[key] for key in CARRIED if key in found}

    def policy(self, navigator: Path) -> str:
        """The preset, with the hosts that pip and its index name."""
        result = subprocess.run([navigator, "policy", "preset", "development", "--python-index-from-pip"], env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if result.returncode != 0:
            raise Failure(f"no Python index for the development image: {result.stderr.strip()}\nDoes 'pip download pip' work on this machine?")
        return result.stdout


def make_python(rootfs: Path, pip: Pip, cache: Path, step: Step) -> Path:
    """The layer that RUN leaves behind, as a tar file named by what went into it."""
    key = hashlib.sha256(f"{rootfs.stem} {RUN} {RESULT}".encode()).hexdigest()[:16]
    layer = cache / f"development-{key}.tar"
    if layer.exists():
        return layer
    part = layer.with_suffix(".part")
    root = Path(tempfile.mkdtemp(prefix="development-root-", dir=cache))
    try:
        step.run(["tar", "--extract", "--numeric-owner", "--file", rootfs, "--directory", root], cache / "development.log")
        for path, data in {**machine_files(pip), "/etc/resolv.conf": Path("/etc/resolv.conf").read_bytes()}.items():
            target = root / path.lstrip("/")
            target.parent.mkdir(exist_ok=True)
            target.unlink(missing_ok=True)
            target.write_bytes(data)
        step.run(["/usr/sbin/chroot", root, "/bin/sh", "-euxc", RUN], cache / "development.log",
                 env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/root", "LANG": "C.UTF-8"})
        step.run(["tar", "--create", "--numeric-owner", "--file", part, "--directory", root, *RESULT], cache / "development.log")
    finally:
        shutil.rmtree(root)
    part.rename(layer)
    for old in cache.glob("development-*.tar"):
        if old != layer:
            old.unlink(missing_ok=True)
    return layer


def machine_files(pip: Pip) -> dict:
    """What programs in the image need to know of this machine's network: whom to trust, and where the index is. Path -> content."""
    configuration = pip.configuration()
    files = {CERTIFICATES: Path(CERTIFICATES).read_bytes(),
             "/etc/pip.conf": "\n".join(["[global]", f"cert = {CERTIFICATES}", "disable-pip-version-check = true",
                                         *(f"{key} = {value}" for key, value in configuration.items()), ""]).encode()}
    if "index-url" in configuration:
        files["/etc/uv/uv.toml"] = f'[[index]]\nurl = "{configuration["index-url"]}"\ndefault = true\n'.encode()
    return files


def make_settings(accounts: dict, pip: Pip, navigator: Path) -> bytes:
    """The layer of single files: the user, its shell's start files, the policy."""
    layer = archive.Layer()
    layer.file("/etc/passwd", accounts["etc/passwd"] + b"sandbox:x:1000:1000:sandbox:/sandbox:/bin/bash\n")
    layer.file("/etc/group", accounts["etc/group"] + b"sandbox:x:1000:\n")
    layer.file("/etc/navigator/policy.yaml", pip.policy(navigator).encode())
    for path, data in machine_files(pip).items():
        layer.file(path, data)
    layer.folder("/sandbox", 0o755, SANDBOX)
    exports = "".join(f"export {name}={value}\n" for name, value in {"PATH": PATH, **SETTINGS}.items())
    layer.file("/sandbox/.bashrc", exports.encode(), owner=SANDBOX)
    layer.file("/sandbox/.profile", b"[ ! -f ~/.bashrc ] || . ~/.bashrc\n", owner=SANDBOX)
    return layer.bytes()
