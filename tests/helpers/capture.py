# SPDX-License-Identifier: Apache-2.0
"""What leaves a network namespace: every outgoing packet of every interface but loopback, seen by a packet socket inside it.

    with Capture(pid_in_the_namespace) as capture: ...
    capture.packets    what left, in order, once the block has ended
"""
import json
import signal
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass

ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 3, 0x0800, 0x0806, 0x86dd
TCP, UDP, ICMPV6 = socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMPV6


@dataclass(frozen=True)
class Packet:
    interface: str
    kind: int        # of the Ethernet frame
    protocol: int    # of IP; 0 for what is not IP
    source: str
    destination: str
    source_port: int
    port: int

    @property
    def is_housekeeping(self) -> bool:
        """What the kernel itself sends to keep an interface: who has this address, who is there."""
        return self.kind == ETH_P_ARP or (self.protocol in (0, ICMPV6) and self.destination.startswith("ff02::"))


def parse(interface: str, kind: int, data: bytes) -> Packet:
    protocol, source, destination, at = 0, "", "", len(data)
    if kind == ETH_P_IP and len(data) >= 20:
        protocol, at = data[9], (data[0] & 15) * 4
        source, destination = socket.inet_ntop(socket.AF_INET, data[12:16]), socket.inet_ntop(socket.AF_INET, data[16:20])
    elif kind == ETH_P_IPV6 and len(data) >= 40:
        protocol, at = data[6], 40
        source, destination = socket.inet_ntop(socket.AF_INET6, data[8:24]), socket.inet_ntop(socket.AF_INET6, data[24:40])
    ports = struct.unpack(">HH", data[at:at + 4]) if protocol in (TCP, UDP) and len(data) >= at + 4 else (0, 0)
    return Packet(interface, kind, protocol, source, destination, *ports)


class Capture:
    def __init__(self, pid: int):
        self.pid = pid
        self.packets = []

    def __enter__(self):
        self.process = subprocess.Popen(["nsenter", "--net", "--target", str(self.pid), sys.executable, __file__], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "watching\n"
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        text, _ = self.process.communicate(timeout=20)
        assert text.endswith("done\n"), "the capture ended before it was told to"
        self.packets = [Packet(**json.loads(line)) for line in text.splitlines()[:-1]]


def watch() -> None:
    ending = []
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    packets.settimeout(0.2)
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
    print("watching", flush=True)
    while True:
        try:
            data, (interface, kind, direction, *_) = packets.recvfrom(128)
        except TimeoutError:
            if ending:
                break
            continue
        if direction == socket.PACKET_OUTGOING and interface != "lo":
            print(json.dumps(parse(interface, kind, data).__dict__), flush=True)
    print("done", flush=True)


if __name__ == "__main__":
    watch()
