# SPDX-License-Identifier: Apache-2.0
"""Nothing is left behind: the gateway under valgrind, a thousand sessions of every kind of end."""
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from helpers.launcher import Launcher
from helpers.remotecommand import Refused, Stream
from helpers.sanitizers import skip_with_sanitizers

SESSIONS = 1000


def one(launcher, number: int) -> None:
    client = launcher.client() if number % 2 else launcher.local_client()
    kind = number % 10
    if kind == 0:
        assert client.exec(["sh", "-c", "exit 7"]).code == 7
    elif kind == 1:
        assert client.exec(["cat"], data=b"x" * 50_000).stdout == b"x" * 50_000
    elif kind == 2:
        assert client.open(["sh", "-c", "stty size; exit 3"], tty=True, stdin=True).finish().code == 3
    elif kind == 3:
        client.open(["sleep", "100"]).drop()
    elif kind == 4:
        assert client.exec(["/no/such/program"]).code == 127
    elif kind == 5:
        with pytest.raises(Refused):
            client.exec([""])
    elif kind == 6:
        stream = client.open(["cat"], stdin=True)
        stream.stdin(b"x" * 100_000)
        stream.drop()
    elif kind == 7:
        client.connect().close()
    else:  # channels to a port that answers, and to one that does not
        lines = {"Host": "x", "Authorization": f"Bearer {launcher.token}", "Sec-WebSocket-Protocol": "v4.channel.k8s.io"}
        stream = Stream(client.connect(), f"/api/v1/namespaces/default/pods/demo/portforward?ports={launcher.port},1", lines)
        stream.send(0, b"GET / HTTP/1.1\r\n")
        if number % 3:
            stream.read()
        stream.drop()


def descriptors(launcher) -> int:
    return len(list(Path(f"/proc/{launcher.process.pid}/fd").iterdir()))


def test_a_thousand_sessions_leave_nothing(programs, tmp_path):
    skip_with_sanitizers(programs, "valgrind and sanitizers exclude each other; LeakSanitizer watches this build instead")
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    report = tmp_path / "valgrind.log"
    command = ["valgrind", "--track-fds=yes", "--leak-check=full", "--errors-for-leak-kinds=definite,possible", f"--log-file={report}"]
    launcher = Launcher(programs / "navigator-gateway-unconfined", tmp_path, command=command)
    with launcher:
        before = descriptors(launcher)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: one(launcher, number), range(SESSIONS)))
        assert len(launcher.requests) > SESSIONS // 2
        # What is only freed at the end would not be found at the end.
        deadline = time.monotonic() + 20
        while descriptors(launcher) > before:
            assert time.monotonic() < deadline, f"{descriptors(launcher)} descriptors, {before} before"
            time.sleep(0.2)
    text = report.read_text()
    assert launcher.exit_code == 0, text
    assert "ERROR SUMMARY: 0 errors" in text, text
    assert "in use at exit: 0 bytes in 0 blocks" in text, text
    # The standard three and the socket of the launcher; valgrind's log is its own.
    opened = [line for line in text.splitlines() if "Open file descriptor" in line or re.search(r"Open AF_\w+ socket", line)]
    assert len([line for line in opened if not re.search(r"(descriptor|socket) [0-3]:", line)]) <= 1, text
