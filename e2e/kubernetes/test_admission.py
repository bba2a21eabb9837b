# SPDX-License-Identifier: Apache-2.0
"""What admission makes of pods, and what it refuses: asked of the API server, nothing is started (rows K5, K6, K8, K9)."""
import copy
import json

import pytest
from conftest import container, pod, sidecar_of, wait_for

INJECT = "navigator.sandbox/inject"
POLICY = "navigator.sandbox/policy"
TARGET = "navigator.sandbox/container"
PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "grpc_proxy"}
CAPABILITIES = {"SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE", "SETUID", "SETGID", "SETPCAP", "KILL", "CHOWN", "DAC_OVERRIDE", "FOWNER",
                "NET_BIND_SERVICE", "NET_ADMIN", "NET_RAW"}
pytestmark = pytest.mark.usefixtures("release")


def variables(container_: dict) -> dict:
    return {entry["name"]: entry.get("value") for entry in container_.get("env", [])}


# -- un-annotated pods

def test_k1_plain_pod_is_untouched(cluster):
    """Byte for byte what the API server makes of it without our policies, but for the name of its token volume."""
    document = pod(annotations={}, initContainers=[container("setup", command=["true"])])
    spec = cluster.admitted(document)["spec"]
    assert spec["containers"][0].get("env") is None
    assert [c["name"] for c in spec["initContainers"]] == ["setup"]
    assert not {"runtimeClassName", "shareProcessNamespace", "hostUsers", "nodeSelector"} & spec.keys()
    assert not [v for v in spec["volumes"] if not v["name"].startswith("kube-api-access-")]


# -- annotated pods

def test_pod_gets_the_sidecar_first(cluster):
    admitted = cluster.admitted(pod(initContainers=[container("setup", command=["true"])]))
    names = [c["name"] for c in admitted["spec"]["initContainers"]]
    sidecar = sidecar_of(admitted)
    assert names == ["navigator", "setup"]
    assert sidecar["restartPolicy"] == "Always" and sidecar["startupProbe"]
    assert admitted["spec"]["shareProcessNamespace"] is True
    assert admitted["spec"]["runtimeClassName"] == "navigator"
    assert admitted["spec"]["hostUsers"] is False
    assert admitted["spec"]["nodeSelector"] == {"navigator.sandbox/ready": "true"}
    assert admitted["metadata"]["labels"] == {"navigator.sandbox/injected": "true"}


def test_sidecar_capabilities_are_pinned(cluster):
    context = sidecar_of(cluster.admitted(pod()))["securityContext"]
    assert context["capabilities"]["drop"] == ["ALL"]
    assert set(context["capabilities"]["add"]) == CAPABILITIES
    assert context["runAsUser"] == context["runAsGroup"] == 64700
    assert context["readOnlyRootFilesystem"] and not context["privileged"]


def test_token_is_in_the_sidecar_alone(cluster):
    """Whoever turns the workload's token off gets none, and the sidecar's own is mounted nowhere else."""
    spec = cluster.admitted(pod(automountServiceAccountToken=False))["spec"]
    mounts = {c["name"]: [m["name"] for m in c.get("volumeMounts", [])] for c in spec["containers"] + spec["initContainers"]}
    assert mounts == {"app": [], "navigator": ["navigator-credentials", "navigator-gateway"]}


def test_en11_en14_proxy_variables_win_over_the_authors(cluster):
    spec = cluster.admitted(pod(
        containers=[container(env=[{"name": "FIRST", "value": "$(HTTP_PROXY)"}, {"name": "HTTP_PROXY", "value": "http://elsewhere:1"}]),
                    container("other")],
        initContainers=[container("setup", command=["true"])]))["spec"]
    for each in spec["containers"] + [spec["initContainers"][1]]:
        values = variables(each)
        assert {name: values[name] for name in PROXIES} == dict.fromkeys(PROXIES, "http://127.0.0.1:3128"), each["name"]
        assert values["NO_PROXY"] == values["no_proxy"]
        assert values["NO_PROXY"].split(",") == ["127.0.0.1", "localhost", "::1", ".svc", ".cluster.local", "$(KUBERNETES_SERVICE_HOST)"]
        assert values["NODE_USE_ENV_PROXY"] == "1"
        assert len(values) == len(each["env"]), "a variable stands twice"
    assert variables(spec["containers"][0])["FIRST"] == "$(HTTP_PROXY)"
    assert not PROXIES & variables(sidecar_of({"spec": spec})).keys()


