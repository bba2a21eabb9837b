# SPDX-License-Identifier: Apache-2.0
"""Fixtures: the node and the pods that the rows of the acceptance list run on: real podman, real runc, real kubectl.

Everything is made once a run and taken down at its end. A test asks for `pod` (the example pod), or for `pods(...)`, which gives
it a pod of another kind and keeps that for the tests after it.
"""
import copy
import hashlib
import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

from helpers.bundle import Bundle, Network, Node as BareNode
from helpers.policies import POL
from helpers.remotecommand import Client, Refused
from local import build, images, pod as local_pod
from local.progress import Console


def pytest_make_parametrize_id(val):
    """A long value is no name: pytest puts names into the environment of what it starts."""
    if isinstance(val, (str, bytes)) and len(val) > 60:
        return f"{len(val)} bytes"
    return None


class Sandbox(local_pod.Pod):
    """A pod and the quick client for it: sandbox.run("id", "-u").out"""

    def start(self) -> None:
        super().start()
        self.client = Client(self.port, self.name, self.node.credentials.token, self.node.credentials.certificate)

    def run(self, *argv, **options):
        return self.client.exec(argv, **options)

    def shell(self, script: str, **options):
        return self.client.exec(["sh", "-c", script], **options)

    def python(self, program: str, *argv, **options):
        return self.client.exec(["python3", "-c", program, *argv], **options)


    def refusal(self, *argv, seconds: float = 20):
        """The result of a session that is refused by our own rules, once the sidecar knows its workload."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                result = self.run(*argv)
                if result.status.get("reason") != "NonZeroExitCode" and "no workload" not in result.message:
                    return result
            except (OSError, Refused):
                pass
            assert time.monotonic() < deadline, f"no refusal in {seconds} s; sidecar:\n{self.logs()}"
            time.sleep(0.2)


@pytest.fixture(scope="session")
def programs():
    """The folder of the executables under test."""
    return build.TREE / "build" / os.environ.get("NAVIGATOR_PRESET", "dev") / "bin"


@pytest.fixture(scope="session")
def gateway_program(programs):
    """The gateway for tests without a pod. Sanitizers need more system calls than it leaves itself."""
    sanitized = os.environ.get("NAVIGATOR_PRESET") == "asan"
    return programs / ("navigator-gateway-unconfined" if sanitized else "navigator-gateway")


@pytest.fixture(scope="session")
def node(pytestconfig, programs):
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    folder = Path(tempfile.mkdtemp(prefix="navigator-tests-"))
    with capture.global_and_fixture_disabled():
        print()
        console = Console(sys.stdout)
        built = images.Images(console, programs).make()
        node = local_pod.Node(folder, programs)
        with console.step("loading the images"):
            node.engine.load(built)
    node.policy("default", POL)
    try:
        yield node
    finally:
        if os.environ.get("NAVIGATOR_KEEP"):
            print(f"kept: {folder}")
        else:
            node.close()


class Pods:
    """pods(image=..., policy=..., change=...): a running pod of that kind, the same one for every test that asks alike.
    pods.fresh(...): one that the test may break; it goes with the test."""

    def __init__(self, node):
        self.node = node
        self.running = {}
        self.borrowed = []
        self.count = 0

    def __call__(self, image: str = "workload", policy: str = POL, change=None, container: dict = None) -> Sandbox:
        manifest = self._manifest(image, policy, change, container or {})
        key = repr(manifest)
        if key not in self.running:
            self.running[key] = self._start(manifest)
        return self.running[key]

    def fresh(self, image: str = "workload", policy: str = POL, change=None, container: dict = None, ready: bool = True) -> Sandbox:
        sandbox = self._start(self._manifest(image, policy, change, container or {}), ready)
        self.borrowed.append(sandbox)
        return sandbox

    def _manifest(self, image: str, policy: str, change, container: dict) -> dict:
        """The example pod with another image, policy (None: no policy annotation), fields of the workload container, or anything else
        that `change` does to it."""
        manifest = local_pod.example()
        workload = manifest["spec"]["containers"][0]
        workload["image"] = images.reference(image)
        workload.update(container)
        if policy is None:
            del manifest["metadata"]["annotations"]["navigator.sandbox/policy"]
        else:
            name = hashlib.sha256(policy.encode()).hexdigest()[:12]
            self.node.policy(name, policy)
            manifest["metadata"]["annotations"]["navigator.sandbox/policy"] = f"node/{name}"
        if change:
            change(manifest)
        return manifest

    def _start(self, manifest: dict, ready: bool = True) -> Sandbox:
        manifest = copy.deepcopy(manifest)
        self.count += 1
        manifest["metadata"]["name"] = f"pod{self.count}"
        for container in manifest["spec"]["containers"]:
            for port in container.get("ports", []):
                port["hostPort"] = local_pod.free_port()
        sandbox = Sandbox(self.node, manifest)
        try:
            sandbox.start()
            if ready:
                sandbox.wait_ready()
        except BaseException:
            sandbox.remove()
            raise
        return sandbox

    def return_borrowed(self) -> None:
        while self.borrowed:
            self.borrowed.pop().remove()


@pytest.fixture(scope="session")
def all_pods(node):
    return Pods(node)


@pytest.fixture
def pods(all_pods):
    yield all_pods
    all_pods.return_borrowed()


@pytest.fixture
def pod(pods):
    return pods()


@pytest.fixture(scope="session")
def development_image(node, pytestconfig):
    """Loaded into the node only where a test asks for it: it is made from packages of the Python index."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print()
        node.engine.load(images.Images(Console(sys.stdout), node.programs).make_development())


@pytest.fixture
def development(development_image, pods):
    """A fresh pod of the development image that names no policy: the image brings its own."""
    return pods.fresh("development", policy=None)


@pytest.fixture
def bare_node(tmp_path, programs):
    """The hook's own files, without an engine."""
    return BareNode(tmp_path, programs / "navigator-hook")


@pytest.fixture
def bundle(bare_node):
    """bundle(runtime, stages...): a container for a bare runtime; it goes with the test."""
    made = []

    def make(runtime: str = "runc", *stages) -> Bundle:
        made.append(Bundle(bare_node, runtime, stages or ("prestart", "poststop")))
        return made[-1]
    yield make
    for each in made:
        each.remove()


@pytest.fixture
def network():
    """A network namespace for the containers of a pod."""
    made = Network()
    yield made
    made.close()


other_network = network  # and one for another pod
