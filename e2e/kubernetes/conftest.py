# SPDX-License-Identifier: Apache-2.0
"""Cases for any cluster that KUBECONFIG names; `e2e/cluster test` brings one of its own.

    NAVIGATOR_E2E_VALUES    a values file for the chart instead of values.yaml beside this file: other images, another registry
    NAVIGATOR_E2E_WORKLOAD  the image of the workloads: has bash, python3, a user `sandbox` and /sandbox
    NAVIGATOR_E2E_PULL      their imagePullPolicy
    NAVIGATOR_E2E_SLOWNESS  how many times longer to wait than on a machine with the processor to itself
"""
import copy
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
CHART = TOP / "charts/navigator"
RELEASE, SYSTEM = "navigator", "navigator-system"
VALUES = Path(os.environ.get("NAVIGATOR_E2E_VALUES", HERE / "values.yaml"))
WORKLOAD = os.environ.get("NAVIGATOR_E2E_WORKLOAD", "localhost/navigator-workload:latest")
PULL = os.environ.get("NAVIGATOR_E2E_PULL", "Never")
SLOWNESS = int(os.environ.get("NAVIGATOR_E2E_SLOWNESS", "1"))
WAIT = ("--wait", "--timeout", f"{3 * SLOWNESS}m")  # of helm


class Kubectl:
    """kubectl, by whoever the kubeconfig names or by an impersonated user, in one namespace."""

    def __init__(self, namespace: str, *options: str):
        self.namespace = namespace
        self.options = options

    def run(self, *arguments, input=None, check=True, timeout=120) -> subprocess.CompletedProcess:
        done = subprocess.run(["kubectl", "-n", self.namespace, *self.options, *map(str, arguments)], input=input, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout * SLOWNESS)
        assert not check or done.returncode == 0, f"kubectl {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}"
        return done

    def get(self, *arguments) -> dict:
        return json.loads(self.run("get", *arguments, "-o", "json").stdout)

    def create(self, document: dict) -> dict:
        return json.loads(self.run("create", "-o", "json", "-f", "-", input=json.dumps(document)).stdout)

    def admitted(self, document: dict) -> dict:
        """What the object would become; nothing is created."""
        return json.loads(self.run("create", "--dry-run=server", "-o", "json", "-f", "-", input=json.dumps(document)).stdout)

    def refusal(self, document: dict) -> str:
        """The message with which the API server turns the object down."""
        done = self.run("create", "--dry-run=server", "-f", "-", input=json.dumps(document), check=False)
        assert done.returncode != 0, f"was admitted:\n{json.dumps(document, indent=1)}"
        return done.stderr

    def acting_as(self, user: str) -> "Kubectl":
        return Kubectl(self.namespace, f"--as={user}")


def helm(*arguments, check=True) -> subprocess.CompletedProcess:
    done = subprocess.run(["helm", *map(str, arguments)], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert not check or done.returncode == 0, f"helm {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}"
    return done


def container(name="app", **fields) -> dict:
    return {"name": name, "image": WORKLOAD, "imagePullPolicy": PULL, "command": ["sleep", "infinity"], **fields}


def pod(name="agent", annotations=None, **spec) -> dict:
    """An annotated pod; `annotations={}` makes a plain one."""
    chosen = {"navigator.sandbox/inject": "true"} if annotations is None else annotations
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "annotations": copy.deepcopy(chosen)},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [container()], **spec}}


def sidecar_of(document: dict) -> dict:
    return next(c for c in document["spec"]["initContainers"] if c["name"] == "navigator")


def wait_for(what: str, check, seconds=30):
    """The first true value of check(); polls, because no event says that a policy has taken effect."""
    end = time.monotonic() + seconds * SLOWNESS
    while time.monotonic() < end:
        value = check()
        if value:
            return value
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds * SLOWNESS} s")


@pytest.fixture(scope="session")
def cluster() -> Kubectl:
    """The cluster's administrator, in the namespace `default`."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("KUBECONFIG is not set: run `e2e/cluster test`, or name a cluster")
    return Kubectl("default")


@pytest.fixture(scope="session")
def release(cluster) -> str:
    """The chart, installed; admission in effect."""
    helm("upgrade", "--install", RELEASE, CHART, "--namespace", SYSTEM, "--create-namespace", "--values", VALUES, *WAIT)
    settle(cluster)
    return RELEASE


def settle(cluster: Kubectl) -> None:
    """Admission policies take effect about a second after they are applied."""
    if os.environ.get("NAVIGATOR_E2E_MUTANT"):  # tests/mutations: what would be waited for may have been taken out
        time.sleep(3)
        return
    def is_admitted(value):
        document = pod(annotations={"navigator.sandbox/inject": value})
        document["metadata"]["generateName"] = document["metadata"].pop("name")
        return cluster.run("create", "--dry-run=server", "-f", "-", input=json.dumps(document), check=False).returncode == 0
    wait_for("the chart's refusals", lambda: not is_admitted("yes"))
    wait_for("the chart's injection", lambda: is_admitted("true"))


@pytest.fixture
def namespace(cluster, release, request):
    """A namespace of the case's own, with a default service account; labels come as @pytest.mark.labels({...})."""
    mark = request.node.get_closest_marker("labels")
    name = f"case-{time.time_ns():x}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": mark.args[0] if mark else {}}})
    kubectl = Kubectl(name)
    kubectl.run("wait", "serviceaccount/default", "--for=create", f"--timeout={30 * SLOWNESS}s")
    yield kubectl
    cluster.run("delete", "namespace", name, "--wait=false")
