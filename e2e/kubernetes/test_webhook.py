# SPDX-License-Identifier: Apache-2.0
"""The webhook for clusters before Kubernetes 1.36, registered in this one with the mutating policy off: the same pods go to both, and what comes
out is compared. Then a pod that it made runs, and what happens without it."""
import copy
import json
import re
import time

import pytest
from conftest import CHART, RELEASE, SYSTEM, VALUES, WAIT, Kubectl, container, helm, pod, settle, wait_for
from test_admission import INJECT, POLICY, REFUSED, TARGET
from test_sessions import READY_SECONDS, sandbox

ADMITTED = {
    "smallest": pod(),
    "init_containers": pod(initContainers=[container("setup", command=["true"]), container("more", restartPolicy="Always")]),
    "two_containers": pod(annotations={INJECT: "true", TARGET: "other"}, containers=[container(), container("other")]),
    "variables": pod(containers=[
        container(env=[{"name": "FIRST", "value": "$(HTTP_PROXY)"}, {"name": "HTTP_PROXY", "value": "http://elsewhere:1"},
                       {"name": "no_proxy", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}, {"name": "LAST"}]),
        container("other", env=[{"name": "grpc_proxy", "value": ""}])], initContainers=[container("setup", command=["true"], env=[{"name": "A", "value": "b"}])]),
    "policy_config_map": pod(annotations={INJECT: "true", POLICY: "configmap/agents"}, volumes=[{"name": "data", "emptyDir": {}}],
                             containers=[container(volumeMounts=[{"name": "data", "mountPath": "/data"}]), container("other")],
                             initContainers=[container("setup", command=["true"])]),
    "policy_image": pod(annotations={INJECT: "true", POLICY: "image"}),
    "policy_node": pod(annotations={INJECT: "true", POLICY: "node/default"}),
    "no_token": pod(automountServiceAccountToken=False),
    "hosts_user_namespace": pod(hostUsers=True),
    "own_user_namespace": pod(hostUsers=False),
    "class_said": pod(runtimeClassName="navigator"),
    "processes_shared_already": pod(shareProcessNamespace=True),
    "not_host_pid": pod(hostPID=False),
    "default_container_said": pod(annotations={INJECT: "true", "kubectl.kubernetes.io/default-container": "app"}),
    "supplementary_groups": pod(securityContext={"supplementalGroups": [1, 1234567]}),
    "supplementary_groups_that_fit": pod(securityContext={"supplementalGroups": [65535], "runAsUser": 65535}),
    "fs_group": pod(securityContext={"fsGroup": 65536}),
    "user_of_the_pod": pod(securityContext={"runAsUser": 65536}),
    "user_of_a_container": pod(containers=[container(securityContext={"runAsUser": 100000})]),
    "group_of_an_init_container": pod(initContainers=[container("setup", command=["true"], securityContext={"runAsGroup": 100000})]),
    "plain": pod(annotations={}, initContainers=[container("setup", command=["true"])]),
    "labels": pod(),
    "job_like": pod(restartPolicy="Never", nodeSelector={"a": "b"}, tolerations=[{"operator": "Exists"}]),
}
ADMITTED["labels"]["metadata"]["labels"] = {"app": "mine", "navigator.sandbox.example": "x"}
CASES = {**ADMITTED, **{f"refused_{name}": document for name, (document, _) in REFUSED.items()}}
SETTINGS = {"defaults": [], "otherwise": ["pods.defaultContainer=true", 'pods.userNamespaces="never"', 'pods.noProxy=["10.96.0.0/12"]', 'sidecar.tlsSecret="mine"',
                                          'sidecar.resources={"limits":{"cpu":2}}'],
            "no_variables": ["pods.proxyVariables=false"]}


def install(cluster, mode: str, settings=()) -> None:
    helm("upgrade", "--install", RELEASE, CHART, "--namespace", SYSTEM, "--create-namespace", "--values", VALUES, *WAIT, "--set", f"admission.mode={mode}",
         *(f"--set-json={setting}" for setting in settings))
    settle(cluster)


def log() -> str:
    """Of every webhook that runs, or ended just now."""
    return Kubectl(SYSTEM).run("logs", "-l", "app.kubernetes.io/component=webhook", "--tail=-1", "--prefix", check=False).stdout


def webhook_injects(cluster) -> bool:
    """An object that is gone goes on working for a second: who injected is known from the webhook's log."""
    name = f"asked-{time.time_ns():x}"
    cluster.admitted(pod(name))
    return wait_for_line(name)


def wait_for_line(name: str) -> bool:
    end = time.monotonic() + 2
    while f"pod default/{name} gets a sandbox" not in log():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def policy_injects(cluster) -> bool:
    name = f"asked-{time.time_ns():x}"
    cluster.admitted(pod(name))
    return not wait_for_line(name)


