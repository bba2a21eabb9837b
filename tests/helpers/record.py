# SPDX-License-Identifier: Apache-2.0
"""Reads what the hook hands to the sidecar, from its description (docs/formats/record.md) and not with the code under test."""

MAGIC = 0x3152564E


class Fields:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def number(self, size: int) -> int:
        value = int.from_bytes(self.data[self.at:self.at + size], "little")
        assert self.at + size <= len(self.data), "the record is cut"
        self.at += size
        return value

    def u32(self) -> int:
        return self.number(4)

    def u64(self) -> int:
        return self.number(8)

    def bytes(self) -> bytes:
        size = self.u32()
        value = self.data[self.at:self.at + size]
        assert len(value) == size, "the record is cut"
        self.at += size
        return value

    def text(self) -> str:
        value = self.bytes()
        assert self.number(1) == 0, "a string without its NUL"
        return value.decode()

    def inode(self) -> tuple:
        return (self.u64(), self.u64())

    def list(self, item) -> list:
        return [item() for _ in range(self.u32())]


def read(data: bytes) -> dict:
    fields = Fields(data)
    assert fields.u32() == MAGIC
    record = {name: fields.text() for name in ("pod", "pod_name", "pod_namespace", "pod_uid", "container_id", "container_name", "target")}
    record["pid"] = fields.u32()
    record["start_time"] = fields.u64()
    for name in ("root", "runtime", "mount_namespace", "pid_namespace", "user_namespace"):
        record[name] = fields.inode()
    record["workload_uid"], record["workload_gid"] = fields.u32(), fields.u32()
    record["directory"] = fields.text()
    record["environment"] = fields.list(fields.text)
    record["limits"] = fields.list(lambda: (fields.u32(), fields.u64(), fields.u64()))
    record["apparmor"], record["selinux"] = fields.text(), fields.text()
    record["uid"], record["gid"] = fields.u32(), fields.u32()
    record["groups"] = fields.list(fields.u32)
    record["name"], record["home"], record["shell"] = fields.text(), fields.text(), fields.text()
    record["cgroups"] = fields.list(fields.text)
    record["policy_source"], record["policy_text"] = fields.text(), fields.text()
    record["policy"], record["policy_hash"] = fields.bytes(), fields.bytes()
    assert fields.at == len(data), "bytes behind the record"
    return record
