# SPDX-License-Identifier: Apache-2.0
"""The walk along what a session may do and what not, and why. Every step says what was expected; another outcome is a surprise."""
import json
import shlex
from dataclasses import dataclass

import yaml

from .images import reference
from .pod import EXAMPLES, Node, Pod, example, free_port
from .progress import Console, Failure

ALLOWED, DENIED = True, False


@dataclass(frozen=True)
class Policy:
    name: str
    text: str

    def line(self, wanted: str) -> int:
        """Of the line that says it."""
        return next(number for number, line in enumerate(self.text.splitlines(), 1) if line.split("#")[0].strip() == wanted)


POLICY = Policy("policy.yaml", (EXAMPLES / "policy.yaml").read_text())


@dataclass(frozen=True)
class Case:
    expected: bool
    command: str     # of a shell in the session
    why: str         # for the person who reads
    line: str = ""   # of the policy, when one line says it
    shown: int = 4   # lines of what it printed


TOUR = (
    ("A session is a login shell of the user `sandbox`, inside the workload's own namespaces", (
        Case(ALLOWED, "id", "the policy says who", "run_as_user: sandbox"),
        Case(ALLOWED, "python3 -c 'import sys; print(sys.prefix)'", "the image's PATH outlives /etc/profile: its virtual environment is found"),
    )),
    ("It may do what the policy lists", (
        Case(ALLOWED, "echo hello > /sandbox/note && cat /sandbox/note", "read_write", "- /sandbox"),
        Case(ALLOWED, "cat /etc/hostname", "read_only", "- /etc"),
    )),
    ("and nothing else", (
        Case(DENIED, "echo x > /usr/x", "read_only: nothing is created there, whoever owns it", "- /usr"),
        Case(DENIED, "cat /opt/readable", "no line lists /opt, so it cannot be read although its mode is 0644 (Landlock)"),
        Case(DENIED, "cat /etc/shadow", "listed, but root's: Landlock comes on top of file modes, it does not replace them", "- /etc"),
        Case(DENIED, "truncate -s 0 /app/owned", "the file belongs to sandbox; the policy is what protects it", "- /app"),
    )),
    ("Nor can it become more than it is", (
        Case(DENIED, "sudo -n id", "no_new_privs: a setuid program gains nothing, and no capability is left to gain"),
        Case(DENIED, "unshare --user --map-root-user id", "seccomp: no new namespaces, mounts, BPF, keyrings, ptrace"),
        Case(DENIED, "cat /proc/$(pgrep -o navigator)/environ", "our own processes are closed, to the workload's root as well"),
        Case(DENIED, "curl -sS --fail-with-body --max-time 5 http://192.0.2.80/", "by the proxy, which says what rule is missing"),
        Case(DENIED, "curl -sS --noproxy '*' --max-time 5 http://192.0.2.80:81/", "and around it there is nothing: the network namespace has loopback alone"),
    )),
)

# The host of the index is read from the policy of the image, where pip on this machine has put it.
PYTHON = (
    Case(ALLOWED, "pip install --quiet cowsay && cowsay -t 'installed from inside'", "these hosts, for these programs", "python_packages:", shown=9),
    Case(ALLOWED, "uv run --quiet --with tabulate python -c 'import tabulate; print(tabulate.__file__)'", "another of these programs", "- { path: /usr/local/bin/uv }"),
    Case(DENIED, "curl -sSi https://{index}/", "the same host for a program that the rule does not list: the status line says so", shown=1),
    Case(DENIED, "curl -sS --fail-with-body http://example.com/", "no rule for this host: the answer has the one that is missing"),
)


