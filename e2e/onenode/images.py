# SPDX-License-Identifier: Apache-2.0
"""The images of the cases: those of the local node, and the one for the chart's node part."""
from pathlib import Path

from local import archive
from local.build import TREE, build
from local.images import ARCHITECTURE, CACHE, Images, libraries, reference
from local.progress import Console

NOBODY = "65532:65532"


def make(console: Console) -> dict:
    """Name -> archive, built from the tree as it is."""
    programs = build(console, "release")
    archives = Images(console, programs).make()
    archives["node"] = node_image(programs)
    return archives


def node_image(programs) -> Path:
    """The hook to install, what it starts from, the program that reports; no shell."""
    layer = archive.Layer()
    dynamic = programs / "navigator-node"
    for path, source in libraries([dynamic]):
        layer.file(path, source.read_bytes(), 0o755)
    for program in (dynamic, programs / "navigator-hook"):
        layer.file(f"/usr/bin/{program.name}", program.read_bytes(), 0o755)
    layer.file("/usr/share/navigator/containerd-spec.json", (TREE / "hook/install/containerd-spec.json").read_bytes())
    for folder in ("/run/navigator-node", "/proc", "/sys", "/dev", "/tmp"):
        layer.parents(folder + "/")
        layer.folder(folder)
    data = layer.bytes()
    output = CACHE / f"node-{archive.digest(data)[:16]}.image"
    if not output.exists():
        archive.write(output, reference("node"), [data], {"Entrypoint": ["/usr/bin/navigator-node"], "User": NOBODY, "WorkingDir": "/"}, ARCHITECTURE)
        for old in CACHE.glob("node-*.image"):
            if old != output:
                old.unlink(missing_ok=True)
    return output