def outcome(cluster, name: str, document: dict):
    """What the pod would become, or the words of its refusal; without what is drawn anew for each."""
    document = copy.deepcopy(document)
    document["metadata"]["name"] = name
    done = cluster.run("create", "--dry-run=server", "-o", "json", "-f", "-", input=json.dumps(document), check=False)
    if done.returncode != 0:
        return re.sub(r"^Error from server[^:]*: ", "", done.stderr)
    found = json.loads(re.sub(r"kube-api-access-\w+", "kube-api-access-x", done.stdout))
    return {"metadata": {key: found["metadata"].get(key) for key in ("annotations", "labels", "name")}, "spec": found["spec"]}


@pytest.fixture(scope="module", params=SETTINGS)
def both(cluster, release, request):
    """(case -> outcome by the policy, case -> outcome by the webhook), with these settings."""
    settings = SETTINGS[request.param]
    names = {case: "w-" + case.replace("_", "-") for case in CASES}
    install(cluster, "policy", settings)
    wait_for("the policy alone", lambda: policy_injects(cluster))
    by_policy = {case: outcome(cluster, names[case], CASES[case]) for case in CASES}
    install(cluster, "webhook", settings)
    wait_for("the webhook alone", lambda: webhook_injects(cluster))
    by_webhook = {case: outcome(cluster, names[case], CASES[case]) for case in CASES}
    lines = log()
    for case in ADMITTED:
        assert (f"pod default/{names[case]} gets a sandbox" in lines) == (case != "plain"), f"{case}: was asked"
    return by_policy, by_webhook


@pytest.mark.parametrize("case", CASES)
def test_webhook_makes_what_the_policy_makes(both, case):
    by_policy, by_webhook = both
    assert isinstance(by_policy[case], dict) == (case in ADMITTED), by_policy[case]
    assert by_webhook[case] == by_policy[case]


@pytest.fixture(scope="module")
def webhook(cluster, release):
    """The webhook in force; the policy again afterwards."""
    install(cluster, "webhook")
    wait_for("the webhook", lambda: webhook_injects(cluster))
    yield Kubectl(SYSTEM)
    install(cluster, "policy")


def test_pod_of_the_webhook_runs(webhook, namespace):
    namespace.create(pod())
    namespace.run("wait", "pod/agent", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    assert sandbox(namespace, "id", "-un").stdout.strip() == "sandbox"


def test_webhook_holds_nothing(webhook):
    for each in webhook.get("pods", "-l", "app.kubernetes.io/component=webhook")["items"]:
        assert not [v for v in each["spec"]["volumes"] if "projected" in v], "no token"
    account = f"system:serviceaccount:{SYSTEM}:navigator-webhook"
    for verb, what in (("get", "pods"), ("create", "pods"), ("get", "secrets"), ("list", "namespaces"), ("create", "pods/exec")):
        assert webhook.run("auth", "can-i", verb, what, f"--as={account}", check=False).stdout.strip() == "no"


def test_certificate_is_kept_over_upgrades(cluster, webhook):
    def made():
        bundle = cluster.get("mutatingwebhookconfiguration", "navigator-pods")["webhooks"][0]["clientConfig"]["caBundle"]
        return webhook.get("secret", "navigator-webhook")["data"], bundle
    before = made()
    assert before[0]["ca.crt"] == before[1]
    install(cluster, "webhook", ['node.policies={"upgraded":"version: 1\\n"}'])
    assert made() == before
    # past its time it is made anew, and the webhook takes it without a restart
    restarts = [p["metadata"]["name"] for p in webhook.get("pods", "-l", "app.kubernetes.io/component=webhook")["items"]]
    webhook.run("annotate", "--overwrite", "secret", "navigator-webhook", "navigator.sandbox/renew-after=1")
    helm("upgrade", RELEASE, CHART, "--namespace", SYSTEM, "--values", VALUES, "--set", "admission.mode=webhook", "--force-conflicts",
         *WAIT)  # the annotation above is kubectl's
    assert made() != before and made()[0]["ca.crt"] == made()[1]
    # the kubelet brings the new Secret within a minute or so; until then the old one is trusted
    def is_admitted_and_replaced():
        cluster.admitted(pod())
        return log().count("the certificate was replaced") >= len(restarts)
    wait_for("the new certificate", is_admitted_and_replaced, 150)
    assert restarts == [p["metadata"]["name"] for p in webhook.get("pods", "-l", "app.kubernetes.io/component=webhook")["items"]]


def test_k1_without_the_webhook_plain_pods_are_untouched_and_annotated_ones_refused(cluster, webhook):
    webhook.run("scale", "deployment/navigator-webhook", "--replicas=0")
    try:
        wait_for("no webhook", lambda: not webhook.get("pods", "-l", "app.kubernetes.io/component=webhook")["items"])
        begun = time.monotonic()
        assert "initContainers" not in cluster.admitted(pod(annotations={}))["spec"]
        assert time.monotonic() - begun < 2
        assert 'failed calling webhook "pods.navigator.sandbox"' in cluster.refusal(pod())
    finally:
        webhook.run("scale", "deployment/navigator-webhook", "--replicas=2")
        webhook.run("rollout", "status", "deployment/navigator-webhook", "--timeout=60s")