def test_policy_config_map_is_mounted_in_every_container(cluster):
    spec = cluster.admitted(pod(annotations={INJECT: "true", POLICY: "configmap/agents"}, containers=[container(), container("other")],
                                initContainers=[container("setup", command=["true"])]))["spec"]
    assert [v["configMap"]["name"] for v in spec["volumes"] if v["name"] == "navigator-policy"] == ["agents"]
    for each in spec["containers"] + spec["initContainers"]:
        assert {"name": "navigator-policy", "mountPath": "/run/navigator-policy", "readOnly": True} in each["volumeMounts"]


@pytest.mark.parametrize("value", ["image", "node/default", "node/team_a.v2"])
def test_policy_elsewhere_needs_no_volume(cluster, value):
    spec = cluster.admitted(pod(annotations={INJECT: "true", POLICY: value}))["spec"]
    assert "navigator-policy" not in [v["name"] for v in spec["volumes"]]


def test_author_may_keep_the_hosts_user_namespace(cluster):
    assert cluster.admitted(pod(hostUsers=True))["spec"]["hostUsers"] is True


@pytest.mark.parametrize("document", [
    pod(securityContext={"supplementalGroups": [1234567]}), pod(securityContext={"fsGroup": 65536}),
    pod(containers=[container(securityContext={"runAsUser": 100000})]),
    pod(initContainers=[container("setup", command=["true"], securityContext={"runAsGroup": 100000})]),
], ids=["supplementary", "fs-group", "user", "init-container"])
def test_pr15_ids_that_no_user_namespace_maps(cluster, document):
    assert cluster.admitted(document)["spec"].get("hostUsers") is not False


def test_k5_second_container_may_be_the_target(cluster):
    cluster.admitted(pod(annotations={INJECT: "true", TARGET: "other"}, containers=[container(), container("other")]))


def test_generated_names_are_injected_too(cluster):
    document = pod()
    document["metadata"] = {"generateName": "agent-", "annotations": {INJECT: "true"}}
    assert sidecar_of(cluster.admitted(document))


# -- refusals, each with the words that say what to do

def capability(name):
    return {"securityContext": {"capabilities": {"add": [name]}}}


def host_path(path):
    return {"volumes": [{"name": "host", "hostPath": {"path": path}}]}