class Tour:
    def __init__(self, console: Console, node: Node):
        self.console = console
        self.node = node
        self.surprises = 0

    def walk(self, pod: Pod) -> None:
        self.console.line()
        for title, cases in TOUR:
            self.heading(title)
            for case in cases:
                self.show(pod, case, POLICY)
        self.end_of_session(pod)
        self.bad_policy()
        self.audit(pod)

    def heading(self, text: str) -> None:
        self.console.line(self.console.colour("bold", self.console.colour("yellow", text)))
        self.console.line()

    def show(self, pod: Pod, case: Case, policy: Policy) -> None:
        result = pod.kubectl("exec", pod.name, "--", "sh", "-c", case.command)
        allowed = result.returncode == 0
        self.console.line(self.console.colour("bold", typed(pod, case.command)))
        for line in printed(result.stdout + result.stderr)[:case.shown]:
            self.console.line(f"    {line}")
        mark = self.console.colour("green", "allowed") if allowed else self.console.colour("red", "denied ")
        where = f"{policy.name}:{policy.line(case.line)}  {case.line.lstrip('- ')}  " if case.line else ""
        self.console.line(f"    {mark}  {self.console.colour('cyan', where)}{case.why}")
        self.console.line()
        if allowed != case.expected:
            self.surprise(f"it should have been {'allowed' if case.expected else 'denied'}")

    def surprise(self, text: str) -> None:
        self.surprises += 1
        self.console.line(self.console.colour("red", f"    that is wrong: {text}"))

    def end_of_session(self, pod: Pod) -> None:
        self.heading("What a session started ends with it")
        start = "setsid sleep 4242 & setsid nohup sleep 4242 >/dev/null 2>&1 & sleep 0.2; pgrep -c -f '^sleep 4242'"
        for command, wanted in ((start, "2"), ("pgrep -c -f '^sleep 4242'", "0")):
            result = pod.kubectl("exec", pod.name, "--", "sh", "-c", command)
            text = result.stdout.decode().strip()
            self.console.line(self.console.colour("bold", typed(pod, command)))
            self.console.line(f"    {text} processes")
            if text != wanted:
                self.surprise(f"there should have been {wanted}")
        self.console.line("    a keeper outside the session ends its whole tree, daemons too; it does so when we are killed as well")
        self.console.line()

    def bad_policy(self) -> None:
        self.heading("A policy that is wrong means no container, never no policy")
        self.node.policy("typo", POLICY.text.replace("    - /tmp\n", "    - /\n"))
        manifest = example()
        manifest["metadata"]["name"] = "demo-typo"
        manifest["metadata"]["annotations"]["navigator.sandbox/policy"] = "node/typo"
        manifest["spec"]["containers"] = manifest["spec"]["containers"][:1]
        refused = Pod(self.node, manifest)
        self.console.line(self.console.colour("bold", "  $ podman kube play pod.yaml    # read_write now lists /"))
        try:
            refused.start()
            self.surprise("it started")
        except Failure as failure:
            line = next((line for line in str(failure).splitlines() if "navigator-hook" in line), str(failure))
            self.console.line(f"    {line[line.find('navigator-hook'):].replace(f'{self.node.policies}/', '')}")
            self.console.line(f"    {self.console.colour('red', 'denied ')}  by the hook, before the container runs one instruction")
        finally:
            refused.remove()
        self.console.line()

    def audit(self, pod: Pod) -> None:
        self.heading("Everything is one line of the audit, which the sandbox can neither forge nor erase")
        lines = [line for line in pod.logs().splitlines() if line.startswith("{")]
        event = next(json.loads(line) for line in reversed(lines) if json.loads(line)["metadata"]["event_code"] == "session_start")
        shown = {"time": event["time_dt"], "class": f"OCSF {event['metadata']['version']}, {event['class_uid']}", "sequence": event["metadata"]["sequence"],
                 "message": event["message"], **{key: event["unmapped"][key] for key in ("arguments", "landlock_abi", "status") if key in event["unmapped"]}}
        for key, value in shown.items():
            self.console.line(f"    {self.console.colour('cyan', f'{key:14}')} {value}")
        self.console.line()
        self.in_sidecar(pod, "audit", "verdict=denied", "--last", "2", why="as it happens with --follow; with --output json, OCSF for a collector")
        self.in_sidecar(pod, "policy", "suggest", why="what was denied, as the least that would have allowed it: to read, and to paste or not")

    def in_sidecar(self, pod: Pod, *words: str, why: str) -> None:
        result = pod.podman_exec("navigator", "navigator", *words)
        self.console.line(self.console.colour("bold", f"  $ podman exec {pod.container('navigator')} navigator {shlex.join(words)}"))
        for line in (result.stdout + result.stderr).splitlines():
            self.console.line(f"    {line}")
        self.console.line(f"    {self.console.colour('cyan', why)}")
        self.console.line()
        if result.returncode != 0:
            self.surprise("it should have had an answer")

    def python(self) -> Pod:
        """Another pod, of an image that has its policy inside."""
        self.heading("An image can bring its own policy: here packages install, and what else goes out is explained")
        manifest = example()
        manifest["metadata"]["name"] = "agent"
        del manifest["metadata"]["annotations"]["navigator.sandbox/policy"]
        workload, sidecar = manifest["spec"]["containers"]
        workload["image"] = reference("development")
        sidecar["ports"][0]["hostPort"] = free_port()
        pod = self.node.play(manifest)
        pod.wait_ready()
        policy = Policy("/etc/navigator/policy.yaml", pod.kubectl("exec", pod.name, "--", "cat", "/etc/navigator/policy.yaml").stdout.decode())
        index = yaml.safe_load(policy.text)["network_policies"]["python_packages"]["endpoints"][0]["host"]
        for case in PYTHON:
            self.show(pod, Case(**{**vars(case), "command": case.command.replace("{index}", index)}), policy)
        return pod


def typed(pod: Pod, command: str) -> str:
    """As a person would type it."""
    if not set(command) & set(" '\"$;&|<>"):
        words = command
    elif "'" in command and not set(command) & set('"$`'):
        words = f'sh -c "{command}"'
    else:
        words = f"sh -c {shlex.quote(command)}"
    return f"  $ kubectl exec {pod.name} -- {words}"


def printed(output: bytes) -> list:
    """The lines of a command, and of a refusal in JSON what a person needs. kubectl's own last line says the exit code, which the mark says too."""
    lines = []
    for line in output.decode(errors="replace").splitlines():
        if line.startswith("{"):
            refusal = json.loads(line)
            lines += [f"{key}: {refusal[key] if key == 'detail' else json.dumps(refusal[key])}" for key in ("detail", "missing_rule") if key in refusal]
        elif line.strip() and not line.startswith("command terminated with exit code"):
            lines.append(line)
    return lines
