# SPDX-License-Identifier: Apache-2.0
"""How a client gets into a pod: the API server's exec and port-forward, or the pod's own endpoint with a token. Bytes on a
WebSocket, so that a case sees what kubectl hides: the sub-protocol, the channels, the Status, the Close."""
import base64
import json
import socket
import ssl
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from conftest import TOP, Kubectl

sys.path.insert(0, str(TOP / "tests"))
from helpers.remotecommand import Refused, Result, Stream  # noqa: E402,F401 - the path comes first; handed on

ENDPOINT_PORT = 8443


class Road:
    """To one container of one pod. `context` is what TLS needs, `headers` what says who calls."""

    def __init__(self, address: tuple, server_name: str, context: ssl.SSLContext, headers: dict, base: str, container: str = ""):
        self.address, self.server_name, self.context, self.headers = address, server_name, context, headers
        self.base, self.container = base, container

    def connect(self) -> socket.socket:
        raw = socket.create_connection(self.address, timeout=30)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(raw, server_hostname=self.server_name)

    def open(self, argv, protocol="v5.channel.k8s.io", stdin=False, stdout=True, stderr=True, tty=False, container=None, login=True, verb="exec") -> Stream:
        chosen = self.container if container is None else container
        switches = (("stdin", stdin), ("stdout", stdout), ("stderr", stderr and not tty), ("tty", tty))
        query = [("command", word) for word in argv] + [(name, "true") for name, on in switches if on]
        query += [("container", chosen)] if chosen else []
        query += [] if login else [("login", "false")]
        target = f"{self.base}/{verb}?{urlencode(query)}"
        return Stream(self.connect(), target, {"Host": self.address[0], "Sec-WebSocket-Protocol": protocol, **self.headers})

    def run(self, argv, data: bytes = None, seconds=60, **options) -> Result:
        """To the end; `data` is the standard input."""
        stream = self.open(argv, stdin=data is not None, **options)
        if data is not None:
            stream.stdin(data)
            stream.stdin_end()
        return stream.finish(seconds)


def by_api_server(kubectl: Kubectl, pod: str, container: str) -> Road:
    """As the kubeconfig's user, whose credentials are a client certificate or a token."""
    config = json.loads(kubectl.run("config", "view", "--minify", "--raw", "-o", "json").stdout)
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    server = urlsplit(cluster["server"])
    context = ssl.create_default_context(cadata=blob(cluster, "certificate-authority").decode() or None)
    if blob(user, "client-certificate"):
        with tempfile.NamedTemporaryFile() as both:  # Python takes a key pair from a file alone
            both.write(blob(user, "client-certificate") + b"\n" + blob(user, "client-key"))
            both.flush()
            context.load_cert_chain(both.name)
    headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
    return Road((server.hostname, server.port or 443), server.hostname, context, headers,
                f"{server.path}/api/v1/namespaces/{kubectl.namespace}/pods/{pod}", container)


def by_endpoint(kubectl: Kubectl, pod: str, token: str, container: str = "") -> Road:
    """The pod's own listener, whose certificate is its own: what is proved here is not the server."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    address = kubectl.get("pod", pod)["status"]["podIP"]
    return Road((address, ENDPOINT_PORT), address, context, {"Authorization": f"Bearer {token}"},
                f"/api/v1/namespaces/{kubectl.namespace}/pods/{pod}", container)


def blob(section: dict, name: str) -> bytes:
    """A kubeconfig has a file's path or its bytes."""
    if f"{name}-data" in section:
        return base64.b64decode(section[f"{name}-data"])
    return Path(section[name]).read_bytes() if name in section else b""
