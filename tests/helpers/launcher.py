# SPDX-License-Identifier: Apache-2.0
"""A launcher that confines nothing: it starts the real gateway and runs what that asks for as plain processes of this machine.

Tests of the exec protocol need neither a container nor a privilege with it, and can make it say what the real one says rarely.
The messages are those of sidecar/wire/wire.h (docs/formats/wire.md).
"""
import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from .remotecommand import Client

TTY, STDIN, STDOUT, STDERR, LOGIN = 1, 2, 4, 8, 16
ERROR_OS, ERROR_INPUT, ERROR_DENIED, ERROR_LIMIT, ERROR_PEER = 1, 2, 3, 4, 5

WIRE_HEADER = Path(__file__).resolve().parents[2] / "sidecar/wire/wire.h"


def number_of(name: str) -> int:
    """Of a message type, as the header counts them: the table grows in its middle."""
    number = 0
    inside = False
    for line in WIRE_HEADER.read_text().splitlines():
        words = line.strip().split("/*")[0].strip().rstrip(",").split(" = ")
        if "enum WireType" in line:
            inside = True
        elif inside and words[0].startswith("WIRE_"):
            number = int(words[1]) if len(words) > 1 else number + 1
            if words[0] == name:
                return number
    raise KeyError(name)


GIVE, START, STARTED, REFUSED, ENDED, TARGETS = (
    number_of(f"WIRE_{name}") for name in ("GIVE", "START", "SESSION_STARTED", "SESSION_REFUSED", "SESSION_ENDED", "TARGETS"))
CONNECTED, CONNECT_REFUSED = number_of("WIRE_CONNECTED"), number_of("WIRE_CONNECT_REFUSED")
READY, SESSION_START, SESSION_STOP, CONNECT, AUDIT = (
    number_of(f"WIRE_{name}") for name in ("READY", "SESSION_START", "SESSION_STOP", "CONNECT", "AUDIT"))


def pack_string(text) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<I", len(data)) + data + b"\0"


def pack_strings(items) -> bytes:
    return struct.pack("<I", len(items)) + b"".join(pack_string(item) for item in items)


class Fields:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def number(self, form: str) -> int:
        value = struct.unpack_from("<" + form, self.data, self.at)[0]
        self.at += struct.calcsize("<" + form)
        return value

    def string(self) -> bytes:
        size = self.number("I")
        value = self.data[self.at:self.at + size]
        assert self.data[self.at + size] == 0
        self.at += size + 1
        return value

    def strings(self) -> list:
        return [self.string() for _ in range(self.number("I"))]

    def end(self) -> None:
        assert self.at == len(self.data), "bytes are left over"


@dataclass
class Request:
    """One SESSION_START, decoded."""
    number: int
    flags: int
    rows: int
    columns: int
    container: str
    directory: str
    terminal: str
    caller: str
    source: str
    arguments: list
    environment: list
    stopped: str = ""
    process: subprocess.Popen = None
    ended: threading.Event = field(default_factory=threading.Event)


def certificate(folder: Path) -> tuple:
    """A self-signed certificate for 127.0.0.1 and its key."""
    crt, key = folder / "tls.crt", folder / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=navigator", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", crt],
                   check=True, capture_output=True)
    return crt, key


