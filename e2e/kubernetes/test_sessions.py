# SPDX-License-Identifier: Apache-2.0
"""Sessions in a sandboxed pod, as their users open them: plain kubectl through the API server, and the endpoint with a token (rows K2 to K5, CL1, CL5, CL6, EX18)."""
import hashlib
import json
import os
import subprocess
import time

import pytest
from conftest import CHART, PULL, RELEASE, SLOWNESS, SYSTEM, VALUES, WAIT, WORKLOAD, Kubectl, container, helm, pod, wait_for

POLICY = """\
version: 1
filesystem_policy:
  read_only: [/usr, /lib, /etc, /proc, /app, /var/log, /dev/urandom]
  read_write: [/sandbox, /tmp, /dev/null]
"""
POLICY_ANNOTATIONS = {"navigator.sandbox/inject": "true", "navigator.sandbox/policy": "configmap/agent"}
READY_SECONDS = 60 * SLOWNESS


def config_map(policy=POLICY, name="agent") -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"policy.yaml": policy}}


@pytest.fixture(scope="module")
def team(cluster, release):
    """A namespace whose pods may ask the cluster who a caller is, with one sandboxed pod of two containers."""
    name = f"team-{time.time_ns():x}"
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    helm("upgrade", RELEASE, CHART, "--namespace", SYSTEM, "--values", VALUES, f"--set-json=delegation.namespaces=[\"{name}\"]", *WAIT)
    kubectl = Kubectl(name)
    kubectl.run("wait", "serviceaccount/default", "--for=create", "--timeout=30s")
    kubectl.create(config_map())
    kubectl.create(pod(annotations=POLICY_ANNOTATIONS, containers=[container(env=[{"name": "FROM_POD", "value": "yes"}]), container("other")]))
    kubectl.run("wait", "pod/agent", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    yield kubectl
    cluster.run("delete", "namespace", name, "--wait=false")


def sandbox(kubectl: Kubectl, *command, name="agent", input=None) -> subprocess.CompletedProcess:
    return kubectl.run("exec", *(["-i"] if input is not None else []), name, "-c", "navigator", "--", *command, input=input, check=False)


# -- plain kubectl

def test_cl5_plain_kubectl_lands_in_the_sandbox(team):
    done = sandbox(team, "bash", "-c", "id -un; echo $FROM_POD; echo e >&2; exit 7")
    assert done.returncode == 7
    assert done.stdout.split() == ["sandbox", "yes"]
    assert done.stderr.splitlines()[0] == "e"


def test_session_has_no_privilege_and_the_pods_environment(team):
    done = sandbox(team, "bash", "-c", "grep -E 'Cap|NoNewPrivs' /proc/self/status; echo $HTTPS_PROXY")
    capabilities = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Cap")]
    assert capabilities == ["0" * 16] * 5
    assert "NoNewPrivs:\t1" in done.stdout and "http://127.0.0.1:3128" in done.stdout


def test_a1_the_audit_is_shown_through_the_api_server(team):
    assert sandbox(team, "bash", "-c", "exit 9").returncode == 9
    shown = sandbox(team, "navigator", "audit", "event=session_*", "--last", "2")
    assert shown.returncode == 0 and "ended: exit code 9 " in shown.stdout.splitlines()[-1], shown


@pytest.mark.parametrize("program", ["navigator-sidecar", "navigator-gateway", "navigator-egress"])
def test_sidecar_is_under_a_filter_of_its_own(team, program):
    """The container has no profile of the runtime's; the workload's root sees that each of its processes has a filter all the same."""
    status = team.run("exec", "agent", "-c", "app", "--", "bash", "-c", f"for p in $(pgrep {program[:15]}); do cat /proc/$p/status; done").stdout
    assert {line.split()[1] for line in status.splitlines() if line.startswith("Seccomp:")} == {"2"}


def test_session_is_under_a_filter(team):
    assert sandbox(team, "grep", "Seccomp:", "/proc/self/status").stdout.split() == ["Seccomp:", "2"]


def test_policy_of_the_config_map_is_enforced(team):
    done = sandbox(team, "bash", "-c", "touch /usr/x; ls /opt; touch /sandbox/ok && echo written")
    assert done.stdout.split() == ["written"]
    assert done.stderr.count("Permission denied") == 2


def test_pr10_session_is_in_the_workloads_cgroup(team):
    session = sandbox(team, "cat", "/proc/self/cgroup").stdout
    workload = team.run("exec", "agent", "-c", "app", "--", "cat", "/proc/self/cgroup").stdout
    assert session and session == workload


def test_pr10_memory_limit_meets_the_session_and_not_the_sidecar(namespace):
    """128 MiB are too much for the workload's limit, and would not be for the sidecar's."""
    namespace.create(config_map())
    namespace.create(pod(annotations=POLICY_ANNOTATIONS, containers=[container(resources={"limits": {"memory": "64Mi"}})]))
    namespace.run("wait", "pod/agent", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    hog = sandbox(namespace, "python3", "-c", "held = [bytearray(1 << 20) for _ in range(128)]; print('got it')")
    assert hog.returncode == 137 and "got it" not in hog.stdout
    assert sandbox(namespace, "id", "-un").stdout.strip() == "sandbox"
    sidecar = next(c for c in namespace.get("pod", "agent")["status"]["initContainerStatuses"] if c["name"] == "navigator")
    assert sidecar["restartCount"] == 0


def test_no_network_but_the_proxy(team):
    done = sandbox(team, "python3", "-c", "import socket; print([name for _, name in socket.if_nameindex()])")
    assert done.stdout.strip() == "['lo']"


def test_k5_second_container_is_selectable(team):
    done = sandbox(team, "navigator", "exec", "--container", "other", "bash", "-c", "echo ${FROM_POD:-none}")
    assert done.stdout.strip() == "none"


def test_stdin_and_copies_are_intact(team, tmp_path):
    blob = os.urandom(3_000_000)
    (tmp_path / "up").write_bytes(blob)
    team.run("cp", "-c", "navigator", tmp_path / "up", "agent:/sandbox/up")
    assert sandbox(team, "bash", "-c", "sha256sum < /sandbox/up").stdout.split()[0] == hashlib.sha256(blob).hexdigest()
    team.run("cp", "-c", "navigator", "agent:/sandbox/up", tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == blob


def test_directory_copies(team, tmp_path):
    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "tree/sub/file").write_text("x")
    team.run("cp", "-c", "navigator", tmp_path / "tree", "agent:/sandbox/")
    assert sandbox(team, "find", "/sandbox/tree").stdout.split() == ["/sandbox/tree", "/sandbox/tree/sub", "/sandbox/tree/sub/file"]


def test_signals_become_exit_codes(team):
    assert sandbox(team, "bash", "-c", "kill -9 $$").returncode == 137
    assert sandbox(team, "bash", "-c", "kill -TERM $$").returncode == 143


def test_arguments_are_not_joined(team):
    done = sandbox(team, "python3", "-c", "import sys; print(sys.argv[1:])", "a b", "$(id)", "c\nd", "é", "")
    assert done.stdout.strip() == str(["a b", "$(id)", "c\nd", "é", ""])


def test_sidecar_container_holds_nothing_that_interprets(team):
    """What pods/exec starts in the sidecar's own container has no capability, and no shell to run."""
    done = sandbox(team, "bash", "-c", "ls -l /proc/1/exe; id -u")
    assert done.stdout.strip().endswith("1000"), "bash ran in the sidecar's container"


# -- the endpoint, with tokens of the cluster

@pytest.fixture(scope="module")
def endpoint(team):
    """kubectl at the pod's own endpoint, with the token given; another pod's token, too."""
    found = team.get("pod", "agent")
    address, uid = found["status"]["podIP"], found["metadata"]["uid"]
    for name in ("allowed", "nobody"):
        team.run("create", "serviceaccount", name)
    team.run("create", "rolebinding", "sessions", "--clusterrole=navigator-session-user", f"--serviceaccount={team.namespace}:allowed")

    def call(token, *command):
        return Kubectl(team.namespace, "--kubeconfig=/dev/null", f"--server=https://{address}:8443", "--insecure-skip-tls-verify",
                       f"--token={token}").run("exec", "agent", "--", *command, check=False)

    def token(account, audience=f"navigator.sandbox/{uid}"):
        return team.run("create", "token", account, *(["--audience", audience] if audience else [])).stdout.strip()
    return call, token


def test_cl1_endpoint_runs_a_session_for_whom_it_may(endpoint, team):
    call, token = endpoint
    done = call(token("allowed"), "sh", "-c", "echo o; echo e >&2; exit 7")
    assert (done.stdout, done.returncode) == ("o\n", 7) and "e" in done.stderr.splitlines()
    line = [json.loads(text) for text in team.run("logs", "agent", "-c", "navigator").stdout.splitlines() if '"session_start"' in text][-1]
    assert line["actor"]["user"]["name"] == f"system:serviceaccount:{team.namespace}:allowed" and line["unmapped"]["source"] == "tls"


@pytest.mark.parametrize("audience", ["", "navigator.sandbox/00000000-0000-0000-0000-000000000000", "navigator"])
def test_cl6_token_for_another_audience(endpoint, audience):
    call, token = endpoint
    done = call(token("allowed", audience), "true")
    assert done.returncode != 0 and "must be logged in" in done.stderr


def test_cl6_token_without_the_right(endpoint):
    call, token = endpoint
    done = call(token("nobody"), "true")
    assert done.returncode != 0 and "may not create sessions.navigator.sandbox" in done.stderr


@pytest.mark.parametrize("value", ["x" * 40, "a.b.c", ""])
def test_ex18_no_token_of_the_cluster(endpoint, value):
    call, _ = endpoint
    done = call(value or "\u00a0none", "true")
    assert done.returncode != 0 and "sandbox" not in done.stdout


def test_cl6_right_on_another_pod(endpoint, team):
    """A role that names another pod allows nothing here: the review is named after the pod."""
    call, token = endpoint
    team.run("create", "serviceaccount", "elsewhere")
    team.create({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "another-pod"}, "rules": [
        {"apiGroups": ["navigator.sandbox"], "resources": ["sessions"], "resourceNames": ["another"], "verbs": ["create", "get"]}]})
    team.run("create", "rolebinding", "elsewhere", "--role=another-pod", f"--serviceaccount={team.namespace}:elsewhere")
    done = call(token("elsewhere"), "true")
    assert done.returncode != 0 and "Forbidden" in done.stderr


# -- what becomes of pods

def events(kubectl: Kubectl, name: str) -> str:
    return "\n".join(event["message"] for event in kubectl.get("events", f"--field-selector=involvedObject.name={name}")["items"])


def test_k4_annotated_job_completes(namespace):
    namespace.create(config_map())
    namespace.create({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "batch"}, "spec": {"backoffLimit": 0, "template": {
        "metadata": {"annotations": POLICY_ANNOTATIONS}, "spec": {"restartPolicy": "Never", "containers": [container(command=["true"])]}}}})
    namespace.run("wait", "job/batch", "--for=condition=Complete", f"--timeout={READY_SECONDS}s")


