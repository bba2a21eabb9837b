# SPDX-License-Identifier: Apache-2.0
"""A client of the exec endpoint that is quicker to start than kubectl and may be impolite.

v5.channel.k8s.io over WebSocket (RFC 6455), blocking, one session a connection: channel 0 stdin, 1 stdout, 2 stderr, 3 the final
Status, 4 resize, 255 end of a channel.
"""
import base64
import json
import os
import socket
import ssl
import struct
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOL = "v5.channel.k8s.io"


class Refused(Exception):
    """The upgrade was answered with another status than 101."""

    def __init__(self, status: int, headers: str, body: bytes):
        super().__init__(f"{status}: {body.decode(errors='replace')}")
        self.status, self.headers, self.body = status, headers, body


@dataclass
class Result:
    stdout: bytes = b""
    stderr: bytes = b""
    status: dict = field(default_factory=dict)
    close_code: int = 0

    @property
    def code(self) -> int:
        """As a shell would say; -1 when the Status carries no exit code."""
        if self.status.get("status") == "Success":
            return 0
        causes = self.status.get("details", {}).get("causes", [])
        return next((int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"), -1)

    @property
    def out(self) -> str:
        return self.stdout.decode(errors="replace")

    @property
    def err(self) -> str:
        return self.stderr.decode(errors="replace")

    @property
    def message(self) -> str:
        return self.status.get("message", "")


class Stream:
    """One upgraded connection."""

    def __init__(self, connection: socket.socket, target: str, headers: dict):
        self.connection = connection
        self.buffer = b""
        self.result = Result()
        self.ended = False
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {target} HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                 f"Sec-WebSocket-Key: {key}", *(f"{name}: {value}" for name, value in headers.items())]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        head = self._head()
        status = int(head.split(" ", 2)[1])
        if status != 101:
            raise Refused(status, head, self._body(head))

    def _head(self) -> str:
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return head.decode("latin-1")

    def _body(self, head: str) -> bytes:
        lengths = [int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length:")]
        while lengths and len(self.buffer) < lengths[0]:
            self._fill()
        return self.buffer

    def _fill(self) -> None:
        data = self.connection.recv(65536)
        if not data:
            raise ConnectionError("the endpoint closed the connection")
        self.buffer += data

    def _take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self._fill()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def send_frame(self, opcode: int, payload: bytes, final: bool = True) -> None:
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([(0x80 if final else 0) | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", size)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", size)
        # XOR of the whole payload at once: Python is slow byte by byte.
        repeated = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")
        self.connection.sendall(head + mask + masked)

    def send(self, channel: int, data: bytes) -> None:
        self.send_frame(2, bytes([channel]) + data)

    def stdin(self, data: bytes) -> None:
        for at in range(0, len(data), 32768):
            self.send(STDIN, data[at:at + 32768])

    def stdin_end(self) -> None:
        self.send(CLOSE, bytes([STDIN]))

    def resize(self, columns: int, rows: int) -> None:
        self.send(RESIZE, json.dumps({"Width": columns, "Height": rows}).encode())

    def read(self) -> bool:
        """Takes one frame into the result; False once the endpoint has closed."""
        first, second = self._take(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self._take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self._take(8))[0]
        payload = self._take(size)
        opcode = first & 0x0F
        if opcode == 9:
            self.send_frame(10, payload)
        elif opcode == 8:
            self.result.close_code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
            self.send_frame(8, payload[:2])
            self.ended = True
        elif opcode == 2 and payload:
            self._channel(payload[0], payload[1:])
        return not self.ended

    def _channel(self, channel: int, data: bytes) -> None:
        if channel == STDOUT:
            self.result.stdout += data
        elif channel == STDERR:
            self.result.stderr += data
        elif channel == STATUS:
            self.result.status = json.loads(data)

    def read_until(self, wanted: bytes, seconds: float = 10) -> bytes:
        """Until `wanted` stands in stdout; returns all of stdout so far."""
        deadline = time.monotonic() + seconds
        while wanted not in self.result.stdout:
            self.connection.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                if not self.read():
                    break
            except TimeoutError:
                break
        assert wanted in self.result.stdout, f"{wanted!r} not in {self.result.stdout[-2000:]!r} (status {self.result.status})"
        return self.result.stdout

    def finish(self, seconds: float = 60) -> Result:
        """Everything up to the close."""
        deadline = time.monotonic() + seconds
        try:
            while not self.ended:
                self.connection.settimeout(max(0.01, deadline - time.monotonic()))
                if not self.read():
                    break
        finally:
            self.connection.close()
        return self.result

    def drop(self) -> None:
        """Goes away without a word."""
        self.connection.close()


class Client:
    """How to reach an exec endpoint: `address` is a port of 127.0.0.1 (TLS), or the path of a unix socket."""

    def __init__(self, address, pod: str, token: str = "", certificate=None):
        self.address, self.pod, self.token = address, pod, token
        self.context = None
        if certificate:
            self.context = ssl.create_default_context(cafile=str(certificate))

    def connect(self) -> socket.socket:
        if isinstance(self.address, int):
            raw = socket.create_connection(("127.0.0.1", self.address), timeout=20)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return self.context.wrap_socket(raw, server_hostname="127.0.0.1")
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(20)
        connection.connect(str(self.address))
        return connection

    def open(self, argv, tty: bool = False, stdin: bool = False, container: str = "", login: bool = True, protocol: str = PROTOCOL,
             headers: dict = None, stdout: bool = True, stderr: bool = True, **query) -> Stream:
        parameters = [("command", word) for word in argv]
        parameters += [(name, "true") for name, on in
                       (("stdin", stdin), ("stdout", stdout), ("stderr", stderr and not tty), ("tty", tty)) if on]
        if container:
            parameters.append(("container", container))
        if not login:
            parameters.append(("login", "false"))
        for name, value in query.items():
            parameters += [(name, item) for item in (value if isinstance(value, (list, tuple)) else [value])]
        lines = {"Host": "127.0.0.1", "Sec-WebSocket-Protocol": protocol}
        if self.token:
            lines["Authorization"] = f"Bearer {self.token}"
        target = f"/api/v1/namespaces/default/pods/{self.pod}/exec?{urlencode(parameters)}"
        return Stream(self.connect(), target, {**lines, **(headers or {})})

    def exec(self, argv, data: bytes = None, seconds: float = 60, **options) -> Result:
        """Runs argv to its end; `data` is its standard input."""
        stream = self.open(argv, stdin=data is not None, **options)
        if data is not None:
            stream.stdin(data)
            stream.stdin_end()
        return stream.finish(seconds)
