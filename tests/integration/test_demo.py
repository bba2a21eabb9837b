# SPDX-License-Identifier: Apache-2.0
"""The first command of the README: e2e/demo, as a person runs it, in a folder and on a port of its own."""
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from helpers.terminal import Terminal
from local import images
from local.build import TREE
from local.pod import free_port


@pytest.fixture
def state():
    """Short, because podman takes no run folder of more than 50 bytes."""
    return Path(tempfile.mkdtemp(prefix="navigator-demo-")) / "state"


@pytest.fixture
def demo(tmp_path, state):
    """Runs e2e/demo beside the machine's own cache, so that taking it down takes nobody else's images along."""
    cache = tmp_path / "cache"
    cache.mkdir()
    for rootfs in (*images.CACHE.glob("debian-*.tar"), *images.CACHE.glob("development-*.tar")):
        os.link(rootfs, cache / rootfs.name)
    for folder in ("bin", "go"):
        if (images.CACHE / folder).exists():
            (cache / folder).symlink_to(images.CACHE / folder)
    environment = {**os.environ, "NAVIGATOR_CACHE": str(cache), "NAVIGATOR_DEMO": str(state), "NAVIGATOR_DEMO_PORT": str(free_port()),
                   "NAVIGATOR_PRESET": os.environ.get("NAVIGATOR_PRESET", "dev")}

    def run(*arguments) -> subprocess.CompletedProcess:
        return subprocess.run([TREE / "e2e/demo", *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=300, check=False)
    yield run
    run("--down")
    state.parent.rmdir()


def test_demo_walks_through_and_leaves_nothing(demo, state):
    result = demo()
    assert result.returncode == 0, result.stdout + result.stderr
    for text in ("uid=1000(sandbox)", "policy.yaml:9  /usr", "typo.yaml:18:7: read-write path is overly broad: '/'", "OCSF ", "denied: /usr/bin/curl (", "suggested_curl:",
                 "| installed from inside |", "403 Forbidden: policy 'python_packages' allows", "missing_rule: {"):
        assert text in result.stdout
    assert "\033[" not in result.stdout, "colour is for terminals"
    assert not state.exists()


def test_demo_keep_and_down(demo, state, tmp_path):
    """The pod stays, the command it prints works in a real terminal, and --down removes every trace."""
    result = demo("--keep")
    command = next(line.strip() for line in result.stdout.splitlines() if line.strip().startswith("KUBECONFIG="))
    assert command.endswith("kubectl exec -it demo -- bash")
    terminal = Terminal(tmp_path, dict(os.environ), "sh", "-c", command)
    try:
        terminal.wait_for(":~$")
        terminal.type("id -un; cat /opt/readable", "Enter")
        terminal.wait_for("Permission denied")
        assert "sandbox" in terminal.screen()
        terminal.resize(110, 33)
        terminal.type("stty size", "Enter")
        terminal.wait_for("33 110")
    finally:
        terminal.close()
    assert demo("--down").returncode == 0
    assert not state.exists()
    assert not list((tmp_path / "cache").glob("*.image"))
    assert str(state) not in Path("/proc/self/mounts").read_text()


def test_demo_says_what_to_do(demo):
    assert demo("--nonsense").returncode == 2
    assert "--keep" in demo("--nonsense").stdout