@pytest.mark.parametrize("policy, words", [
    ("version: 1\nfilesystem_policy:\n  read_write: [/]\n", "policy.yaml:3:"),
    ("version: 1\nfilesytem_policy: {}\n", "filesytem_policy"),
], ids=["broad", "typo"])
def test_k2_hk3_bad_policy_is_an_event_and_no_instruction(namespace, policy, words):
    namespace.create(config_map(policy))
    namespace.create(pod(annotations=POLICY_ANNOTATIONS, containers=[container(command=["touch", "/tmp/ran"])]))
    message = wait_for("the hook's line among the events", lambda: next(
        (text for text in events(namespace, "agent").splitlines() if words in text), None), READY_SECONDS)
    assert "navigator-hook" in message
    status = namespace.get("pod", "agent")["status"]["containerStatuses"][0]
    assert not status.get("started") and "running" not in status["state"]


def test_k2_named_policy_that_is_missing(namespace):
    namespace.create(pod(annotations={**POLICY_ANNOTATIONS, "navigator.sandbox/policy": "node/nowhere"}))
    wait_for("the refusal among the events", lambda: "nowhere" in events(namespace, "agent"), READY_SECONDS)


def test_k10_pod_keeps_its_last_good_policy(namespace):
    """The ConfigMap becomes bad: a container that starts again keeps what was good, a new pod is refused."""
    namespace.create(config_map())
    namespace.create(pod(annotations=POLICY_ANNOTATIONS))
    namespace.run("wait", "pod/agent", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    namespace.run("patch", "configmap", "agent", "--type=merge", "--patch", json.dumps({"data": {"policy.yaml": "version: 1\ntypo: 1\n"}}))
    wait_for("the kubelet's copy of the ConfigMap", lambda: "typo" in namespace.run(
        "exec", "agent", "-c", "app", "--", "cat", "/run/navigator-policy/policy.yaml", check=False).stdout, 120)
    namespace.run("exec", "agent", "-c", "app", "--", "bash", "-c", "kill -9 $(pgrep -x sleep)", check=False)
    wait_for("the restart", lambda: namespace.get("pod", "agent")["status"]["containerStatuses"][0]["restartCount"] >= 1, READY_SECONDS)
    done = wait_for("a session", lambda: (lambda r: r if r.returncode == 0 else None)(
        sandbox(namespace, "bash", "-c", "touch /sandbox/x && ! touch /usr/x && id -un")), READY_SECONDS)
    assert done.stdout.strip() == "sandbox"
    namespace.create(pod("newcomer", annotations=POLICY_ANNOTATIONS))
    wait_for("the refusal of a new pod", lambda: "policy.yaml:2:1" in events(namespace, "newcomer"), READY_SECONDS)


def test_h1_h3_policy_of_a_running_pod(namespace):
    """What the ConfigMap becomes applies to the pod that runs; what is wrong changes nothing and is said."""
    def asked():
        return sandbox(namespace, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20", "http://nowhere.invalid/").stdout

    def become(text):
        namespace.run("patch", "configmap", "agent", "--type=merge", "--patch", json.dumps({"data": {"policy.yaml": text}}))

    rule = "network_policies: {nowhere: {endpoints: [{host: nowhere.invalid, port: 80}], binaries: [{path: '/**'}]}}\n"
    namespace.create(config_map())
    namespace.create(pod(annotations=POLICY_ANNOTATIONS))
    namespace.run("wait", "pod/agent", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    assert asked() == "403"
    become(POLICY + rule)
    wait_for("the new rule", lambda: asked() == "502", 120)  # allowed, and there is no such name
    become(POLICY + rule + "typo: 1\n")
    wait_for("the refusal", lambda: "policy_refused" in namespace.run("logs", "agent", "-c", "navigator").stdout, 120)
    assert asked() == "502"


def test_pr7_stock_image_works(namespace):
    namespace.create(config_map("version: 1\n"))
    namespace.create(pod(annotations=POLICY_ANNOTATIONS, containers=[{
        "name": "app", "image": os.environ.get("NAVIGATOR_E2E_STOCK", WORKLOAD.replace("workload", "stock")), "imagePullPolicy": PULL, "command": ["sleep", "infinity"]}]))
    namespace.run("wait", "pod/agent", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    assert sandbox(namespace, "bash", "-c", "id -un; touch ~/x && echo $HOME").stdout.split() == ["sandbox", "/sandbox"]


def test_pr15_supplementary_group_that_is_not_mapped(namespace):
    namespace.create(config_map())
    namespace.create(pod(annotations=POLICY_ANNOTATIONS, securityContext={"supplementalGroups": [1234567]}))
    namespace.run("wait", "pod/agent", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    assert sandbox(namespace, "id", "-un").stdout.strip() == "sandbox"


def test_k7_restarted_container_is_targeted_anew(namespace):
    namespace.create(config_map())
    namespace.create(pod(annotations=POLICY_ANNOTATIONS))
    namespace.run("wait", "pod/agent", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    assert sandbox(namespace, "bash", "-c", "touch /tmp/here").returncode == 0  # a namespace's inode would not tell: the kernel gives a freed one again
    namespace.run("exec", "agent", "-c", "app", "--", "bash", "-c", "kill -9 $(pgrep -x sleep)", check=False)
    wait_for("the restart", lambda: namespace.get("pod", "agent")["status"]["containerStatuses"][0]["restartCount"] == 1, READY_SECONDS)
    wait_for("a session in the new container", lambda: sandbox(namespace, "bash", "-c", "test ! -e /tmp/here && echo new").stdout == "new\n", READY_SECONDS)


def test_k3_pr17_killed_sidecar_ends_sessions_and_comes_back(namespace):
    namespace.create(config_map())
    namespace.create(pod(annotations=POLICY_ANNOTATIONS))
    namespace.run("wait", "pod/agent", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    with subprocess.Popen(["kubectl", "-n", namespace.namespace, "exec", "agent", "-c", "navigator", "--", "bash", "-c",
                           "(setsid sleep 987654 &) ; exec sleep 987653"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as session:
        wait_for("the session", lambda: "98765" in namespace.run("exec", "agent", "-c", "app", "--", "ps", "axo", "args").stdout)
        # the workload's root may end the sidecar of its own pod: that opens nothing
        namespace.run("exec", "agent", "-c", "app", "--", "bash", "-c", "kill -9 $(pgrep -f '^/usr/bin/navigator-sidecar')")
        session.wait(timeout=30)
    wait_for("the end of the session's processes", lambda: "98765" not in namespace.run("exec", "agent", "-c", "app", "--", "ps", "axo", "args").stdout, 10)
    started = time.monotonic()
    wait_for("a session with the new sidecar", lambda: sandbox(namespace, "id", "-un").stdout.strip() == "sandbox", 30)
    print(f"new sessions {time.monotonic() - started:.1f} s after the old ones ended")


# -- a namespace that enforces Pod Security

@pytest.mark.labels({"pod-security.kubernetes.io/enforce": "restricted"})
def test_k6_restricted_namespace(namespace):
    restricted = {"securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "allowPrivilegeEscalation": False,
                                      "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}}
    plain = pod(annotations={}, containers=[container(**restricted)])
    namespace.admitted(plain)
    namespace.create(config_map())
    created = namespace.run("create", "-f", "-", input=json.dumps(pod(annotations=POLICY_ANNOTATIONS, containers=[container(**restricted)])), check=False)
    if created.returncode != 0 and "violates PodSecurity" in created.stderr:
        pytest.skip("this cluster's AdmissionConfiguration does not exempt the runtime class `navigator`")
    namespace.run("wait", "pod/agent", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    assert sandbox(namespace, "id", "-un").stdout.strip() == "sandbox"
