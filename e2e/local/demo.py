# SPDX-License-Identifier: Apache-2.0
"""The demo: one pod, one policy, and a walk along what a session may do. Every step says what was expected; another outcome is a failure."""
import json
import os
import shlex
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from . import build, images
from .pod import EXAMPLES, Node, Pod, example
from .progress import Console, Failure

FOLDER = Path(os.environ.get("NAVIGATOR_DEMO", "/var/lib/navigator-demo"))
PORT = int(os.environ.get("NAVIGATOR_DEMO_PORT", "8443"))
PRESET = os.environ.get("NAVIGATOR_PRESET", "release")
POLICY = EXAMPLES / "policy.yaml"
ALLOWED, DENIED = True, False


@dataclass(frozen=True)
class Case:
    expected: bool
    command: str     # of a shell in the session
    why: str         # for the person who reads
    line: str = ""   # of the policy, when one line says it


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


class Demo:
    def __init__(self, console: Console):
        self.console = console
        self.surprises = 0

    # -- up and down

    def up(self) -> Pod:
        if os.geteuid() != 0:
            raise Failure("needs root: it makes namespaces, mounts and a network bridge. Try: sudo e2e/demo")
        self.down(quiet=True)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", PORT))
            except OSError as error:
                raise Failure(f"port {PORT} of 127.0.0.1 is taken: free it, or choose another: NAVIGATOR_DEMO_PORT=18443 e2e/demo") from error
        programs = build.build(self.console, PRESET)
        archives = images.Images(self.console, programs).make()
        # What runs must not change when somebody builds again.
        shutil.copytree(programs, FOLDER / "bin")
        node = Node(FOLDER, FOLDER / "bin")
        node.policy("demo", POLICY.read_text())
        with self.console.step("loading the images into a podman of the demo's own"):
            node.engine.load(archives)
        manifest = example()
        manifest["spec"]["containers"][1]["ports"][0]["hostPort"] = PORT
        pod = Pod(node, manifest)
        with self.console.step("starting the pod (manifests/examples/pod.yaml)"):
            pod.start()
            pod.wait_ready()
        return pod

    def down(self, quiet: bool = False) -> None:
        if not FOLDER.exists():
            if not quiet:
                self.console.line("no pod, no image, no hook, no file of the demo is here")
            return
        with self.console.step("taking the pod down, with its images, hook and files" if not quiet else "removing what an earlier run left"):
            Node.remove(FOLDER)

    # -- the tour

    def show(self, pod: Pod, case: Case) -> None:
        result = pod.kubectl("exec", pod.name, "--", "sh", "-c", case.command)
        # kubectl's own last line says the exit code, which the mark says too.
        text = [line for line in (result.stdout + result.stderr).decode(errors="replace").splitlines()
                if line and not line.startswith("command terminated with exit code")]
        allowed = result.returncode == 0
        self.console.line(self.console.colour("bold", typed(pod, case.command)))
        for line in text[:4]:
            self.console.line(f"    {line}")
        mark = self.console.colour("green", "allowed") if allowed else self.console.colour("red", "denied ")
        where = f"policy.yaml:{line_of(case.line)}  {case.line.lstrip('- ')}  " if case.line else ""
        self.console.line(f"    {mark}  {self.console.colour('cyan', where)}{case.why}")
        self.console.line()
        if allowed != case.expected:
            self.surprises += 1
            self.console.line(self.console.colour("red", f"    that is wrong: it should have been {'allowed' if case.expected else 'denied'}"))

    def show_end_of_session(self, pod: Pod) -> None:
        self.heading("What a session started ends with it")
        start = "setsid sleep 4242 & setsid nohup sleep 4242 >/dev/null 2>&1 & sleep 0.2; pgrep -c -f '^sleep 4242'"
        for command, wanted in ((start, "2"), ("pgrep -c -f '^sleep 4242'", "0")):
            result = pod.kubectl("exec", pod.name, "--", "sh", "-c", command)
            text = result.stdout.decode().strip()
            self.console.line(self.console.colour("bold", typed(pod, command)))
            self.console.line(f"    {text} processes")
            self.surprises += text != wanted
        self.console.line("    a keeper outside the session ends its whole tree, daemons too; it does so when we are killed as well")
        self.console.line()

    def show_bad_policy(self, pod: Pod) -> None:
        self.heading("A policy that is wrong means no container, never no policy")
        text = POLICY.read_text().replace("    - /tmp\n", "    - /\n")
        pod.node.policy("typo", text)
        manifest = example()
        manifest["metadata"]["name"] = "demo-typo"
        manifest["metadata"]["annotations"]["navigator.sandbox/policy"] = "node/typo"
        manifest["spec"]["containers"] = manifest["spec"]["containers"][:1]
        refused = Pod(pod.node, manifest)
        self.console.line(self.console.colour("bold", "  $ podman kube play pod.yaml    # read_write now lists /"))
        try:
            refused.start()
            self.surprises += 1
            self.console.line(self.console.colour("red", "    that is wrong: it started"))
        except Failure as failure:
            line = next((line for line in str(failure).splitlines() if "navigator-hook" in line), str(failure))
            self.console.line(f"    {line[line.find('navigator-hook'):].replace(f'{pod.node.policies}/', '')}")
            self.console.line(f"    {self.console.colour('red', 'denied ')}  by the hook, before the container runs one instruction")
        finally:
            refused.remove()
        self.console.line()

    def show_audit(self, pod: Pod) -> None:
        self.heading("Everything is one line of the audit, which the sandbox can neither forge nor erase")
        lines = [line for line in pod.logs().splitlines() if line.startswith("{")]
        event = next(json.loads(line) for line in reversed(lines) if json.loads(line)["metadata"]["event_code"] == "session_start")
        shown = {"time": event["time_dt"], "class": f"OCSF {event['metadata']['version']}, {event['class_uid']}", "sequence": event["metadata"]["sequence"],
                 "message": event["message"], **{key: event["unmapped"][key] for key in ("arguments", "landlock_abi", "status") if key in event["unmapped"]}}
        for key, value in shown.items():
            self.console.line(f"    {self.console.colour('cyan', f'{key:14}')} {value}")
        self.console.line()

    def heading(self, text: str) -> None:
        self.console.line(self.console.colour("bold", self.console.colour("yellow", text)))
        self.console.line()

    def tour(self, pod: Pod) -> None:
        self.console.line()
        for title, cases in TOUR:
            self.heading(title)
            for case in cases:
                self.show(pod, case)
        self.show_end_of_session(pod)
        self.show_bad_policy(pod)
        self.show_audit(pod)


