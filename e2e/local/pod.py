# SPDX-License-Identifier: Apache-2.0
"""A node of our own (podman, the hook, its policies) and the pods on it."""
import copy
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import yaml

from . import credentials
from .build import TREE
from .engine import Engine
from .images import CACHE, reference
from .progress import Failure

EXAMPLES = TREE / "manifests/examples"
READY_SECONDS = 30


class Node:
    """What an administrator sets up once: podman with our hook, the hook's configuration, the policies, credentials for callers."""

    def __init__(self, folder: Path, programs: Path, runtime: str = "runc"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.programs = programs
        self.engine = Engine(folder / "podman", runtime)
        self.policies = folder / "policies"
        self.policies.mkdir(exist_ok=True)
        self.credentials = credentials.create(folder / "credentials")
        self.configuration = folder / "node.json"
        self.configure()
        self.register_hook()

    def configure(self, **changes) -> None:
        """The hook's own configuration: what keeps this node apart from others, and `changes`."""
        self.configuration.write_text(json.dumps({
            "run_directory": str(self.folder / "run"),
            "policy": {"directory": str(self.policies), "ceiling": str(self.folder / "ceiling.yaml")},
            "certificate_authorities": str(self.folder / "certificate-authorities.pem"),
            "sidecar": {"images": [reference("sidecar")]},
            **changes,
        }, indent=2))

    def register_hook(self, **changes) -> None:
        """As `navigator-hook print-config podman` says, with our configuration; tests change a part of it."""
        text = subprocess.run([self.programs / "navigator-hook", "print-config", "podman"], stdout=subprocess.PIPE, check=True).stdout
        document = {**json.loads(text), **changes}
        document["hook"]["args"] = ["navigator-hook", "--config", str(self.configuration)]
        self.engine.register_hook(document)

    def policy(self, name: str, text: str) -> None:
        (self.policies / f"{name}.yaml").write_text(text)

    def play(self, manifest: dict) -> "Pod":
        pod = Pod(self, manifest)
        try:
            pod.start()
        except BaseException:
            pod.remove()
            raise
        return pod

    def close(self) -> None:
        self.engine.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def remove(folder: Path) -> None:
        """Takes down what an earlier process made there."""
        if (folder / "podman").exists():
            Engine(folder / "podman").close()
        shutil.rmtree(folder, ignore_errors=True)


def example() -> dict:
    """manifests/examples/pod.yaml, for the caller to change."""
    return yaml.safe_load((EXAMPLES / "pod.yaml").read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def kubectl_program() -> str:
    """The one e2e/setup settled on: the machine's, else the one it built."""
    built = CACHE / "bin/kubectl"
    return str(built) if built.exists() else "kubectl"


class Pod:
    def __init__(self, node: Node, manifest: dict):
        self.node = node
        self.engine = node.engine
        self.manifest = copy.deepcopy(manifest)
        self.name = manifest["metadata"]["name"]
        self.port = None
        for volume in self.manifest["spec"].get("volumes", []):
            if volume["name"] == "gateway":
                volume["hostPath"]["path"] = str(node.credentials.folder)
        for container in self.manifest["spec"]["containers"]:
            for port in container.get("ports", []):
                self.port = port["hostPort"]
        self.kubeconfig = node.folder / f"{self.name}.kubeconfig"

    def container(self, name: str) -> str:
        """podman's name for a container of this pod."""
        return f"{self.name}-{name}"

    def start(self) -> None:
        if self.port:
            self.node.credentials.kubeconfig(self.kubeconfig, self.port)
        path = self.node.folder / f"{self.name}.yaml"
        path.write_text(yaml.safe_dump(self.manifest, sort_keys=False))
        self.engine.run("kube", "play", "--network", self.engine.network, path)

    def remove(self) -> None:
        self.engine.run("pod", "rm", "--force", "--time", "0", self.name, check=False)

    def pid(self, container: str) -> int:
        """Of the container's first process, as the host numbers it."""
        return int(self.engine.run("inspect", "--format", "{{.State.Pid}}", self.container(container)).stdout)

    def logs(self, container: str = "navigator") -> str:
        result = self.engine.run("logs", self.container(container), check=False)
        return result.stdout + result.stderr

    def podman_exec(self, container: str, *argv, user: str = "", check: bool = False, timeout: float = 120) -> subprocess.CompletedProcess:
        """Not through the sandbox: what the node's administrator, or the workload itself, does."""
        options = ["--user", user] if user else []
        return self.engine.run("exec", *options, self.container(container), *argv, check=check, timeout=timeout)

    @property
    def environment(self) -> dict:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "KUBECACHEDIR": str(self.node.folder / "kubectl")}

    def kubectl(self, *argv, **options) -> subprocess.CompletedProcess:
        options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
        options.setdefault("timeout", 60)
        if options["stdin"] is None:
            del options["stdin"]
        return subprocess.run([kubectl_program(), *(str(word) for word in argv)], env=self.environment, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def wait_ready(self) -> None:
        """Until a session can be opened; what the sidecar said, when it cannot."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            result = self.kubectl("exec", self.name, "--", "true")
            if result.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise Failure(f"pod {self.name} takes no session after {READY_SECONDS} s.\nkubectl: {result.stderr.decode()}\n"
                              "sidecar:\n" + "\n".join(self.logs().splitlines()[-8:]))
            time.sleep(0.2)
