# SPDX-License-Identifier: Apache-2.0
"""The example pod for a command that measures it: built, started, ready, and gone again at the end."""
import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

from local import build, images, pod as local_pod
from local.progress import Console


def programs(console: Console, preset: str) -> Path:
    folder = build.build(console, preset)
    with console.step("building the stopwatch") as step:
        step.run(["nice", "cmake", "--build", "--preset", preset, "--target", "stopwatch"], folder.parent / "stopwatch.log", cwd=build.TREE)
    return folder


@contextlib.contextmanager
def example_pod(console: Console, folder: Path):
    """The pod of manifests/examples on a node of its own, with the programs of `folder`."""
    archives = images.Images(console, folder).make()
    with tempfile.TemporaryDirectory(prefix="navigator-measure-") as place:
        node = local_pod.Node(Path(place) / "node", folder)
        try:
            with console.step("loading the images, starting the pod"):
                node.engine.load(archives)
                node.policy("demo", (local_pod.EXAMPLES / "policy.yaml").read_text())
                manifest = local_pod.example()
                for container in manifest["spec"]["containers"]:
                    for port in container.get("ports", []):
                        port["hostPort"] = local_pod.free_port()
                pod = node.play(manifest)
                pod.wait_ready()
            yield pod
        finally:
            node.close()


def machine() -> str:
    """What the numbers were measured on."""
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
                 os.uname().machine)
    commit = subprocess.run(["git", "-C", build.TREE, "-c", f"safe.directory={build.TREE}", "describe", "--always", "--dirty"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout.strip()
    return f"{os.cpu_count()} CPUs ({model}), Linux {os.uname().release}, Navigator {commit or 'without git'}"
