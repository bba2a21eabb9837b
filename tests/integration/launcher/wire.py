# SPDX-License-Identifier: Apache-2.0
"""The wire of sidecar/wire/wire.h as tests/helpers/wire-gateway.c passes it on: a client that says what a gateway would say."""

import array
import os
import select
import socket
import struct
import time
from dataclasses import dataclass, field

STARTED, REFUSED, ENDED, TARGETS, CONNECTED, CONNECT_REFUSED = 3, 4, 5, 6, 7, 8
SESSION_START, SESSION_STOP, CONNECT, AUDIT = 65, 66, 67, 73
TTY, STDIN, STDOUT, STDERR, LOGIN = 1, 2, 4, 8, 16
PIPES = STDIN | STDOUT | STDERR


def pack_text(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<I", len(data)) + data + b"\0"


def pack_list(texts):
    return struct.pack("<I", len(texts)) + b"".join(pack_text(text) for text in texts)


class Fields:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, form):
        (value,) = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def text(self):
        size = self.number("I")
        value = self.data[self.at : self.at + size].decode(errors="replace")
        self.at += size + 1
        return value

    def texts(self):
        return [self.text() for _ in range(self.number("I"))]


@dataclass
class Session:
    """What became of one: streams as bytes, the exit code, or why it was refused."""

    id: int
    fds: list = field(default_factory=list)
    number: int = 0
    status: str = ""
    out: bytes = b""
    err: bytes = b""
    code: int = None
    signalled: bool = False
    refusal: str = None
    step: str = None
    kind: int = 0


class Gateway:
    def __init__(self, path, limit=10):
        self.limit = limit
        self.sessions, self.targets, self.answers = {}, [], []
        self.next_id = int(time.monotonic() * 1000) & 0xFFFFFF
        deadline = time.monotonic() + limit
        while True:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self.socket.connect(path)
                return
            except OSError:
                self.socket.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def close(self):
        self.socket.close()

    def send(self, kind, number, fields=b""):
        data = struct.pack("<HHI", kind, 0, number) + fields
        self.socket.sendall(struct.pack("<I", len(data)) + data)

    def read(self, limit=None):
        """One message of the launcher, sorted into what it concerns. False when none came in time."""
        ready, _, _ = select.select([self.socket], [], [], self.limit if limit is None else limit)
        if not ready:
            return False
        size, ancillary, _, _ = self.socket.recvmsg(4, socket.CMSG_SPACE(24 * 4), socket.MSG_CMSG_CLOEXEC)
        if not size:
            raise EOFError("the gateway has gone")
        fds = array.array("i")
        for _, _, data in ancillary:
            fds.frombytes(data)
        (length,) = struct.unpack("<I", size)
        data = b""
        while len(data) < length:
            data += self.socket.recv(length - len(data))
        self.sort(data, list(fds))
        return True

    def sort(self, data, fds):
        kind, _, number = struct.unpack_from("<HHI", data)
        fields = Fields(data[8:])
        if kind == TARGETS:
            self.pod = (fields.text(), fields.text())
            self.targets = fields.texts()
            return
        if kind in (CONNECTED, CONNECT_REFUSED):
            self.answers.append(fds[0] if kind == CONNECTED else fields.text())
            return
        session = self.sessions.setdefault(number, Session(number))
        if kind == STARTED:
            session.number, session.status, session.fds = fields.number("Q"), fields.text(), fds
        elif kind == REFUSED:
            session.kind, session.code = fields.number("B"), fields.number("B")
            fields.number("I")
            session.step, session.refusal = fields.text(), fields.text()
        elif kind == ENDED:
            session.code, session.signalled = fields.number("B"), bool(fields.number("B"))

    def wait(self, done, limit=None):
        deadline = time.monotonic() + (self.limit if limit is None else limit)
        while not done():
            left = deadline - time.monotonic()
            if left <= 0 or not self.read(left):
                raise TimeoutError("the launcher did not answer in time")

    def wait_for_target(self, name="workload"):
        self.wait(lambda: name in self.targets)

    def start(self, argv, flags=PIPES | LOGIN, env=(), directory="", terminal="", container="", rows=0, columns=0):
        self.next_id += 1
        session = self.sessions[self.next_id] = Session(self.next_id)
        self.send(
            SESSION_START,
            session.id,
            struct.pack("<IHH", flags, rows, columns)
            + pack_text(container)
            + pack_text(directory)
            + pack_text(terminal)
            + pack_text("tester")
            + pack_text("unix")
            + pack_list(list(argv))
            + pack_list(list(env)),
        )
        return session

    def stop(self, session, reason="test"):
        self.send(SESSION_STOP, session.id, pack_text(reason))

    def wait_started(self, session, limit=None):
        self.wait(lambda: session.number or session.refusal is not None or session.code is not None, limit)

    def wait_ended(self, session, limit=None):
        self.wait(lambda: session.code is not None, limit)

    def run(self, argv, stdin=b"", limit=None, flags=PIPES | LOGIN, **options):
        """Runs to the end, feeding and draining the pipes or the terminal."""
        session = self.start(argv, flags=flags, **options)
        self.wait_started(session, limit)
        if session.refusal is None:
            self.pump(session, stdin, flags, limit)
            self.wait_ended(session, limit)
        return session

    def pump(self, session, stdin, flags, limit):
        fds = list(session.fds)
        deadline = time.monotonic() + (self.limit if limit is None else limit)
        sink = fds[0] if flags & TTY or flags & STDIN else None
        if flags & TTY:
            sources = {fds[0]: "out"}
        else:
            names = [name for flag, name in ((STDOUT, "out"), (STDERR, "err")) if flags & flag]
            sources = dict(zip(fds[1 if flags & STDIN else 0 :], names))
        if sink is not None and not stdin and not flags & TTY:
            os.close(sink)
            sink = None
        while sources and time.monotonic() < deadline:
            readable, writable, _ = select.select(
                list(sources) + [self.socket], [sink] if sink is not None and stdin else [], [], deadline - time.monotonic()
            )
            if writable:
                try:
                    stdin = stdin[os.write(sink, stdin[:65536]) :]
                except BrokenPipeError:
                    stdin = b""
                if not stdin and not flags & TTY:
                    os.close(sink)
                    sink = None
            for fd in readable:
                if fd is self.socket:
                    self.read(0)
                    if session.code is not None and not flags & TTY:
                        deadline = min(deadline, time.monotonic() + 0.2)  # what a leftover keeps open is not waited for
                    continue
                try:
                    data = os.read(fd, 65536)
                except OSError:
                    data = b""
                if not data:
                    os.close(fd)
                    del sources[fd]
                    continue
                setattr(session, sources[fd], getattr(session, sources[fd]) + data)
        for fd in sources:
            os.close(fd)
        if sink is not None and sink not in sources and not flags & TTY:
            os.close(sink)

    def connect(self, port):
        count = len(self.answers)
        self.send(CONNECT, 1, struct.pack("<H", port))
        self.wait(lambda: len(self.answers) > count)
        return self.answers[-1]