REFUSED = {
    "k8_inject_capital": (pod(annotations={INJECT: "True"}), 'the only value is "true"'),
    "k8_inject_yes": (pod(annotations={INJECT: "yes"}), 'is "yes": the only value is "true"'),
    "k8_inject_false": (pod(annotations={INJECT: "false"}), "leave the annotation out"),
    "inject_empty": (pod(annotations={INJECT: ""}), 'without navigator.sandbox/inject: "true"'),
    "typo_in_key": (pod(annotations={INJECT: "true", "navigator.sandbox/polcy": "image"}), "unknown annotation navigator.sandbox/polcy"),
    "policy_alone": (pod(annotations={POLICY: "image"}), "the pod would not be protected"),
    "policy_kind": (pod(annotations={INJECT: "true", POLICY: "secret/x"}), "write configmap/NAME"),
    "policy_path": (pod(annotations={INJECT: "true", POLICY: "node/../x"}), "write configmap/NAME"),
    "policy_empty": (pod(annotations={INJECT: "true", POLICY: ""}), "write configmap/NAME"),
    "policy_upper_case": (pod(annotations={INJECT: "true", POLICY: "configmap/Agents"}), "write configmap/NAME"),
    "target_unknown": (pod(annotations={INJECT: "true", TARGET: "nobody"}), 'names "nobody", the pod has app'),
    "privileged": (pod(containers=[container(securityContext={"privileged": True})]), "container app is privileged"),
    "privileged_init": (pod(initContainers=[container("setup", securityContext={"privileged": True})]), "container setup is privileged"),
    "sys_admin": (pod(containers=[container(**capability("SYS_ADMIN"))]), "container app is privileged, or adds a capability"),
    "sys_ptrace_prefixed": (pod(containers=[container(**capability("CAP_SYS_PTRACE"))]), "adds a capability"),
    "all_lower_case": (pod(containers=[container(**capability("all"))]), "adds a capability"),
    "host_pid": (pod(hostPID=True), "remove hostPID"),
    "host_network": (pod(hostNetwork=True), "remove hostPID, hostNetwork"),
    "host_ipc": (pod(hostIPC=True), "remove hostPID, hostNetwork and hostIPC"),
    "containerd_socket": (pod(**host_path("/run/containerd/containerd.sock")), "hostPath /run/containerd/containerd.sock reaches"),
    "docker_socket": (pod(**host_path("/var/run/docker.sock")), "hostPath /run/docker.sock reaches"),
    "host_root": (pod(**host_path("/")), "hostPath / reaches"),
    "host_run_with_slashes": (pod(**host_path("//run/./")), "hostPath /run reaches"),
    "records": (pod(**host_path("/run/navigator/pods")), "hostPath /run/navigator/pods reaches"),
    "hook": (pod(**host_path("/opt/navigator")), "hostPath /opt/navigator reaches"),
    "other_runtime": (pod(runtimeClassName="navigator-canary"), 'runtime class "navigator-canary" is not one'),
    "own_process_namespace": (pod(shareProcessNamespace=False), "leave shareProcessNamespace out"),
    "class_without_annotation": (pod(annotations={}, runtimeClassName="navigator"), 'for pods with the annotation navigator.sandbox/inject: "true"'),
    "container_called_navigator": (pod(containers=[container("navigator")]), "the container name navigator is the sidecar's"),
    "k9_sidecar_of_another_image": (pod(initContainers=[container("navigator", restartPolicy="Always")]), "is not the sidecar as Navigator adds it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(cluster, case):
    document, words = REFUSED[case]
    message = cluster.refusal(document)
    assert words in message and "navigator-" in message, message


def test_label_alone_is_refused(cluster):
    document = pod(annotations={})
    document["metadata"]["labels"] = {"navigator.sandbox/injected": "true"}
    assert "the label of Navigator" in cluster.refusal(document)


SPOILT_SIDECARS = {
    "image": {"image": "localhost/evil:1"},
    "command": {"command": ["/bin/sh"]},
    "arguments": {"args": ["--x"]},
    "variable": {"env": [{"name": "LD_PRELOAD", "value": "/x.so"}]},
    "variable_of_ours_with_a_value": {"env": [{"name": "POD_NAME", "value": "another"}]},
    "variables_from_elsewhere": {"envFrom": [{"configMapRef": {"name": "x"}}]},
    "lifecycle": {"lifecycle": {"postStart": {"exec": {"command": ["/bin/sh"]}}}},
    "liveness": {"livenessProbe": {"exec": {"command": ["/bin/sh"]}}},
    "mount": {"volumeMounts": [{"name": "kube", "mountPath": "/usr/bin"}]},
    "termination_file": {"terminationMessagePath": "/usr/bin/navigator-sidecar"},
    "no_restart": {"restartPolicy": None, "startupProbe": None, "readinessProbe": None},
}
SPOILT_CONTEXTS = {
    "privileged": {"privileged": True},
    "root": {"runAsUser": 0, "runAsNonRoot": False},
    "more_capabilities": {"capabilities": {"drop": ["ALL"], "add": sorted(CAPABILITIES | {"SYS_MODULE"})}},
    "another_seccomp": {"seccompProfile": {"type": "Localhost", "localhostProfile": "mine.json"}},
    "selinux": {"seLinuxOptions": {"type": "spc_t"}},
    "apparmor": {"appArmorProfile": {"type": "Unconfined"}},
    "writable_root": {"readOnlyRootFilesystem": False},
    "unmasked_proc": {"procMount": "Unmasked"},
}


def written_out(cluster) -> dict:
    """The pod as admission makes it, ready to be created by hand."""
    admitted = cluster.admitted(pod())
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "agent", "annotations": {INJECT: "true"}, "labels": admitted["metadata"]["labels"]}, "spec": admitted["spec"]}


def test_k9_the_sidecar_written_out_is_admitted(cluster):
    cluster.admitted(written_out(cluster))


@pytest.mark.parametrize("spoilt", SPOILT_SIDECARS)
def test_k9_spoilt_sidecar_is_refused(cluster, spoilt):
    document = written_out(cluster)
    sidecar_of(document).update(SPOILT_SIDECARS[spoilt])
    document["spec"]["volumes"].append({"name": "kube", "emptyDir": {}})
    assert "navigator" in cluster.refusal(document)


