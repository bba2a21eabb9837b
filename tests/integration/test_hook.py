# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 15: the OCI hook under real runtimes. The rows on hostile bundles and images are in tests/unit/hook."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.policies import POL
from helpers.sanitizers import skip_with_sanitizers
from local import images
from local.progress import Failure

ANNOTATION = ("--annotation", "navigator.sandbox/inject=true", "--annotation", "navigator.sandbox/policy=node/hook-test")


@pytest.fixture
def hook(node):
    node.policy("hook-test", POL)
    return node


def run(node, *words, image: str = "workload", annotated: bool = True, check: bool = False):
    return node.engine.run("run", "--rm", "--network", "none", *(ANNOTATION if annotated else ()), *words[:words.index("--")] if "--" in words else (),
                           images.reference(image), *words[words.index("--") + 1:] if "--" in words else words, check=check)


def run_without_hybrid_cgroups(engine, *words):
    """crun refuses a hybrid layout that has controllers on version 2: in a mount namespace where that mount is hidden it does not see one."""
    hide = "umount /sys/fs/cgroup/unified 2>/dev/null; exec \"$@\""
    return subprocess.run(["unshare", "--mount", "sh", "-c", hide, "sh", *engine.command(*words)], env=engine.environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def our_mounts() -> list:
    """What of ours is in the node's own mount table; engines come and go in it."""
    return [line for line in Path("/proc/self/mounts").read_text().splitlines() if line.startswith("navigator ")]


def test_HK1_container_without_our_annotation(node, tmp_path):
    aside = node.policies.with_name("policies.aside")
    configuration = node.configuration.read_text()
    node.register_hook(when={"always": True})
    node.policies.rename(aside)
    node.configuration.write_text("this is not JSON {")
    try:
        result = run(node, "sh", "-c", "echo started; ls /etc/navigator", image="stock", annotated=False)
        assert result.stdout == "started\n", result.stderr
    finally:
        node.register_hook()
        aside.rename(node.policies)
        node.configuration.write_text(configuration)


def test_HK1_reads_the_state_alone(programs, tmp_path):
    skip_with_sanitizers(programs, "their run-time is a shared library, which the loader opens")
    trace = tmp_path / "trace"
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed")
    state = json.dumps({"ociVersion": "1.0.2", "id": "x", "status": "creating", "pid": os.getpid(), "bundle": "/nowhere", "annotations": {"a": "b"}})
    result = subprocess.run([strace, "-f", "-e", "trace=open,openat,openat2,connect,socket", "-o", trace, programs / "navigator-hook"], input=state,
                            text=True, env={"ASAN_OPTIONS": "detect_leaks=0"}, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert result.returncode == 0, result.stdout
    opened = [line for line in trace.read_text().splitlines() if "open" in line or "connect" in line or "socket(" in line]
    assert not [line for line in opened if "ENOENT" not in line and '"/proc' not in line and '"/sys' not in line and '"/dev/' not in line], opened


@pytest.mark.parametrize("stage", ["prestart", "createRuntime"])
@pytest.mark.parametrize("runtime", ["runc", "crun"])
def test_HK2_policy_is_there_and_read_only(hook, runtime, stage):
    hook.register_hook(stages=[stage])
    try:
        options = ["--runtime", runtime]
        result = run_without_hybrid_cgroups(hook.engine, "run", "--rm", "--network", "none", *ANNOTATION, *options, images.reference("workload"), "sh", "-c",
                                            "cat /etc/navigator/policy.yaml; grep ' /etc/navigator' /proc/self/mountinfo >&2; echo x > /etc/navigator/policy.yaml; "
                                 "rm /etc/navigator/policy.yaml; exit 0")
    finally:
        hook.register_hook()
    assert result.stdout == POL, result.stderr
    assert " ro" in result.stderr
    assert "Read-only file system" in result.stderr
    assert not our_mounts()
    assert "navigator" not in hook.engine.run("run", "--rm", "--network", "none", images.reference("workload"), "ls", "/etc").stdout


@pytest.mark.parametrize("content, reason", [
    ("version: 1\nunknown: 1\n", r"hook-test\.yaml:2:1: "),
    (None, r"hook-test"),
    ("version: 1\n" + "#" * (257 * 1024), r"hook-test\.yaml"),
    (b"version: 1\n# \xff\n", r"hook-test\.yaml"),
], ids=["unknown key", "missing", "too long", "not UTF-8"])
def test_HK3_bad_policy_no_container(hook, content, reason):
    path = hook.policies / "hook-test.yaml"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Failure, match=reason) as failure:
        run(hook, "echo", "ran", check=True)
    assert "ran" not in str(failure.value).splitlines()


def test_HK4_twice_is_once(hook):
    document = json.loads((hook.engine.hooks / "navigator.json").read_text())
    second = hook.engine.hooks / "navigator-again.json"
    second.write_text(json.dumps(document))
    try:
        result = run(hook, "sh", "-c", "grep -c policy.yaml /proc/self/mountinfo || grep -c ' /etc/navigator ' /proc/self/mountinfo")
        assert result.stdout.split()[-1] == "1", result
    finally:
        second.unlink()


def test_HK6_environment_of_the_image_means_nothing(hook):
    variables = {"LD_PRELOAD": "/sandbox/evil.so", "LD_AUDIT": "/sandbox/evil.so", "GCONV_PATH": "/sandbox", "BASH_ENV": "/sandbox/evil",
                 "OPENSSL_CONF": "/sandbox/evil.cnf", "LD_LIBRARY_PATH": "/sandbox"}
    options = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    result = hook.engine.run("run", "--rm", "--network", "none", *ANNOTATION, *options, images.reference("workload"), "/usr/bin/cat",
                             "/etc/navigator/policy.yaml", check=False)
    assert result.stdout == POL, result.stderr


def test_HK9_login_shells(pod):
    """Root of the workload and the sandbox user alike."""
    workload = pod.podman_exec("workload", "bash", "-lc", "echo $PATH")
    assert workload.stdout.startswith("/sandbox/.venv/bin:")
    assert pod.run("bash", "-c", "echo $PATH").out.startswith("/sandbox/.venv/bin:")


# --- HK7: what an author writes under an engine's keys, where the engine is podman and its own word is elsewhere

@pytest.fixture
def annotated(hook):
    """Runs a container with these annotations beside ours: (what it printed, what the hook wrote down of it)."""
    names = []

    def run_annotated(image: str, annotations: dict, *argv) -> tuple:
        name = f"annotated-{len(names)}"
        names.append(name)
        words = [word for key, value in annotations.items() for word in ("--annotation", f"{key}={value}")]
        hook.engine.run("run", "--detach", "--network", "none", "--name", name, *ANNOTATION, *words, images.reference(image), *argv)
        container = hook.engine.run("inspect", "--format", "{{.Id}}", name).stdout.strip()
        policy = hook.engine.run("exec", name, "cat", "/etc/navigator/policy.yaml", check=False).stdout
        return policy, {path.name: path.parent.name for path in (hook.folder / "run/pods").rglob(f"{container}.*")}, container
    yield run_annotated
    for name in names:
        hook.engine.run("rm", "--force", "--time", "0", name, check=False)


@pytest.mark.parametrize("annotations", [
    {"io.kubernetes.cri.container-type": "sandbox"}, {"io.kubernetes.cri-o.ContainerType": "sandbox"},
], ids=["containerd", "cri-o"])
def test_HK7_podman_pause_container_by_annotation(annotated, annotations):
    policy, written, container = annotated("stock", annotations, "sleep", "infinity")
    assert policy == POL and list(written) == [f"{container}.record"]


@pytest.mark.parametrize("prefix, image", [
    ("io.kubernetes.cri.container-name", "io.kubernetes.cri.image-name"), ("io.kubernetes.container.name", "io.kubernetes.cri-o.ImageName"),
], ids=["containerd", "cri-o"])
def test_HK7_podman_sidecar_by_annotation(annotated, hook, prefix, image):
    """The name and the image of the sidecar, and a program of its name: what podman's storage says counts."""
    policy, written, container = annotated("stock", {prefix: "navigator", image: images.reference("sidecar")}, "sh", "-c",
                                           "cp /bin/sleep /tmp/navigator-sidecar; exec /tmp/navigator-sidecar infinity")
    assert policy == POL and list(written) == [f"{container}.record"]


def test_HK7_podman_pod_by_annotation(annotated):
    _, written, container = annotated("stock", {"io.kubernetes.cri.sandbox-id": "another"}, "sleep", "infinity")
    assert written[f"{container}.record"].startswith("net-")
