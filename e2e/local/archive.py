# SPDX-License-Identifier: Apache-2.0
"""A container image as the archive `podman load` reads, written without a registry, a daemon or a build container.

Layers are plain tar files whose extended attributes travel as PAX records, so that file capabilities survive. The same
input gives the same bytes: no time, user or order of the machine goes in.
"""
import hashlib
import io
import json
import struct
import tarfile
from pathlib import Path

# Numbers of <linux/capability.h>.
CAPABILITIES = {
    "CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "KILL": 5, "SETGID": 6, "SETUID": 7, "SETPCAP": 8, "NET_BIND_SERVICE": 10,
    "NET_ADMIN": 12, "NET_RAW": 13, "SYS_CHROOT": 18, "SYS_PTRACE": 19, "SYS_ADMIN": 21,
}


def capability_attribute(names) -> bytes:
    """The value of security.capability (struct vfs_cap_data, revision 2): permitted and effective. No names: a file whose
    execution clears the ambient set, which a runtime hands to every process of a container with capabilities and a user."""
    mask = sum(1 << CAPABILITIES[name] for name in names)
    effective = 1 if mask else 0
    return struct.pack("<IIIII", 0x02000000 | effective, mask & 0xFFFFFFFF, 0, mask >> 32, 0)


class Layer:
    """One layer, built up in memory. Everything belongs to root unless said otherwise."""

    def __init__(self):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w", format=tarfile.PAX_FORMAT)
        self.folders = set()

    def _add(self, name: str, kind: bytes, mode: int, owner: tuple, data: bytes = b"", target: str = "", attribute: bytes = b""):
        info = tarfile.TarInfo(name.lstrip("/"))
        info.type, info.mode, info.linkname, info.size = kind, mode, target, len(data)
        info.uid, info.gid = owner
        if attribute:
            info.pax_headers["SCHILY.xattr.security.capability"] = attribute.decode("utf-8", "surrogateescape")
        self.tar.addfile(info, io.BytesIO(data))

    def folder(self, path: str, mode: int = 0o755, owner: tuple = (0, 0)):
        if path not in self.folders:
            self.folders.add(path)
            self._add(path, tarfile.DIRTYPE, mode, owner)

    def parents(self, path: str):
        for parent in reversed(Path(path).parents[:-1]):
            self.folder(str(parent))

    def file(self, path: str, data: bytes, mode: int = 0o644, owner: tuple = (0, 0), attribute: bytes = b""):
        self.parents(path)
        self._add(path, tarfile.REGTYPE, mode, owner, data, attribute=attribute)

    def link(self, path: str, target: str):
        self.parents(path)
        self._add(path, tarfile.SYMTYPE, 0o777, (0, 0), target=target)

    def bytes(self) -> bytes:
        self.tar.close()
        return self.buffer.getvalue()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write(output: Path, reference: str, layers: list, config: dict, architecture: str) -> str:
    """Writes the archive; layers are bytes or paths of tar files. Returns the image's id."""
    blobs = [layer if isinstance(layer, bytes) else layer.read_bytes() for layer in layers]
    digests = [digest(blob) for blob in blobs]
    document = json.dumps({
        "architecture": architecture, "os": "linux", "config": config,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{name}" for name in digests]},
        "history": [{"created_by": "navigator e2e/local"} for _ in digests],
    }, sort_keys=True).encode()
    manifest = json.dumps([{
        "Config": f"{digest(document)}.json", "RepoTags": [reference], "Layers": [f"{name}.tar" for name in digests],
    }]).encode()
    temporary = output.with_suffix(".part")
    with tarfile.open(temporary, "w") as tar:
        for name, blob in [(f"{digest(document)}.json", document), *[(f"{name}.tar", blob) for name, blob in zip(digests, blobs)],
                           ("manifest.json", manifest)]:
            info = tarfile.TarInfo(name)
            info.size = len(blob)
            tar.addfile(info, io.BytesIO(blob))
    temporary.rename(output)
    return digest(document)
