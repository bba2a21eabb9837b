# SPDX-License-Identifier: Apache-2.0
"""Who may what, asked of the API server: the rights of the chart's own accounts, pinned, and of the roles that people bind."""
import json

import pytest
from conftest import SYSTEM, Kubectl, wait_for

pytestmark = pytest.mark.usefixtures("release")

# account -> what it may; every other line of QUESTIONS is a no
RIGHTS = {
    "navigator-node": {"get nodes", "patch nodes", "list pods -n system", "delete pods -n system"},
    "default": set(),
}
QUESTIONS = ["get nodes", "patch nodes", "update nodes", "patch nodes/status", "delete nodes", "list pods -n system", "delete pods -n system", "create pods -n system",
             "list pods -n default", "delete pods -n default", "get secrets -n system", "list secrets -n default", "create pods/exec -n system", "create pods/exec -n default",
             "get pods/proxy -n default", "get nodes/proxy", "create serviceaccounts/token -n system", "patch daemonsets.apps -n system", "create clusterrolebindings",
             "create tokenreviews.authentication.k8s.io", "create subjectaccessreviews.authorization.k8s.io", "impersonate users", "create sessions.navigator.sandbox -n default"]


def may(kubectl: Kubectl, user: str, question: str) -> bool:
    """A SubjectAccessReview, because `kubectl auth can-i` forgets the group of a resource that no API server serves."""
    verb, what, *namespace = question.split()
    resource, _, subresource = what.partition("/")
    resource, _, group = resource.partition(".")
    where = namespace[1] if namespace else kubectl.namespace
    where = SYSTEM if where == "system" else where
    review = kubectl.create({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
        "user": user, "groups": ["system:serviceaccounts", "system:authenticated"],
        "resourceAttributes": {"verb": verb, "group": group, "resource": resource, "subresource": subresource, "namespace": where}}})
    return review["status"]["allowed"]


@pytest.mark.parametrize("account", RIGHTS)
def test_rights_of_the_charts_accounts(cluster, account):
    user = f"system:serviceaccount:{SYSTEM}:{account}"
    assert {question for question in QUESTIONS if may(cluster, user, question)} == RIGHTS[account]


@pytest.mark.parametrize("role, yes, no", [
    ("navigator-session-user", ["create sessions.navigator.sandbox", "get pods", "create pods/portforward"], ["create pods/exec", "create pods/attach", "get secrets", "delete pods"]),
    ("navigator-session-viewer", ["get sessions.navigator.sandbox", "get pods"], ["create sessions.navigator.sandbox", "create pods/exec", "create pods/portforward"]),
])
def test_roles_for_people(namespace, role, yes, no):
    namespace.run("create", "rolebinding", "someone", f"--clusterrole={role}", "--user=someone")
    for question in yes:
        wait_for(f"the right to {question}", lambda: may(namespace, "someone", question))  # the authorizer hears of bindings a moment later
    for question in no:
        assert not may(namespace, "someone", question), question


# -- what RBAC lets the node part do, and admission does not

def patch_node(cluster: Kubectl, node: str, patch: list):
    """By the node part, with a token that belongs to no node."""
    return cluster.acting_as(f"system:serviceaccount:{SYSTEM}:navigator-node").run(
        "patch", "node", node, "--type=json", f"--patch={json.dumps(patch)}", "--dry-run=server", check=False)


def own_token(cluster: Kubectl) -> str:
    """A token as the node part has it: bound to its pod, which runs on the node."""
    system = Kubectl(SYSTEM)
    name = system.get("pods", "-l", "app.kubernetes.io/component=node")["items"][0]["metadata"]["name"]
    return system.run("create", "token", "navigator-node", "--bound-object-kind=Pod", f"--bound-object-name={name}").stdout.strip()


@pytest.fixture(scope="module")
def node(cluster) -> str:
    return Kubectl(SYSTEM).get("pods", "-l", "app.kubernetes.io/component=node")["items"][0]["spec"]["nodeName"]


def test_node_part_without_its_nodes_token_changes_nothing(cluster, node):
    done = patch_node(cluster, node, [{"op": "add", "path": "/metadata/labels/navigator.sandbox~1ready", "value": "true"}])
    assert done.returncode != 0 and "may change its own node only" in done.stderr


@pytest.mark.parametrize("patch, words", [
    ([{"op": "add", "path": "/metadata/labels/navigator.sandbox~1ready", "value": "false"}], None),
    ([{"op": "add", "path": "/metadata/labels/other", "value": "x"}], "no label but navigator.sandbox/ready"),
    ([{"op": "remove", "path": "/metadata/labels/kubernetes.io~1hostname"}], "no label but navigator.sandbox/ready"),
    ([{"op": "add", "path": "/spec/unschedulable", "value": True}], "nothing of a node but its label"),
    ([{"op": "add", "path": "/spec/taints", "value": [{"key": "x", "effect": "NoExecute"}]}], "nothing of a node but its label"),
    ([{"op": "add", "path": "/metadata/annotations/x", "value": "y"}], "nothing of a node but its label"),
], ids=["its-label", "another-label", "a-label-of-the-node", "cordon", "taint", "annotation"])
def test_node_part_may_change_one_label(cluster, node, patch, words):
    server = cluster.run("config", "view", "--minify", "--raw", "-o", "jsonpath={.clusters[0].cluster.server}").stdout
    done = Kubectl("default", "--kubeconfig=/dev/null", f"--server={server}", "--insecure-skip-tls-verify", f"--token={own_token(cluster)}").run(
        "patch", "node", node, "--type=json", f"--patch={json.dumps(patch)}", "--dry-run=server", check=False)
    assert (done.returncode == 0) == (words is None), done.stderr
    assert words is None or words in done.stderr
