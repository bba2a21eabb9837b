# SPDX-License-Identifier: Apache-2.0
"""The world outside a pod, in the pod's own network namespace: name server, HTTP and TLS servers, an echo. Run by outside.start()."""

import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
from pathlib import Path

import peers


def start(pause, world, folder):
    """world: {"names": {host: [address]}, "tcp": [[address, port, kind]], "addresses": [..]}. Returns the process; it says "ready" when it is."""
    (Path(folder) / "world.json").write_text(json.dumps(world))
    process = subprocess.Popen(
        ["nsenter", "--net", "--target", str(pause), sys.executable, __file__, str(Path(folder) / "world.json")],
        stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def queried(folder):
    path = Path(folder) / "queries"
    return path.read_text().split() if path.exists() else []


def read_name(data, at):
    labels = []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode())
        at += data[at] + 1
    return ".".join(labels).lower(), at + 1


def serve_names(sock, names, log):
    """Each name's addresses; a list of lists gives another answer each time."""
    turns = {}
    while True:
        query, peer = sock.recvfrom(4096)
        host, at = read_name(query, 12)
        kind = struct.unpack(">H", query[at:at + 2])[0]
        with open(log, "a") as file:
            file.write(host + "\n")
        found = names.get(host)
        if found and isinstance(found[0], list):
            turns[host, kind] = turns.get((host, kind), -1) + 1
            found = found[min(turns[host, kind], len(found) - 1)]
        wanted = [a for a in found or [] if (":" in a) == (kind == 28)]
        answers = b""
        for address in wanted:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            data = socket.inet_pton(family, address)
            answers += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(data)) + data
        flags = 0x8180 if found is not None else 0x8183
        sock.sendto(query[:2] + struct.pack(">HHHHH", flags, 1, len(wanted), 0, 0) + query[12:at + 4] + answers, peer)


def serve_one(client, kind, context):
    try:
        if kind == "tls":
            client = context.wrap_socket(client, server_side=True)
            kind = "http"
        if kind == "http":
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(65536)
                if not data:
                    return
                head += data
            body = b"head:" + head
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
            client.shutdown(socket.SHUT_RDWR)
        elif kind == "echo":
            while data := client.recv(65536):
                client.sendall(data)
        elif kind == "banner":
            client.sendall(b"SSH-2.0-world\r\n")
            client.recv(100)
        elif kind in peers.KINDS:
            peers.KINDS[kind](client)
        elif kind == "flood":
            block = b"x" * 65536
            while True:
                client.sendall(block)
    except OSError:
        pass
    finally:
        client.close()


def serve_tcp(listener, kind, context):
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve_one, args=(client, kind, context), daemon=True).start()


def main(path):
    world = json.loads(Path(path).read_text())
    for address in world["addresses"]:
        subprocess.run(["ip", "addr", "add", address, "dev", "lo"] + (["nodad"] if ":" in address else []), check=True)
    context = None
    if "certificate" in world:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*world["certificate"])
    for address, port, kind in world["tcp"]:
        listener = socket.create_server((address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET, backlog=128)
        threading.Thread(target=serve_tcp, args=(listener, kind, context), daemon=True).start()
    names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind(("127.0.0.1", 53))
    threading.Thread(target=serve_names, args=(names, world["names"], str(Path(path).parent / "queries")), daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
