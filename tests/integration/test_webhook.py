# SPDX-License-Identifier: Apache-2.0
"""The webhook by itself: the real program, asked as an API server asks and as nobody should. What it makes of pods in a cluster, beside the
mutating policy, is in e2e/kubernetes/test_webhook.py."""
import base64
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

ANNOTATED = {"navigator.sandbox/inject": "true"}
SETTINGS = {"sidecar": {"name": "navigator", "image": "example.org/sidecar:1"}, "volumes": [{"name": "navigator-gateway", "emptyDir": {}}],
            "proxyVariables": [{"name": "HTTP_PROXY", "value": "http://127.0.0.1:3128"}], "userNamespaces": True, "defaultContainer": False}
BODY_MAX = 2 << 20


def make_certificate(folder: Path, name: str) -> None:
    """tls.crt and tls.key, each replaced in one step."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / ".key", "-out", folder / ".crt"], check=True, capture_output=True)
    (folder / ".key").rename(folder / "tls.key")
    (folder / ".crt").rename(folder / "tls.crt")


class Webhook:
    def __init__(self, program: Path, folder: Path, command=()):
        self.folder = folder
        self.certificates = folder / "certificates"
        self.certificates.mkdir()
        make_certificate(self.certificates, "first")
        (self.certificates / "tls.key").chmod(0o644)
        (folder / "settings.json").write_text(json.dumps(SETTINGS))
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([*command, program, "--port", "0", "--settings", folder / "settings.json",
                                             "--certificates", self.certificates], stderr=log)
        self.port = int(self.wait_for_log(r"listening on port (\d+)")[1])

    def wait_for_log(self, pattern: str, seconds: float = 15) -> re.Match:
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.log.read_text())):
            assert self.process.poll() is None and time.monotonic() < end, self.log.read_text()
            time.sleep(0.02)
        return found

    def connect(self) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 10))

    def client(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)

    def ask(self, method="GET", path="/readyz", body=None, **fields) -> tuple:
        with contextlib.closing(self.client()) as client:
            client.request(method, path, body, fields)
            response = client.getresponse()
            return response.status, response.read().decode()

    def send(self, text: bytes) -> str:
        """Raw bytes; all that comes back until the end."""
        with self.connect() as connection:
            connection.sendall(text)
            return read_all(connection)

    def works(self) -> bool:
        code, text = self.ask("POST", "/mutate?timeout=5s", review(pod(ANNOTATED)))
        return code == 200 and "patch" in json.loads(text)["response"]

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)


def read_all(connection) -> str:
    data = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while piece := connection.recv(65536):
            data += piece
    return data.decode()


def pod(annotations: dict) -> dict:
    return {"metadata": {"name": "agent", "annotations": annotations}, "spec": {"containers": [{"name": "app"}]}}


def review(document, uid="one") -> str:
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": uid, "kind": {"group": "", "version": "v1", "kind": "Pod"}, "operation": "CREATE", "namespace": "n", "object": document}})


@pytest.fixture(scope="module")
def program(programs) -> Path:
    """Sanitizers need more system calls than the program keeps."""
    return programs / ("navigator-webhook-unconfined" if os.environ.get("NAVIGATOR_PRESET") == "asan" else "navigator-webhook")


@pytest.fixture(scope="module")
def webhook(program, tmp_path_factory):
    running = Webhook(program, tmp_path_factory.mktemp("webhook"))
    yield running
    assert running.process.poll() is None, running.log.read_text()
    running.close()


@pytest.fixture
def own_webhook(program, tmp_path):
    running = Webhook(program, tmp_path)
    yield running
    running.close()


def test_webhook_answers_reviews_one_after_another(webhook):
    """As an API server does, on one connection: annotated, plain, annotated."""
    with contextlib.closing(webhook.client()) as client:
        for uid, annotations in (("a", ANNOTATED), ("b", {}), ("c", ANNOTATED)):
            client.request("POST", "/mutate?timeout=5s", review(pod(annotations), uid), {"Content-Type": "application/json"})
            response = client.getresponse()
            answer = json.loads(response.read())["response"]
            assert (response.status, response.getheader("Content-Type"), answer["uid"], answer["allowed"]) == (200, "application/json", uid, True)
            assert ("patch" in answer) == bool(annotations)
    operations = json.loads(base64.b64decode(webhook_patch(webhook)))
    assert {"op": "add", "path": "/spec/initContainers/0", "value": SETTINGS["sidecar"]} in operations
    webhook.wait_for_log("pod n/agent gets a sandbox")


def webhook_patch(webhook) -> str:
    return json.loads(webhook.ask("POST", "/mutate", review(pod(ANNOTATED)))[1])["response"]["patch"]


def test_webhook_takes_a_review_in_pieces(webhook):
    body = review(pod(ANNOTATED)).encode()
    request = b"POST /mutate HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with webhook.connect() as connection:
        for i in range(0, len(request), 40):
            connection.sendall(request[i:i + 40])
            time.sleep(0.001)
        assert '"allowed":true' in read_all(connection)


def test_webhook_takes_a_large_pod(webhook):
    """As large as a Pod can be stored."""
    document = pod({**ANNOTATED, "large": "x" * (3 << 19)})
    assert webhook.ask("POST", "/mutate", review(document))[0] == 200


def test_webhook_health(webhook):
    assert webhook.ask("GET", "/livez") == (200, "ok\n")
    assert webhook.ask("GET", "/readyz") == (200, "ok\n")


BODY = review(pod(ANNOTATED))
WRONG = {
    "no_json": ("POST", "/mutate", "{", 400, "no JSON"),
    "no_review": ("POST", "/mutate", "{}", 400, "no AdmissionReview"),
    "empty": ("POST", "/mutate", "", 400, "no JSON"),
    "deep": ("POST", "/mutate", "[" * 60000, 400, "no JSON"),
    "many_values": ("POST", "/mutate", "[" + "[]," * 100000 + "[]]", 413, "more than 65536 values"),
    "elsewhere": ("POST", "/validate", BODY, 404, "/mutate"),
    "get": ("GET", "/mutate", None, 404, "/mutate"),
    "put": ("PUT", "/mutate", BODY, 404, "/mutate"),
}


@pytest.mark.parametrize("case", WRONG)
def test_webhook_refuses(webhook, case):
    method, path, body, code, words = WRONG[case]
    status, text = webhook.ask(method, path, body)
    assert status == code and words in text
    assert webhook.works()


@pytest.mark.parametrize("head, code", [
    (b"Content-Length: %d" % (BODY_MAX + 1), 413), (b"Content-Length: 1\r\nContent-Length: 2", 400), (b"Transfer-Encoding: chunked", 400),
    (b"Content-Length: x", 400), (b"X: " + b"y" * 40000, 413)], ids=["too_large", "two_lengths", "chunked", "no_number", "large_head"])
def test_webhook_refuses_before_the_body(webhook, head, code):
    answer = webhook.send(b"POST /mutate HTTP/1.1\r\nHost: h\r\n" + head + b"\r\n\r\n")
    assert answer.startswith(f"HTTP/1.1 {code} ") and "Connection: close" in answer
    assert webhook.works()


def test_webhook_does_not_wait_long(webhook):
    """For a handshake, the rest of a head, the rest of a body."""
    beginnings = (b"", b"POST /mutate HT", b"POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{")
    with contextlib.ExitStack() as stack:
        begun = time.monotonic()
        slow = [socket.create_connection(("127.0.0.1", webhook.port))] + [webhook.connect() for _ in beginnings]
        for connection, beginning in zip(slow[1:], beginnings):
            connection.sendall(beginning)
        for connection in slow:
            stack.enter_context(connection)
            connection.settimeout(9)
            assert read_all(connection) == ""
            assert 4 < time.monotonic() - begun < 8


def test_webhook_who_holds_a_place_for_nothing_makes_room(webhook):
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(("127.0.0.1", webhook.port), 10)) for _ in range(128)]
        begun = time.monotonic()
        assert webhook.works()
        assert time.monotonic() - begun < 3
        held[0].settimeout(3)
        assert held[0].recv(1) == b"", "the oldest one was let go"


def test_webhook_bodies_are_bounded(webhook, program):
    """Sixteen bodies but for their last bytes, where there is room for eight: the oldest went, and one who means it is served."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(webhook.connect()) for _ in range(16)]
        for connection in held:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                connection.sendall(b"POST /mutate HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % BODY_MAX + b" " * (BODY_MAX - 10))
        assert webhook.works()
        assert [is_open(connection) for connection in held] == [False] * 9 + [True] * 7
    if program.name == "navigator-webhook":
        most = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{webhook.process.pid}/status").read_text())[1])
        assert most < 64 << 10, f"{most} KiB"


def is_open(connection) -> bool:
    connection.settimeout(0.1)
    try:
        return connection.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def test_webhook_follows_its_certificate(own_webhook):
    def subject() -> str:
        text = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{own_webhook.port}"], input=b"", capture_output=True, check=False).stdout
        return re.search(rb"subject=CN ?= ?(\w+)", text)[1].decode()
    assert subject() == "first"
    (own_webhook.certificates / "tls.key").write_text("broken")
    own_webhook.wait_for_log("the certificate stays the one that was")
    assert subject() == "first"
    make_certificate(own_webhook.certificates, "second")
    own_webhook.wait_for_log("the certificate was replaced")
    assert subject() == "second"


def test_webhook_ends_without_leaving_anyone(own_webhook):
    own_webhook.process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    while own_webhook.ask("GET", "/readyz")[0] == 200:
        assert time.monotonic() - begun < 2
    assert own_webhook.works(), "requests still come for a moment"
    assert own_webhook.process.wait(10) == 0
    assert time.monotonic() - begun > 3


def test_webhook_gives_up_what_it_does_not_need(program):
    """As the user it runs as in a pod; pytest's own folders are root's alone."""
    if program.name != "navigator-webhook":
        pytest.skip("with sanitizers it gives up nothing")
    with tempfile.TemporaryDirectory(prefix="navigator-webhook-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        check_confinement(program, folder)


def check_confinement(program, folder):
    running = Webhook(program, folder, ["setpriv", "--reuid", "65532", "--regid", "65532", "--clear-groups"])
    assert running.works()
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    assert re.search(r"^NoNewPrivs:\t1$", status, re.M) and re.search(r"^Seccomp:\t2$", status, re.M)
    assert re.search(r"^CapEff:\t0+$", status, re.M)
    assert os.stat(f"/proc/{running.process.pid}/environ").st_uid == 0, "not dumpable"
    running.close()


@pytest.mark.parametrize("settings, words", [("{", "settings:1"), ("{}", "not this version's"), (None, "cannot open")])
def test_webhook_does_not_start_without_its_settings(program, tmp_path, settings, words):
    if settings is not None:
        (tmp_path / "settings.json").write_text(settings)
    done = subprocess.run([program, "--port=0", f"--settings={tmp_path}/settings.json", f"--certificates={tmp_path}"], capture_output=True, text=True,
                          timeout=10, check=False)
    assert done.returncode == 1 and words in done.stderr


def test_webhook_usage(program):
    def run(*arguments):
        return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=10, check=False)
    assert "--certificates" in run("--help").stdout and run("--version").stdout.startswith("navigator-webhook ")
    assert run("--port=65536").returncode == run("more").returncode == run("--nonsense").returncode == 2