@pytest.mark.parametrize("spoilt", SPOILT_CONTEXTS)
def test_k9_spoilt_security_context_is_refused(cluster, spoilt):
    document = written_out(cluster)
    sidecar_of(document)["securityContext"].update(copy.deepcopy(SPOILT_CONTEXTS[spoilt]))
    assert "the security context of the container navigator" in cluster.refusal(document)


def test_k9_sidecar_not_first_is_refused(cluster):
    document = written_out(cluster)
    document["spec"]["initContainers"].insert(0, container("setup", command=["true"]))
    assert "not the first of the init containers" in cluster.refusal(document)


# -- Pod Security: the class is exempt for its sidecar's sake, the workload is not

RESTRICTED = {"runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}


def secure(**changes) -> dict:
    return pod(containers=[container(securityContext={**RESTRICTED, **changes})])


BELOW_BASELINE = {
    "host_path": (pod(**host_path("/srv")), "hostPath volumes"),
    "host_port": (pod(containers=[container(ports=[{"containerPort": 80, "hostPort": 8080}])]), "host ports"),
    "capability": (pod(containers=[container(**capability("NET_ADMIN"))]), "a capability that it forbids"),
    "seccomp": (pod(securityContext={"seccompProfile": {"type": "Unconfined"}}), "seccomp must not be"),
    "apparmor": (pod(containers=[container(securityContext={"appArmorProfile": {"type": "Unconfined"}})]), "AppArmor must not be"),
    "selinux": (pod(containers=[container(securityContext={"seLinuxOptions": {"type": "spc_t"}})]), "SELinux options"),
    "proc": (pod(containers=[container(securityContext={"procMount": "Unmasked"})]), "procMount must be Default"),
    "sysctl": (pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]}), "a sysctl is not"),
}
BELOW_RESTRICTED = {
    "escalation": (secure(allowPrivilegeEscalation=True), "allowPrivilegeEscalation: false"),
    "escalation_unsaid": (pod(), "Pod Security restricted"),
    "root_unsaid": (secure(runAsNonRoot=None), "runAsNonRoot: true"),
    "root": (secure(runAsUser=0), "runAsUser must not be 0"),
    "seccomp_unsaid": (secure(seccompProfile=None), "seccompProfile to RuntimeDefault"),
    "capabilities": (secure(capabilities={"drop": ["NET_RAW"]}), "drops ALL capabilities"),
    "capability_added": (secure(capabilities={"drop": ["ALL"], "add": ["CHOWN"]}), "drops ALL capabilities"),
    "init_container": ({**secure(), "spec": {**secure()["spec"], "initContainers": [container("setup", command=["true"])]}}, "Pod Security restricted"),
    "volume": ({**secure(), "spec": {**secure()["spec"], "volumes": [{"name": "n", "nfs": {"server": "x", "path": "/"}}]}}, "a volume is of a kind"),
}


def assert_ours(message: str, words: str) -> None:
    if "violates PodSecurity" in message:
        pytest.skip("this cluster's AdmissionConfiguration does not exempt the runtime class `navigator`: Pod Security refuses by itself")
    assert words in message


@pytest.mark.labels({"pod-security.kubernetes.io/enforce": "baseline"})
@pytest.mark.parametrize("case", BELOW_BASELINE)
def test_k6_workload_meets_baseline(namespace, case):
    document, words = BELOW_BASELINE[case]
    assert_ours(namespace.refusal(document), words)


@pytest.mark.labels({"pod-security.kubernetes.io/enforce": "restricted"})
@pytest.mark.parametrize("case", BELOW_RESTRICTED)
def test_k6_workload_meets_restricted(namespace, case):
    document, words = BELOW_RESTRICTED[case]
    assert_ours(namespace.refusal(document), words)


@pytest.mark.labels({"pod-security.kubernetes.io/enforce": "restricted"})
def test_k6_restricted_workload_is_admitted(namespace):
    done = namespace.run("create", "--dry-run=server", "-f", "-", input=json.dumps(secure()), check=False)
    if "violates PodSecurity" in done.stderr:
        pytest.skip("this cluster's AdmissionConfiguration does not exempt the runtime class `navigator`")
    assert done.returncode == 0, done.stderr


# -- controllers: the annotation belongs on the template

