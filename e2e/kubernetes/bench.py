# SPDX-License-Identifier: Apache-2.0
"""e2e/cluster bench [exec|start|untouched]...: what a sandbox costs on a real cluster, each figure beside its anchor in one run.

    exec       kubectl exec -- true through the API server: a plain container, one with the runtime's seccomp profile (what Pod Security
               `restricted` asks of every container), one in a user namespace, the sandbox; one of each in turn
    start      from kubectl create to Ready: a plain pod, a plain pod with a sidecar of somebody else, an annotated pod; in turn
    untouched  the same for plain pods, with the chart installed and without it, in blocks

Numbers are medians in milliseconds with the tenth and the ninetieth percentile; the last column is the distance to the first line.
"""
import statistics
import subprocess
import sys
import time

from conftest import CHART, RELEASE, SYSTEM, VALUES, WORKLOAD, PULL, Kubectl, container, helm, pod, settle

EXECS, STARTS, BLOCK = 60, 15, 12
PROFILE = {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}
POLICY = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bench"}, "data": {"policy.yaml": "version: 1\n"}}
ANNOTATIONS = {"navigator.sandbox/inject": "true", "navigator.sandbox/policy": "configmap/bench"}
SIDECAR = {"name": "side", "image": WORKLOAD, "imagePullPolicy": PULL, "restartPolicy": "Always", "command": ["python3", "-m", "http.server", "8443"],
           "startupProbe": {"periodSeconds": 1, "failureThreshold": 60, "httpGet": {"port": 8443}}, **PROFILE}


def milliseconds(action) -> float:
    begun = time.perf_counter()
    action()
    return (time.perf_counter() - begun) * 1000


def report(title: str, samples: dict) -> None:
    print(f"\n{title}")
    anchor = statistics.median(next(iter(samples.values())))
    for name, values in samples.items():
        ordered = sorted(values)
        median = statistics.median(ordered)
        print(f"  {name:46}{median:9.1f}  ({ordered[len(ordered) // 10]:.1f} .. {ordered[len(ordered) * 9 // 10]:.1f}){median - anchor:+9.1f}")


def in_turn(count: int, actions: dict) -> dict:
    """name -> samples. One of each after the other, so that the machine's moods fall on all alike; the first round warms up."""
    samples = {name: [] for name in actions}
    for round_ in range(count + 1):
        for name, action in actions.items():
            value = milliseconds(action)
            if round_ > 0:
                samples[name].append(value)
    return samples


def bench_exec(kubectl: Kubectl) -> None:
    pods = {"plain": pod("plain", annotations={}), "profile": pod("profile", annotations={}, containers=[container(**PROFILE)]),
            "user": pod("user", annotations={}, hostUsers=False, containers=[container(**PROFILE)]), "agent": pod("agent", annotations=ANNOTATIONS)}
    for name, document in pods.items():
        kubectl.create(document)
        kubectl.run("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")

    def into(*where):
        command = ["kubectl", "-n", kubectl.namespace, "exec", *where, "--", "true"]
        return lambda: subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    report(f"kubectl exec -- true, {EXECS} of each", in_turn(EXECS, {
        "a plain container": into("plain"), "the same with seccomp RuntimeDefault": into("profile"),
        "the same in a user namespace": into("user"), "the sandbox": into("agent", "-c", "navigator")}))
    kubectl.run("delete", "pods", "--all", "--grace-period=1")


class Starter:
    """Called, creates a pod and waits until it is Ready; what it created before goes meanwhile, and nobody waits for that."""

    def __init__(self, kubectl: Kubectl, **arguments):
        self.kubectl, self.arguments, self.name = kubectl, arguments, ""

    def __call__(self) -> None:
        if self.name:
            self.kubectl.run("delete", "pod", self.name, "--grace-period=0", "--force", "--wait=false")
        self.name = f"start-{time.time_ns():x}"
        self.kubectl.create(pod(self.name, **self.arguments))
        self.kubectl.run("wait", f"pod/{self.name}", "--for=condition=Ready", "--timeout=60s")


def bench_start(kubectl: Kubectl) -> None:
    report(f"kubectl create to Ready, {STARTS} of each", in_turn(STARTS, {
        "a plain pod": Starter(kubectl, annotations={}),
        "the same in a user namespace": Starter(kubectl, annotations={}, hostUsers=False),
        "the same with another's native sidecar": Starter(kubectl, annotations={}, hostUsers=False, initContainers=[SIDECAR]),
        "an annotated pod": Starter(kubectl, annotations=ANNOTATIONS)}))
    kubectl.run("delete", "pods", "--all", "--grace-period=1")


def bench_untouched(kubectl: Kubectl) -> None:
    samples = {"without the chart": [], "with the chart": []}
    for _ in range(2):
        helm("uninstall", RELEASE, "--namespace", SYSTEM, "--timeout", "4m")
        time.sleep(3)  # the policies are forgotten a second later, as they are learned
        samples["without the chart"] += in_turn(BLOCK, {"": Starter(kubectl, annotations={})})[""]
        install(kubectl)
        samples["with the chart"] += in_turn(BLOCK, {"": Starter(kubectl, annotations={})})[""]
    report(f"kubectl create to Ready of a plain pod, {2 * BLOCK} of each", samples)


def install(kubectl: Kubectl) -> None:
    helm("upgrade", "--install", RELEASE, CHART, "--namespace", SYSTEM, "--create-namespace", "--values", VALUES, "--wait", "--timeout", "3m")
    settle(kubectl)


def main(chosen: list) -> int:
    parts = {"exec": bench_exec, "start": bench_start, "untouched": bench_untouched}
    if not set(chosen) <= set(parts):
        print(__doc__.strip())
        return 2
    cluster = Kubectl("default")
    install(cluster)
    kubectl = Kubectl(f"bench-{time.time_ns():x}")
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": kubectl.namespace}})
    kubectl.run("wait", "serviceaccount/default", "--for=create", "--timeout=30s")
    kubectl.create(POLICY)
    try:
        for name in chosen or parts:
            parts[name](kubectl)
    finally:
        cluster.run("delete", "namespace", kubectl.namespace, "--wait=false")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