class Launcher:
    """with Launcher(program, folder) as launcher: launcher.port, launcher.socket_path, launcher.requests"""

    def __init__(self, program, folder: Path, token: str = "a-token-of-the-tests", containers=("workload",), pod=("", ""), command=()):
        self.folder, self.token = folder, token
        self.certificate, self.key = certificate(folder)
        self.socket_path = folder / "exec.sock"
        self.requests, self.audits = [], []
        self.refusals = {}    # first argument -> fields of a REFUSED
        self.connect_port = None
        self.sandbox = ""     # the status line of every session
        self.kill_tree = True # what is left of a session goes with its first process, as the keeper sees to it
        self.start_delay = 0
        self.ready = threading.Event()
        self.lock = threading.Lock()
        self.pod, self.containers = pod, list(containers)
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.errors = (folder / "gateway.log").open("wb")
        # AddressSanitizer keeps freed memory for a while; how much memory the gateway takes is measured.
        environment = {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1:" + os.environ.get("ASAN_OPTIONS", "")}
        self.process = subprocess.Popen([*command, program], env=environment, pass_fds=[], close_fds=False, stdin=subprocess.DEVNULL, stderr=self.errors,
                                        stdout=self.errors, preexec_fn=lambda: self._become(theirs.fileno()))
        theirs.close()
        self._serve()

    @staticmethod
    def _become(control: int) -> None:
        os.dup2(control, 3, inheritable=True)
        os.closerange(4, 256)

    def _serve(self) -> None:
        tcp = socket.create_server(("127.0.0.1", 0), backlog=512)
        local = socket.socket(socket.AF_UNIX)
        local.bind(str(self.socket_path))
        local.listen(512)
        self.port = tcp.getsockname()[1]
        (self.folder / "token").write_text(self.token + "\n")
        self.give("listener-tls", tcp.fileno())
        self.give("listener-unix", local.fileno())
        for name, path in (("certificate", self.certificate), ("key", self.key), ("token", self.folder / "token")):
            with path.open("rb") as file:
                self.give(name, file.fileno())
        tcp.close()
        local.close()
        self.targets(self.containers)
        self.send(START, 0)
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()

    def __enter__(self):
        assert self.ready.wait(20), f"the gateway is not ready: {self.log()}"
        return self

    def __exit__(self, *_):
        self.close()

    def log(self) -> str:
        return (self.folder / "gateway.log").read_text(errors="replace")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)
        try:
            self.exit_code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.exit_code = self.process.wait()
        for request in self.requests:
            self._kill(request)
        self.errors.close()

    def client(self, pod: str = "demo", **changes) -> Client:
        return Client(**{"address": self.port, "pod": pod, "token": self.token, "certificate": self.certificate, **changes})

    def local_client(self, pod: str = "demo") -> Client:
        return Client(self.socket_path, pod)

    def environment(self, token: str = None, prefix: str = "") -> dict:
        """In which an unmodified kubectl talks to this gateway."""
        config = self.folder / "kubeconfig"
        config.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": f"https://127.0.0.1:{self.port}{prefix}", "certificate-authority": str(self.certificate)}}],
            "users": [{"name": "test", "user": {"token": self.token if token is None else token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}))
        return {**os.environ, "KUBECONFIG": str(config), "HOME": str(self.folder)}

    def kubectl(self, *words, data: bytes = b"", seconds: float = 60, **options) -> subprocess.CompletedProcess:
        return subprocess.run(["kubectl", *words], env=self.environment(**options), input=data, capture_output=True, timeout=seconds, check=False)

    def memory(self, key: str = "VmRSS") -> int:
        """KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(key + ":"))

    # --- messages ---

    def send(self, kind: int, number: int, fields: bytes = b"", fds=()) -> None:
        data = struct.pack("<HHI", kind, 0, number) + fields
        with self.lock, contextlib.suppress(OSError):
            if fds:
                socket.send_fds(self.control, [data], fds)
            else:
                self.control.send(data)

    def give(self, name: str, fd: int) -> None:
        self.send(GIVE, 0, pack_string(name), [fd])

    def targets(self, containers) -> None:
        self.containers = list(containers)
        self.send(TARGETS, 0, pack_string(self.pod[0]) + pack_string(self.pod[1]) + pack_strings(self.containers))

    def refuse(self, number: int, kind: int = ERROR_DENIED, exit_code: int = 0, code: int = 0, step: str = "test", text: str = "") -> None:
        self.send(REFUSED, number, struct.pack("<BBI", kind, exit_code, code) + pack_string(step) + pack_string(text))

    def _loop(self) -> None:
        while True:
            try:
                data, _, _, _ = socket.recv_fds(self.control, 1 << 18, 8)
            except OSError:
                return
            if not data:
                return
            kind, _, number = struct.unpack_from("<HHI", data)
            self._take(kind, number, Fields(data[8:]))

    def _take(self, kind: int, number: int, fields: Fields) -> None:
        if kind == READY:
            self.ready.set()
        elif kind == SESSION_START:
            request = self._request(number, fields)
            self.requests.append(request)
            threading.Thread(target=self._run, args=[request], daemon=True).start()
        elif kind == SESSION_STOP:
            request = next(item for item in self.requests if item.number == number)
            request.stopped = fields.string().decode()
            self._kill(request)
        elif kind == CONNECT:
            self._connect(number, fields.number("H"))
        elif kind == AUDIT:
            event, pairs = fields.string().decode(), [item.decode() for item in fields.strings()]
            self.audits.append((event, dict(zip(pairs[::2], pairs[1::2]))))

    @staticmethod
    def _request(number: int, fields: Fields) -> Request:
        flags, rows, columns = fields.number("I"), fields.number("H"), fields.number("H")
        texts = [fields.string().decode(errors="replace") for _ in range(5)]
        request = Request(number, flags, rows, columns, *texts, fields.strings(), fields.strings())
        fields.end()
        return request

    # --- sessions ---

    def _connect(self, number: int, port: int) -> None:
        try:
            peer = socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError as error:
            self.send(CONNECT_REFUSED, number, pack_string(f"cannot reach port {port}: {error.strerror}"))
            return
        peer.setblocking(False)
        self.send(CONNECTED, number, b"", [peer.fileno()])
        peer.close()

    def _kill(self, request: Request) -> None:
        if request.process is not None:
            with contextlib.suppress(OSError):
                os.killpg(request.process.pid, signal.SIGKILL)

    def _run(self, request: Request) -> None:
        time.sleep(self.start_delay)
        if request.arguments[0].decode() in self.refusals:
            self.refuse(request.number, **self.refusals[request.arguments[0].decode()])
            return
        if request.stopped:
            self._ended(request, 137)
            return
        try:
            fds = self._start(request)
        except OSError as error:
            code = 127 if isinstance(error, FileNotFoundError) and not error.filename == request.directory else 126
            self.refuse(request.number, ERROR_INPUT, code, error.errno, "execve", f"cannot run '{request.arguments[0].decode()}': {error.strerror}")
            return
        self.send(STARTED, request.number, struct.pack("<Q", request.number) + pack_string(self.sandbox), fds)
        for fd in fds:
            os.close(fd)
        if request.stopped:
            self._kill(request)
        code = request.process.wait()
        if self.kill_tree:
            self._kill(request)
        self._ended(request, code if code >= 0 else 128 - code)

    def _ended(self, request: Request, code: int) -> None:
        self.send(ENDED, request.number, struct.pack("<BB", code, 0))
        request.ended.set()

    def _start(self, request: Request) -> list:
        environment = dict(os.environ, TERM=request.terminal or "dumb")
        environment.update(item.decode().split("=", 1) for item in request.environment)
        directory = request.directory or str(self.folder)
        if request.flags & TTY:
            master, slave = os.openpty()
            if request.rows:
                fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", request.rows, request.columns, 0, 0))

            def terminal() -> None:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

            return self._spawn(request, environment, directory, [slave, slave, slave], [master], terminal)
        ours, theirs = [], []
        for index, flag in enumerate((STDIN, STDOUT, STDERR)):
            if request.flags & flag:
                read, write = os.pipe()
                theirs.append(read if index == 0 else write)
                ours.append(write if index == 0 else read)
            else:
                theirs.append(os.open("/dev/null", os.O_RDWR))
        return self._spawn(request, environment, directory, theirs, ours, None)

    @staticmethod
    def _spawn(request: Request, environment: dict, directory: str, theirs: list, ours: list, before) -> list:
        try:
            request.process = subprocess.Popen(request.arguments, stdin=theirs[0], stdout=theirs[1], stderr=theirs[2], env=environment,
                                               cwd=directory, start_new_session=True, preexec_fn=before)
        except OSError:
            for fd in ours:
                os.close(fd)
            raise
        finally:
            for fd in set(theirs):
                os.close(fd)
        return ours
