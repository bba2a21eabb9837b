# SPDX-License-Identifier: Apache-2.0
"""The life of a release: its own test, an upgrade under a running session, and the way out. Last, because it ends without a release."""
import subprocess
import time

import pytest
from conftest import CHART, RELEASE, SYSTEM, VALUES, WAIT, Kubectl, container, helm, pod, settle, wait_for
from test_sessions import POLICY_ANNOTATIONS, READY_SECONDS, config_map, sandbox


def plain_pod(cluster) -> dict:
    """What the API server makes of a pod that is none of ours, but for the name that it draws for the token's volume."""
    admitted = cluster.admitted(pod("plain", annotations={}, initContainers=[container("setup", command=["true"])]))
    for volume in admitted["spec"]["volumes"]:
        volume["name"] = volume["name"][:len("kube-api-access")]
    for each in admitted["spec"]["containers"] + admitted["spec"]["initContainers"]:
        for mount in each["volumeMounts"]:
            mount["name"] = mount["name"][:len("kube-api-access")]
    return {"spec": admitted["spec"], "labels": admitted["metadata"].get("labels"), "annotations": admitted["metadata"].get("annotations")}


@pytest.fixture(scope="module")
def with_chart(cluster, release) -> dict:
    return plain_pod(cluster)


@pytest.fixture(scope="module")
def room(cluster, release, with_chart):
    name = f"release-{time.time_ns():x}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    kubectl = Kubectl(name)
    kubectl.run("wait", "serviceaccount/default", "--for=create", "--timeout=30s")
    kubectl.create(config_map())
    kubectl.create(pod(annotations=POLICY_ANNOTATIONS))
    kubectl.run("wait", "pod/agent", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    yield kubectl
    cluster.run("delete", "namespace", name, "--wait=false")


def labelled_nodes(cluster) -> list:
    return [node["metadata"]["name"] for node in cluster.get("nodes", "-l", "navigator.sandbox/ready=true")["items"]]


def test_nodes_are_labelled_once_their_canary_is_ready(cluster, release):
    assert labelled_nodes(cluster)
    for canary in Kubectl(SYSTEM).get("pods", "-l", "app.kubernetes.io/component=canary")["items"]:
        assert {"type": "Ready", "status": "True"}.items() <= next(c for c in canary["status"]["conditions"] if c["type"] == "Ready").items()


def test_runtime_has_loaded_the_handler(cluster, release):
    for node in cluster.get("nodes", "-l", "navigator.sandbox/ready=true")["items"]:
        assert "navigator" in [handler["name"] for handler in node["status"]["runtimeHandlers"]]


def test_helm_test(release):
    assert "Phase:          Succeeded" in helm("test", RELEASE, "--namespace", SYSTEM, "--timeout", "2m").stdout


def test_upgrade_leaves_sessions_alone_and_restarts_no_runtime(cluster, room):
    with subprocess.Popen(["kubectl", "-n", room.namespace, "exec", "-i", "agent", "-c", "navigator", "--", "cat"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
        session.stdin.write("before\n")
        session.stdin.flush()
        assert session.stdout.readline() == "before\n"
        helm("upgrade", RELEASE, CHART, "--namespace", SYSTEM, "--values", VALUES, "--set-json", 'node.policies={"upgraded":"version: 1\\n"}', *WAIT)
        session.stdin.write("after\n")
        session.stdin.flush()
        assert session.stdout.readline() == "after\n"
        session.stdin.close()
    log = Kubectl(SYSTEM).run("logs", "ds/navigator-node", "-c", "install").stdout + Kubectl(SYSTEM).run("logs", "ds/navigator-node", "-c", "install").stderr
    assert "install: done" in log and "restarted" not in log
    settle(cluster)


def test_policy_of_the_nodes_reaches_pods(room):
    """Of the upgrade above."""
    room.create(pod("by-node", annotations={"navigator.sandbox/inject": "true", "navigator.sandbox/policy": "node/upgraded"}))
    room.run("wait", "pod/by-node", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    assert sandbox(room, "id", "-un", name="by-node").stdout.strip() == "sandbox"


def test_uninstall_keeps_running_pods_working(cluster, room):
    helm("uninstall", RELEASE, "--namespace", SYSTEM, "--timeout", "4m")
    assert labelled_nodes(cluster) == []
    assert sandbox(room, "id", "-un").stdout.strip() == "sandbox"
    room.run("exec", "agent", "-c", "app", "--", "bash", "-c", "kill -9 $(pgrep -x sleep)", check=False)
    wait_for("a session after the container's restart", lambda: room.get("pod", "agent")["status"]["containerStatuses"][0]["restartCount"] == 1
             and sandbox(room, "id", "-un").stdout.strip() == "sandbox", READY_SECONDS)


def test_nothing_of_the_chart_is_left(cluster):
    kinds = "mutatingadmissionpolicies,mutatingadmissionpolicybindings,validatingadmissionpolicies,validatingadmissionpolicybindings,clusterroles,clusterrolebindings"
    left = [item["metadata"]["name"] for item in cluster.get(kinds)["items"] if item["metadata"]["name"].startswith("navigator")]
    assert left == []
    # the kubelet asks for the class when it restarts a container of a pod that is still there
    assert [item["metadata"]["name"] for item in cluster.get("runtimeclasses")["items"]] == ["navigator"]


def test_k1_plain_pod_is_the_same_without_the_chart(cluster, with_chart):
    assert plain_pod(cluster) == with_chart


def test_uninstall_of_an_empty_node_removes_what_was_written(cluster, room):
    """Installed again and uninstalled with no sandboxed pod left: the handler goes from the runtime's configuration."""
    room.run("delete", "pods", "--all", "--grace-period=1")
    helm("upgrade", "--install", RELEASE, CHART, "--namespace", SYSTEM, "--values", VALUES, *WAIT)
    helm("uninstall", RELEASE, "--namespace", SYSTEM, "--timeout", "4m")
    # only a node's own root sees its files: a pod of this case looks
    looker = Kubectl(SYSTEM)
    looker.create(pod("looker", annotations={}, containers=[container(volumeMounts=[{"name": "etc", "mountPath": "/node-etc"}])],
                      volumes=[{"name": "etc", "hostPath": {"path": "/etc"}}]))
    looker.run("wait", "pod/looker", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    found = looker.run("exec", "looker", "--", "find", "/node-etc/navigator", "/node-etc/containerd", "-name", "*navigator*", "-type", "f", check=False).stdout
    looker.run("delete", "pod", "looker", "--grace-period=1")
    assert found == ""