def controller(kind, own=None, template=None) -> dict:
    template_ = {"metadata": {"labels": {"app": "x"}, "annotations": template or {}}, "spec": {"containers": [container()], "restartPolicy": "Never"}}
    metadata = {"name": "x", "annotations": own or {}}
    if kind == "CronJob":
        return {"apiVersion": "batch/v1", "kind": kind, "metadata": metadata,
                "spec": {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": template_}}}}
    if kind == "Job":
        return {"apiVersion": "batch/v1", "kind": kind, "metadata": metadata, "spec": {"template": template_}}
    template_["spec"].pop("restartPolicy")
    spec = {"selector": {"matchLabels": {"app": "x"}}, "template": template_}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"])
class TestControllers:
    def test_k8_annotation_on_the_controller(self, cluster, kind):
        assert "protect no pod: move them to spec." in cluster.refusal(controller(kind, own={INJECT: "true"}))

    def test_k8_template_value(self, cluster, kind):
        assert 'the only value is "true"' in cluster.refusal(controller(kind, template={INJECT: "True"}))

    def test_template_without_inject(self, cluster, kind):
        assert "would not be protected" in cluster.refusal(controller(kind, template={POLICY: "image"}))

    def test_template_typo(self, cluster, kind):
        assert "does not know" in cluster.refusal(controller(kind, template={INJECT: "true", "navigator.sandbox/polcy": "image"}))

    def test_right_place(self, cluster, kind):
        cluster.admitted(controller(kind, template={INJECT: "true", POLICY: "image"}))


# -- pods that exist

def test_k8_annotation_on_a_running_pod(namespace):
    namespace.create(pod(annotations={}))
    done = namespace.run("annotate", "pod", "agent", f"{INJECT}=true", check=False)
    assert done.returncode != 0 and "a running pod cannot be sandboxed" in done.stderr


@pytest.mark.parametrize("change", [f"{INJECT}-", f"{POLICY}=node/weaker", f"{TARGET}=app"])
def test_annotations_are_for_life(namespace, change):
    namespace.create(pod(annotations={INJECT: "true", POLICY: "image"}))
    done = namespace.run("annotate", "--overwrite", "pod", "agent", change, check=False)
    assert done.returncode != 0 and "cannot change while the pod runs" in done.stderr


def test_label_is_for_life(namespace):
    namespace.create(pod())
    done = namespace.run("label", "pod", "agent", "navigator.sandbox/injected-", check=False)
    assert done.returncode != 0 and "it cannot change" in done.stderr


def test_sidecar_image_is_for_life(namespace):
    namespace.create(pod())
    done = namespace.run("patch", "pod", "agent", "--type=json",
                         '--patch=[{"op": "replace", "path": "/spec/initContainers/0/image", "value": "localhost/evil:1"}]', check=False)
    assert done.returncode != 0 and "the image of the sidecar cannot change" in done.stderr


def test_no_ephemeral_containers(namespace):
    namespace.create(pod())
    done = namespace.run("debug", "agent", "--image", "localhost/x:1", "--target", "app", check=False)
    assert done.returncode != 0 and "takes no ephemeral containers" in done.stderr


def test_other_changes_stay_possible(namespace):
    namespace.create(pod())
    namespace.run("label", "pod", "agent", "team=a")
    namespace.run("annotate", "pod", "agent", "example.org/note=hello")


# -- exec, where a namespace asks for it

@pytest.mark.labels({"navigator.sandbox/exec": "sandbox-only"})
def test_exec_elsewhere_than_the_sandbox_is_refused(namespace):
    namespace.create(pod())
    namespace.create(pod("plain", annotations={}))

    def refused():
        done = namespace.run("exec", "agent", "-c", "app", "--", "true", check=False)
        return "kubectl exec -it agent -c navigator -- bash" in done.stderr
    wait_for("the exec policy seeing the new pod", refused, seconds=10)
    for verb in ("exec", "attach"):
        other = namespace.run(verb, "plain", *(["--", "true"] if verb == "exec" else []), check=False)
        assert "sandboxed" not in other.stderr
    assert "allows sessions in the sandbox only" in namespace.run("attach", "agent", "-c", "app", check=False).stderr


def test_exec_is_left_alone_elsewhere(namespace):
    namespace.create(pod())
    assert "sandboxed" not in namespace.run("exec", "agent", "-c", "app", "--", "true", check=False).stderr
