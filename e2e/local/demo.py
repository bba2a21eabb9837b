# SPDX-License-Identifier: Apache-2.0
"""The demo: brings one pod with one policy up, walks along what a session may do (tour.py), and takes it down."""
import os
import shutil
import socket
import sys
from pathlib import Path

from . import build, images
from .pod import Node, Pod, example
from .progress import Console, Failure
from .tour import POLICY, Tour

FOLDER = Path(os.environ.get("NAVIGATOR_DEMO", "/var/lib/navigator-demo"))
PORT = int(os.environ.get("NAVIGATOR_DEMO_PORT", "8443"))
PRESET = os.environ.get("NAVIGATOR_PRESET", "release")


class Demo:
    def __init__(self, console: Console):
        self.console = console
        self.no_python = ""   # why there is no development image

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
        archives = self.images(programs)
        # What runs must not change when somebody builds again.
        shutil.copytree(programs, FOLDER / "bin")
        node = Node(FOLDER, FOLDER / "bin")
        node.policy("demo", POLICY.text)
        with self.console.step("loading the images into a podman of the demo's own"):
            node.engine.load(archives)
        manifest = example()
        manifest["spec"]["containers"][1]["ports"][0]["hostPort"] = PORT
        pod = Pod(node, manifest)
        with self.console.step("starting the pod (manifests/examples/pod.yaml)"):
            pod.start()
            pod.wait_ready()
        return pod

    def images(self, programs: Path) -> dict:
        made = images.Images(self.console, programs)
        archives = made.make()
        try:
            archives.update(made.make_development())
        except Failure as failure:
            self.no_python = str(failure)
        return archives

    def tour(self, pod: Pod) -> list:
        """The pods that one may look around in."""
        tour = Tour(self.console, pod.node)
        pods = [pod]
        tour.walk(pod)
        if self.no_python:
            self.console.line(f"left out, for want of a Python index: pip install in a sandbox. {self.no_python}")
        else:
            pods.append(tour.python())
        if tour.surprises:
            raise Failure(f"{tour.surprises} steps did not end as they should have: please report the output above")
        return pods

    def down(self, quiet: bool = False) -> None:
        if not FOLDER.exists():
            if not quiet:
                self.console.line("no pod, no image, no hook, no file of the demo is here")
            return
        with self.console.step("taking the pod down, with its images, hook and files" if not quiet else "removing what an earlier run left"):
            Node.remove(FOLDER)


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
        pods = demo.tour(pod)
        keep = arguments == ["--keep"]
    finally:
        if not keep:
            demo.down()
    if not keep:
        console.line("Every step went as it should. e2e/demo --keep leaves the pods up to look around in; docs/kubernetes.md goes on from here.")
    if keep:
        console.line("Everything is up. Look around:")
        console.line()
        for pod in pods:
            console.line(console.colour("bold", f"  KUBECONFIG={pod.kubeconfig} kubectl exec -it {pod.name} -- bash"))
        console.line()
        console.line(f"The first one's policy is {pod.node.policies}/demo.yaml. e2e/demo --down removes all of it.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        print(f"e2e/demo: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
