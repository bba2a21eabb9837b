# SPDX-License-Identifier: Apache-2.0
"""The launcher alone: what the whole product cannot show from outside, because its hook and gateway behave."""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from runc_pod import Pod  # noqa: E402

TREE = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def build():
    folder = TREE / "build" / os.environ.get("NAVIGATOR_PRESET", "dev")
    for needed in ("runc", "unshare", "setcap"):
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed")
    if os.geteuid() != 0:
        pytest.skip("containers need root")
    assert (folder / "bin" / "navigator-sidecar").exists(), f"build it first: {folder}"
    return folder


@pytest.fixture
def make_pod(build):
    """make_pod(**settings): a pod of its own for a test that breaks it."""
    pods = []

    def make(**settings):
        pods.append(Pod(build, **settings))
        return pods[-1]

    yield make
    for pod in pods:
        print(f"--- {pod.name}, sidecar:\n{pod.log('sidecar')}{pod.log('workload')}")
        pod.destroy()


@pytest.fixture(scope="module")
def shared(build):
    """One pod for the tests of a file that leave it as it was."""
    pod = Pod(build)
    try:
        pod.start()
        yield pod
    finally:
        pod.destroy()


@pytest.fixture
def gateway(shared):
    try:
        gateway = shared.gateway()
    except (TimeoutError, EOFError, OSError) as error:
        pytest.fail(f"no target from the launcher: {error}; sidecar:\n{shared.log('sidecar')[-3000:]}\n{shared.log('sidecar.out')[-2000:]}")
    yield gateway
    gateway.close()
    shared.gateways.remove(gateway)


@pytest.fixture
def shell(pod):
    """shell(*argv): a session in the `pod` of the test's own module."""
    gateway = pod.gateway()

    def run(*argv, **options):
        return gateway.run(list(argv), flags=0b1110, **options)

    run.gateway = gateway
    yield run
    gateway.close()
