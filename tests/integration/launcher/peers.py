# SPDX-License-Identifier: Apache-2.0
"""Servers that say just enough for a real client to be content: PostgreSQL, Redis, WebSocket."""
import base64
import hashlib
import struct


def exactly(client, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = client.recv(size - len(data))
        if not more:
            raise OSError("the client has gone")
        data += more
    return data


# --- PostgreSQL: https://www.postgresql.org/docs/15/protocol-message-formats.html

ENCRYPTION_REQUESTS = (80877103, 80877104)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">I", len(body) + 4) + body


def postgres(client) -> None:
    """Whoever it is may come in, and every query's answer is one row: 42."""
    while True:
        (size,) = struct.unpack(">I", exactly(client, 4))
        body = exactly(client, size - 4)
        if struct.unpack(">I", body[:4])[0] not in ENCRYPTION_REQUESTS:
            break
        client.sendall(b"N")
    client.sendall(message(b"R", struct.pack(">I", 0)) + message(b"S", b"server_version\x0015.0\0") + message(b"Z", b"I"))
    while True:
        kind, size = struct.unpack(">cI", exactly(client, 5))
        exactly(client, size - 4)
        if kind == b"X":
            return
        column = b"answer\0" + struct.pack(">IHIhih", 0, 0, 25, -1, -1, 0)
        client.sendall(message(b"T", struct.pack(">H", 1) + column) + message(b"D", struct.pack(">HI", 1, 2) + b"42") +
                       message(b"C", b"SELECT 1\0") + message(b"Z", b"I"))


# --- Redis: https://redis.io/docs/reference/protocol-spec/

def redis(client) -> None:
    file = client.makefile("rwb")
    while line := file.readline():
        words = [file.read(int(file.readline()[1:]) + 2)[:-2] for _ in range(int(line[1:]))]
        file.write(b"+PONG\r\n" if words[0].upper() == b"PING" else b"*0\r\n")
        file.flush()


# --- WebSocket: RFC 6455

def websocket(client) -> None:
    """Sends back what it is sent, in messages of at most 125 bytes."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(client, 1)
    key = next(line.split(b":")[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
    while True:
        first, size = exactly(client, 2)
        mask = exactly(client, 4)
        data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(exactly(client, size & 127)))
        client.sendall(bytes([first, len(data)]) + data)
        if first & 15 == 8:
            return


KINDS = {"postgres": postgres, "redis": redis, "websocket": websocket}
