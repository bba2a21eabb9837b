# SPDX-License-Identifier: Apache-2.0
"""The chart by itself: what each value does, and that a wrong one is an error. Needs helm, no cluster."""
import json
import shutil

import pytest
import yaml
from conftest import CHART, SYSTEM, VALUES, helm

pytestmark = pytest.mark.skipif(not shutil.which("helm"), reason="helm is not on PATH: run `e2e/cluster test`")


def render(*settings, version="1.36.4") -> dict:
    """(kind, name) -> object"""
    text = helm("template", "navigator", CHART, "--namespace", "navigator-system", "--kube-version", version,
                *(f"--set-json={setting}" for setting in settings)).stdout
    return {(document["kind"], document["metadata"]["name"]): document for document in yaml.safe_load_all(text) if document}


def mutation(documents) -> str:
    policy = documents["MutatingAdmissionPolicy", "navigator-pods"]
    return " ".join(m["jsonPatch"]["expression"] for m in policy["spec"]["mutations"]) + str(policy["spec"].get("variables"))


def webhook_pod(documents) -> dict:
    return documents["Deployment", "navigator-webhook"]["spec"]["template"]["spec"]


def registration(documents) -> dict:
    return documents["MutatingWebhookConfiguration", "navigator-pods"]["webhooks"][0]


def is_injected_by(documents, kind) -> bool:
    kinds = {"policy": "MutatingAdmissionPolicy", "webhook": "MutatingWebhookConfiguration"}
    return [name for name in kinds if (kinds[name], "navigator-pods") in documents] == ([kind] if kind else []) and ("ValidatingAdmissionPolicy", "navigator-pods") in documents


def node_pod(documents) -> dict:
    return documents["DaemonSet", "navigator-node"]["spec"]["template"]["spec"]


def test_lint():
    helm("lint", "--strict", CHART)
    helm("lint", "--strict", CHART, "--values", VALUES)


