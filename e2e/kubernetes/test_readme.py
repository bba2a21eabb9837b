# SPDX-License-Identifier: Apache-2.0
"""The transcript of the README, typed again: every command of its `console` block, and what it printed."""
import os
import re
import subprocess

import pytest
from conftest import RELEASE, SYSTEM, TOP, VALUES, helm, settle, wait_for


def transcript() -> list:
    """(command, expected output), in order. A line of `...` stands for any lines."""
    block = re.search(r"```console\n(.*?)```", (TOP / "README.md").read_text(), re.DOTALL)[1]
    steps = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        elif line.startswith("> "):
            steps[-1] = (f"{steps[-1][0]}\n{line[2:]}", [])
        else:
            steps[-1][1].append(line)
    return [(command, "\n".join(expected)) for command, expected in steps]


def matches(expected: str, printed: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in re.split(r"(?m)^\.\.\.$\n?|\.\.\.", expected))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


@pytest.fixture
def room(cluster, tmp_path):
    """No chart yet, and a kubeconfig whose namespace is the transcript's own."""
    if helm("status", RELEASE, "--namespace", SYSTEM, check=False).returncode == 0:
        helm("uninstall", RELEASE, "--namespace", SYSTEM, "--wait", "--timeout", "4m")
    name = f"readme-{os.getpid()}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    cluster.run("-n", name, "wait", "serviceaccount/default", "--for=create", "--timeout=30s")
    config = tmp_path / "kubeconfig"
    config.write_text(cluster.run("config", "view", "--flatten", "--raw").stdout)
    environment = {**os.environ, "KUBECONFIG": str(config)}
    subprocess.run(["kubectl", "config", "set-context", "--current", f"--namespace={name}"], env=environment, check=True, stdout=subprocess.DEVNULL)
    yield environment
    cluster.run("delete", "namespace", name, "--wait=false")


def test_readme_transcript(cluster, room):
    for command, expected in transcript():
        words = command.replace("e2e/kubernetes/values.yaml", str(VALUES))
        done = subprocess.run(["bash", "-c", words], cwd=TOP, env=room, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=240, check=False)
        assert matches(expected, done.stdout), f"$ {command}\nexpected:\n{expected}\nprinted:\n{done.stdout}"
        if command.startswith("helm install"):
            settle(cluster)  # a reader needs longer than this to type the next line
            wait_for("a node that is ready", lambda: cluster.get("nodes", "-l", "navigator.sandbox/ready=true")["items"])
