# SPDX-License-Identifier: Apache-2.0
"""A podman of our own: its configuration, storage, network and hooks lie in one folder, and go with it."""
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

from .images import reference
from .progress import Failure

CONTAINERS_CONF = """\
[containers]
# podman asks for more than a machine may allow, so that every container would fail.
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
log_driver = "k8s-file"

[engine]
runtime = "{runtime}"
cgroup_manager = "cgroupfs"
events_logger = "file"
infra_image = "{pause}"
hooks_dir = ["{hooks}"]

[network]
network_backend = "netavark"
network_config_dir = "{networks}"
"""


class Engine:
    """podman with --root and --runroot below `folder`. One folder, one engine; several live side by side."""

    def __init__(self, folder: Path, runtime: str = "runc"):
        self.folder = folder
        self.hooks = folder / "hooks.d"
        self.configuration = folder / "containers.conf"
        for name in ("hooks.d", "networks", "storage", "run", "tmp"):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.network = self._network()
        self.configuration.write_text(CONTAINERS_CONF.format(
            runtime=runtime, pause=reference("pause"), hooks=self.hooks, networks=folder / "networks"))

    def _network(self) -> str:
        """The name of a network, a bridge and a subnet that no other engine of ours uses: the number is claimed by a lock held as long as
        we live. The name is part of it because netavark has one chain of NAT rules a name, and clears it with the engine's last container."""
        for path in (self.folder / "networks").glob("*.json"):
            return path.stem
        used = subprocess.run(["ip", "-o", "link"], stdout=subprocess.PIPE, text=True, check=True).stdout
        claims = Path("/run/lock/navigator")
        claims.mkdir(exist_ok=True)
        for number in range(1, 255):
            self.claim = open(claims / str(number), "w")
            try:
                fcntl.flock(self.claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            name = f"navigator{number}"
            if f" {name}:" not in used:
                break
        else:
            raise Failure("254 bridges named navigator* are in use: is something left behind? 'ip link' shows them")
        (self.folder / f"networks/{name}.json").write_text(json.dumps({
            "name": name, "id": f"{number:064x}", "driver": "bridge", "network_interface": name,
            "created": "2026-01-01T00:00:00Z", "ipv6_enabled": False, "internal": False, "dns_enabled": False,
            "subnets": [{"subnet": f"10.213.{number}.0/24", "gateway": f"10.213.{number}.1"}],
            "ipam_options": {"driver": "host-local"}}))
        return name

    @property
    def environment(self) -> dict:
        return {**os.environ, "CONTAINERS_CONF": str(self.configuration)}

    def command(self, *words) -> list:
        return ["podman", "--root", str(self.folder / "storage"), "--runroot", str(self.folder / "run"),
                "--tmpdir", str(self.folder / "tmp"), "--hooks-dir", str(self.hooks), *(str(word) for word in words)]

    def run(self, *words, check: bool = True, timeout: float = 120, **options) -> subprocess.CompletedProcess:
        # conmon leaves a file `oom` where it was started when a container runs out of memory.
        result = subprocess.run(self.command(*words), cwd=self.folder, env=self.environment, stdin=options.pop("stdin", subprocess.DEVNULL),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", timeout=timeout,
                                check=False, **options)
        if check and result.returncode != 0:
            raise Failure(f"podman {' '.join(map(str, words))} failed (exit {result.returncode}):\n{result.stderr.strip()}")
        return result

    def load(self, images: dict) -> None:
        """Loads archives that are not in the storage yet, and lets an older image of the same name go."""
        for archive in images.values():
            marker = self.folder / f"loaded-{archive.name}"
            if not marker.exists():
                self.run("load", "--quiet", "--input", archive, timeout=600)
                marker.touch()

    def register_hook(self, document: dict) -> None:
        (self.hooks / "navigator.json").write_text(json.dumps(document, indent=2))

    def close(self) -> None:
        """Ends every pod and removes the folder. What cannot be removed is said by name."""
        pods = self.run("pod", "ps", "--quiet", "--no-trunc", check=False).stdout.split()
        for words in (("pod", "rm", "--all", "--force", "--time", "0"), ("rm", "--all", "--force", "--time", "0")):
            self.run(*words, check=False)
        for pod in pods:  # podman leaves a pod's own cgroup, empty, in each hierarchy
            for cgroup in Path("/sys/fs/cgroup").glob(f"*/libpod_parent/{pod}"):
                with contextlib.suppress(OSError):
                    cgroup.rmdir()
        for line in Path("/proc/self/mounts").read_text().splitlines():
            target = line.split(" ")[1]
            if target.startswith(f"{self.folder}/"):
                subprocess.run(["umount", "--lazy", target], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.exists():
            raise Failure(f"could not remove {self.folder}: something in it is still in use")