def test_every_value_is_in_the_schema_and_the_schema_has_no_other():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())

    def keys(node):
        node = schema["definitions"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
        return node.get("properties", {})
    for section, properties in schema["properties"].items():
        if section != "global":  # helm's own
            assert set(keys(properties)) == set(values[section]), section
    assert set(schema["properties"]) - {"global"} == set(values)


# -- one case a value

WEBHOOK = 'admission.mode="webhook"'

VALUES_AT_WORK = {
    "images.sidecar.repository": (['images.sidecar.repository="example.org/side"'], lambda d: "image: 'example.org/side:0.1.0'" in mutation(d)),
    "images.sidecar.tag": (['images.sidecar.tag="7"'], lambda d: "image: 'navigator/sidecar:7'" in mutation(d)),
    "images.sidecar.digest": ([f'images.sidecar.digest="sha256:{"a" * 64}"'], lambda d: f"navigator/sidecar@sha256:{'a' * 64}" in mutation(d)),
    "images.node.repository": (['images.node.repository="example.org/node"'],
                               lambda d: all(c["image"] == "example.org/node:0.1.0" for c in node_pod(d)["containers"] + node_pod(d)["initContainers"])),
    "images.node.tag": (['images.node.tag="8"'], lambda d: node_pod(d)["containers"][0]["image"] == "navigator/node:8"),
    "images.node.digest": ([f'images.node.digest="sha256:{"b" * 64}"'], lambda d: node_pod(d)["containers"][0]["image"].endswith("@sha256:" + "b" * 64)),
    "images.pullPolicy": (['images.pullPolicy="Always"'], lambda d: "imagePullPolicy: 'Always'" in mutation(d)
                          and node_pod(d)["containers"][0]["imagePullPolicy"] == "Always"),
    "images.pullSecrets": (['images.pullSecrets=["a","b"]'], lambda d: node_pod(d)["imagePullSecrets"] == [{"name": "a"}, {"name": "b"}]),
    "pods.userNamespaces=default": ([], lambda d: "/spec/hostUsers" in mutation(d)),
    "pods.userNamespaces=never": (['pods.userNamespaces="never"'], lambda d: "/spec/hostUsers" not in mutation(d)),
    "pods.userNamespaces=always": (['pods.userNamespaces="always"'], lambda d: "leave hostUsers out" in str(d["ValidatingAdmissionPolicy", "navigator-pods"])),
    "pods.defaultContainer": (["pods.defaultContainer=true"], lambda d: "kubectl.kubernetes.io/default-container" in mutation(d)),
    "pods.defaultContainer=false": ([], lambda d: "kubectl.kubernetes.io/default-container" not in mutation(d)),
    "pods.proxyVariables": (["pods.proxyVariables=false"], lambda d: "3128" not in mutation(d)),
    "pods.noProxy": (['pods.noProxy=["10.0.0.0/8"]'], lambda d: "$(KUBERNETES_SERVICE_HOST),10.0.0.0/8" in mutation(d)),
    "sidecar.tlsSecret": (['sidecar.tlsSecret="mine"'], lambda d: "secretName: 'mine'" in mutation(d)),
    "sidecar.seccompProfile": (['sidecar.seccompProfile="Unconfined"'], lambda d: "type: 'Unconfined'" in mutation(d)
                               and "seccompProfile.type == 'Unconfined'" in str(d["ValidatingAdmissionPolicy", "navigator-pods"])),
    "sidecar.seccompProfile=default": ([], lambda d: "type: 'RuntimeDefault'" in mutation(d)),
    "sidecar.resources": (['sidecar.resources={"limits":{"cpu":"2"}}'], lambda d: "limits: {'cpu': '2', 'memory': '256Mi'}" in mutation(d)),
    "admission.mode=auto": ([], lambda d: is_injected_by(d, "policy")),
    "admission.mode=policy": (['admission.mode="policy"'], lambda d: is_injected_by(d, "policy")),
    "admission.mode=webhook": ([WEBHOOK], lambda d: is_injected_by(d, "webhook")),
    "webhook.replicas": ([WEBHOOK, "webhook.replicas=3"], lambda d: d["Deployment", "navigator-webhook"]["spec"]["replicas"] == 3
                         and d["PodDisruptionBudget", "navigator-webhook"]["spec"]["minAvailable"] == 1),
    "webhook.replicas=1": ([WEBHOOK, "webhook.replicas=1"], lambda d: ("PodDisruptionBudget", "navigator-webhook") not in d),
    "webhook.timeoutSeconds": ([WEBHOOK, "webhook.timeoutSeconds=9"], lambda d: registration(d)["timeoutSeconds"] == 9),
    "webhook.certificates=helm": ([WEBHOOK], lambda d: d["Secret", "navigator-webhook"]["data"]["ca.crt"] == registration(d)["clientConfig"]["caBundle"]),
    "webhook.certificates=cert-manager": ([WEBHOOK, 'webhook.certificates.source="cert-manager"'], lambda d: ("Secret", "navigator-webhook") not in d
                                          and d["Certificate", "navigator-webhook"]["spec"]["issuerRef"] == {"kind": "Issuer", "name": "navigator-webhook"}
                                          and d["Issuer", "navigator-webhook"]["spec"] == {"selfSigned": {}} and "caBundle" not in registration(d)["clientConfig"]
                                          and "cert-manager.io/inject-ca-from" in d["MutatingWebhookConfiguration", "navigator-pods"]["metadata"]["annotations"]),
    "webhook.certificates.issuer": ([WEBHOOK, 'webhook.certificates={"source":"cert-manager","issuer":{"kind":"ClusterIssuer","name":"mine"}}'],
                                    lambda d: d["Certificate", "navigator-webhook"]["spec"]["issuerRef"]["name"] == "mine" and ("Issuer", "navigator-webhook") not in d),
    "webhook.certificates=secret": ([WEBHOOK, 'webhook.certificates={"source":"secret","secretName":"mine","caBundle":"QUJD"}'],
                                    lambda d: not [key for key in d if key[0] in ("Secret", "Certificate", "Issuer")]
                                    and registration(d)["clientConfig"]["caBundle"] == "QUJD" and "'mine'" in str(webhook_pod(d)["volumes"])),
    "webhook.networkPolicy": ([WEBHOOK], lambda d: d["NetworkPolicy", "navigator-webhook"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
                              and "egress" not in d["NetworkPolicy", "navigator-webhook"]["spec"]),
    "webhook.networkPolicy=false": ([WEBHOOK, "webhook.networkPolicy=false"], lambda d: ("NetworkPolicy", "navigator-webhook") not in d),
    "webhook.nodeSelector": ([WEBHOOK, 'webhook.nodeSelector={"pool":"x"}'], lambda d: webhook_pod(d)["nodeSelector"]["pool"] == "x"),
    "webhook.tolerations": ([WEBHOOK, 'webhook.tolerations=[{"operator":"Exists"}]'], lambda d: webhook_pod(d)["tolerations"] == [{"operator": "Exists"}]),
    "webhook.resources": ([WEBHOOK, 'webhook.resources.limits.memory="99Mi"'], lambda d: webhook_pod(d)["containers"][0]["resources"]["limits"]["memory"] == "99Mi"),
    "admission.mode=none": (['admission.mode="none"'], lambda d: is_injected_by(d, None)),
    "delegation.namespaces": (['delegation.namespaces=["a","b"]'], lambda d: [s["name"] for s in d["ClusterRoleBinding", "navigator-delegation"]["subjects"]]
                              == ["system:serviceaccounts:a", "system:serviceaccounts:b"]),
    "delegation.namespaces=[]": ([], lambda d: ("ClusterRoleBinding", "navigator-delegation") not in d),
    "node.install": (["node.install=false"], lambda d: not [key for key in d if "node" in key[1] or "canary" in key[1]]
                     and "scheduling" not in d["RuntimeClass", "navigator"]),
    "node.restartRuntime": (["node.restartRuntime=false"], lambda d: "--no-restart" in node_pod(d)["initContainers"][0]["args"]),
    "node.directory": (['node.directory="/srv/nav"'], lambda d: "--directory=/srv/nav" in node_pod(d)["initContainers"][0]["args"]
                       and "'srv/nav'" in str(d["ValidatingAdmissionPolicy", "navigator-pods"]["spec"]["variables"])),
    "node.nodeSelector": (['node.nodeSelector={"pool":"x"}'], lambda d: node_pod(d)["nodeSelector"]["pool"] == "x"),
    "node.tolerations": (["node.tolerations=[]"], lambda d: not node_pod(d)["tolerations"]),
    "node.resources": (['node.resources.limits.memory="99Mi"'], lambda d: node_pod(d)["containers"][0]["resources"]["limits"]["memory"] == "99Mi"),
    "node.sandbox": (["node.sandbox.uid=4000"], lambda d: '"uid": 4000' in d["ConfigMap", "navigator-node"]["data"]["node.json"]),
    "node.imagePolicy": (["node.imagePolicy=false"], lambda d: '"image": false' in d["ConfigMap", "navigator-node"]["data"]["node.json"]),
    "node.policies": (['node.policies={"default":"version: 1\\n"}'], lambda d: d["ConfigMap", "navigator-policies"]["data"] == {"default.yaml": "version: 1\n"}),
    "node.policies={}": ([], lambda d: d["ConfigMap", "navigator-policies"]["data"] == {}),
    "node.ceiling": (['node.ceiling="version: 1\\n"'], lambda d: d["ConfigMap", "navigator-node"]["data"]["ceiling.yaml"] == "version: 1\n"),
    "node.certificateAuthorities": (['node.certificateAuthorities="-----BEGIN CERTIFICATE-----\\n"'],
                                    lambda d: d["ConfigMap", "navigator-node"]["data"]["certificate-authorities.pem"].startswith("-----BEGIN CERT")),
    "networkPolicy": (['networkPolicy={"enabled":true,"namespaces":["a"],"from":[{"podSelector":{}}]}'],
                      lambda d: [p["port"] for p in d["NetworkPolicy", "navigator-endpoint"]["spec"]["ingress"][1]["ports"]] == [8443]),
    "networkPolicy.enabled=false": ([], lambda d: ("NetworkPolicy", "navigator-endpoint") not in d),
}


@pytest.mark.parametrize("value", VALUES_AT_WORK)
def test_value(value):
    settings, holds = VALUES_AT_WORK[value]
    assert holds(render(*settings)), value


def test_names_of_images_are_listed_in_full():
    """containerd reports an image by the name it resolved."""
    for repository, listed in {"navigator/sidecar": ["navigator/sidecar:0.1.0", "docker.io/navigator/sidecar:0.1.0"],
                               "sidecar": ["sidecar:0.1.0", "docker.io/library/sidecar:0.1.0"],
                               "example.org/sidecar": ["example.org/sidecar:0.1.0"],
                               "localhost/sidecar": ["localhost/sidecar:0.1.0"]}.items():
        settings = json.loads(render(f'images.sidecar.repository="{repository}"')["ConfigMap", "navigator-node"]["data"]["node.json"])
        assert settings["sidecar"]["images"] == listed


WRONG = ['pod.x=1', 'pods.userNamespaces="sometimes"', 'images.pullPolicy="never"', 'images.sidecar.tag="a b"', 'images.sidecar.digest="sha1:x"',
         'delegation.namespaces=["A"]', 'delegation.namespaces="a"', 'node.directory="opt"', 'node.directory="/opt/../etc"', 'node.sandbox.uid=0',
         'node.policies={"../x":"version: 1"}', 'node.policies={"a":1}', 'node.certificateAuthorities="/etc/ca.pem"', 'admission.mode="webhok"', 'webhook.replicas=0', 'webhook.timeoutSeconds=31', 'webhook.certificates.source="self"',
         'webhook.certificates.source="secret"', 'webhook.certificates.issuer={"name":"a","kind":"Secret"}', 'webhook.certificates.caBundle="-"', 'pods.noProxy=["a\'b"]', 'sidecar.tlsSecret="A"',
         'pods.proxyVariables="false"', 'networkPolicy.namespaces=[1]']


@pytest.mark.parametrize("setting", WRONG)
def test_wrong_value_is_an_error(setting):
    done = helm("template", "navigator", CHART, "--kube-version", "1.36.4", f"--set-json={setting}", check=False)
    assert done.returncode != 0 and "schema" in done.stderr, done.stderr


def test_older_cluster_gets_the_webhook():
    done = helm("template", "navigator", CHART, "--kube-version", "1.35.2", "--set", "admission.mode=policy", check=False)
    assert done.returncode != 0 and "webhook" in done.stderr
    assert is_injected_by(render(version="1.35.2"), "webhook")
    assert is_injected_by(render(version="1.33.0"), "webhook")
    assert helm("template", "navigator", CHART, "--kube-version", "1.32.0", check=False).returncode != 0


def test_webhook_is_nobody_and_adds_what_the_policy_adds():
    documents = render(WEBHOOK, 'sidecar.resources={"limits":{"cpu":2}}')
    pod = webhook_pod(documents)
    assert pod["automountServiceAccountToken"] is False and "projected" not in str(pod["volumes"])
    context = pod["containers"][0]["securityContext"]
    assert context["runAsNonRoot"] and context["capabilities"] == {"drop": ["ALL"]} and context["readOnlyRootFilesystem"]
    assert not [binding for (kind, _), binding in documents.items() if kind.endswith("RoleBinding") and "navigator-webhook" in str(binding)]
    settings = json.loads(documents["ConfigMap", "navigator-webhook"]["data"]["settings.json"])
    assert set(settings) == {"sidecar", "volumes", "proxyVariables", "userNamespaces", "defaultContainer"}
    assert settings["sidecar"]["resources"] == {"limits": {"cpu": "2", "memory": "256Mi"}, "requests": {"cpu": "10m", "memory": "32Mi"}}


def test_webhook_is_asked_about_annotated_pods_alone():
    policy = render()["MutatingAdmissionPolicy", "navigator-pods"]["spec"]
    webhook = registration(render(WEBHOOK))
    assert webhook["matchConditions"] == policy["matchConditions"]
    assert webhook["failurePolicy"] == policy["failurePolicy"] == "Fail"
    assert webhook["reinvocationPolicy"] == policy["reinvocationPolicy"]
    assert (webhook["sideEffects"], webhook["admissionReviewVersions"]) == ("None", ["v1"])


def test_nothing_cluster_wide_reads_secrets_execs_or_proxies():
    for (kind, name), document in render('delegation.namespaces=["a"]').items():
        if kind not in ("ClusterRole", "Role"):
            continue
        for rule in document["rules"]:
            assert not {"secrets", "pods/exec", "pods/attach", "pods/proxy", "nodes/proxy", "*"} & set(rule["resources"]), (name, rule)
            assert "*" not in rule["verbs"] + rule["apiGroups"], (name, rule)


def test_installer_is_the_only_one_who_is_root():
    pod = node_pod(render())
    installer, report = pod["initContainers"][0], pod["containers"][0]
    assert installer["securityContext"]["capabilities"] == {"drop": ["ALL"]} and not installer["securityContext"].get("privileged")
    assert "credentials" not in [m["name"] for m in installer["volumeMounts"]], "root on the node has no token"
    assert report["securityContext"]["runAsNonRoot"] and "host" not in [m["name"] for m in report["volumeMounts"]]


def test_notes_say_what_is_not_in_force(release):
    text = helm("get", "notes", release, "--namespace", SYSTEM).stdout
    for words in ("takes effect about a second", "kubectl get nodes -L navigator.sandbox/ready", "exemptions: {runtimeClasses: [navigator]}", "helm test"):
        assert words in text
