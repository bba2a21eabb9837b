# SPDX-License-Identifier: Apache-2.0
"""A line of the audit as its reporter knew it: the names of docs/formats/audit.md without OCSF's objects around them."""
import json
import subprocess

# Where OCSF has it -> what the event calls it. What is not here and not "unmapped" is the formatter's own.
NAMES = {
    "metadata.event_code": "event", "metadata.product.feature.name": "role", "metadata.sequence": "sequence", "metadata.is_truncated": "cut",
    "time_dt": "time", "message": "message", "class_uid": "class", "count": "repeated", "duration": "milliseconds", "exit_code": "exit_code",
    "status_code": "reason", "status_detail": "detail",
    "actor.process.path": "binary", "actor.process.pid": "pid", "actor.user.name": "caller", "api.response.code": "code", "app.name": "process",
    "connection_info.protocol_name": "protocol", "container.name": "container", "container.uid": "container_id", "device.hostname": "pod",
    "dst_endpoint.hostname": "host", "dst_endpoint.ip": "address", "dst_endpoint.port": "port", "firewall_rule.name": "rule",
    "policy.name": "policy", "policy.uid": "policy_sha256", "policy.version": "generation", "process.uid": "session",
    "process.user.uid": "uid", "process.working_directory": "directory", "query.hostname": "host", "query.type": "protocol",
    "src_endpoint.name": "source",
}
NUMBERS = ("session", "uid", "generation")


def leaves(value, path=""):
    if not isinstance(value, dict):
        yield path, value
        return
    for key, below in value.items():
        yield from leaves(below, f"{path}.{key}" if path else key)


def flat(text: str) -> dict:
    found = {}
    for path, value in leaves(json.loads(text)):
        name = path.removeprefix("unmapped.") if path.startswith("unmapped.") else NAMES.get(path)
        if name:
            found[name] = int(value) if name in NUMBERS and str(value).isdigit() else value
    if found.get("role") != "egress" and "detail" in found:
        found["reason"] = found.pop("detail")
    if found.get("role") == "launcher" and "policy" in found:
        found["policy_source"] = found.pop("policy")
    return found


def write(programs, *events) -> str:
    """Lines as the launcher writes them; an event is (role, name, key, value, key, value, ...)."""
    done = subprocess.run([programs / "test-audit-lines"], input="".join("\t".join(event) + "\n" for event in events), stdout=subprocess.PIPE,
                          text=True, check=True)
    return done.stdout