def typed(pod: Pod, command: str) -> str:
    """As a person would type it."""
    if not set(command) & set(" '\"$;&|<>"):
        words = command
    elif "'" in command and not set(command) & set('"$`'):
        words = f'sh -c "{command}"'
    else:
        words = f"sh -c {shlex.quote(command)}"
    return f"  $ kubectl exec {pod.name} -- {words}"


def line_of(text: str) -> int:
    """The line of the policy file that says it."""
    return next(number for number, line in enumerate(POLICY.read_text().splitlines(), 1) if line.split("#")[0].strip() == text)


def main(arguments: list) -> int:
    console = Console()
    demo = Demo(console)
    if arguments == ["--down"]:
        demo.down()
        images.forget()
        console.line("what e2e/setup installed and the folder build/ stay")
        return 0

    console.line(console.colour("bold", "Navigator for pods: an annotated pod, entered by kubectl, confined by one policy file"))
    console.line()
    keep = False
    try:
        pod = demo.up()
        demo.tour(pod)
        keep = arguments == ["--keep"]
    finally:
        if not keep:
            demo.down()
    if keep:
        console.line("The pod is up. Look around in it:")
        console.line()
        console.line(console.colour("bold", f"  KUBECONFIG={pod.kubeconfig} kubectl exec -it {pod.name} -- bash"))
        console.line()
        console.line(f"Its policy is {pod.node.policies}/demo.yaml. e2e/demo --down removes every trace.")
    if demo.surprises:
        raise Failure(f"{demo.surprises} steps did not end as they should have: please report the output above")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        print(f"e2e/demo: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
