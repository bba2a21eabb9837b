# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 5: what a session finds in its environment."""
import subprocess

import pytest

from helpers import audit
from local.progress import Failure

PROXY = "http://127.0.0.1:3128"
DIRECT = "127.0.0.1,localhost,::1"
PROXY_VARIABLES = {
    **{name: PROXY for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "grpc_proxy")},
    "NO_PROXY": DIRECT, "no_proxy": DIRECT, "NODE_USE_ENV_PROXY": "1",
}
AUTHORITIES = "/etc/navigator/ca.pem"
BUNDLE = "/etc/navigator/ca-bundle.pem"
AUTHORITY_VARIABLES = {
    **{name: BUNDLE for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")},
    "NODE_EXTRA_CA_CERTS": AUTHORITIES, "DENO_CERT": AUTHORITIES,
}
KINDS = ({}, {"login": False}, {"tty": True})


def environment(pod, **options) -> dict:
    return dict(line.split("=", 1) for line in pod.run("env", **options).out.splitlines() if "=" in line)


def proxied(variables: dict) -> dict:
    return {name: value for name, value in variables.items() if name.lower().endswith("_proxy")}


def test_EN1_path_of_the_image_survives_the_login_shell(pod):
    assert pod.run("bash", "-c", "echo $PATH").out.startswith("/sandbox/.venv/bin:")
    assert pod.python("import sys; print(sys.prefix)").out == "/sandbox/.venv\n"


def test_EN5_path_has_the_images_tools_and_sbin(pod):
    """Debian's /etc/profile sets PATH anew, without sbin for a user; no file of the image puts it back."""
    for options in KINDS:
        path = environment(pod, **options)["PATH"].strip().split(":")
        assert {"/opt/tool/bin", "/usr/sbin", "/sbin", "/usr/bin"} <= set(path)
        assert path.index("/opt/tool/bin") < path.index("/usr/bin")


def test_EN6_image_and_pod_variables(pod):
    for login in (True, False):
        variables = environment(pod, login=login)
        assert (variables.get("FROM_IMAGE"), variables.get("FROM_POD")) == ("yes", "yes")


def test_EN7_nothing_of_ours(pod):
    for login in (True, False):
        variables = environment(pod, login=login)
        text = repr(variables)
        assert pod.node.credentials.token not in text
        assert not [name for name in variables if name.startswith(("KUBERNETES_", "LD_", "NAVIGATOR_"))], variables


def test_EN8_proxy_variables(pod):
    for options in KINDS:
        variables = environment(pod, **options)
        assert {name: variables.get(name) for name in PROXY_VARIABLES} == PROXY_VARIABLES
        assert set(proxied(variables)) <= set(PROXY_VARIABLES)
    settings = dict(line.split("=", 1) for line in pod.run("cat", "/etc/navigator/proxy.env").out.splitlines())
    assert settings == PROXY_VARIABLES


# Serves on a port of the session's own loopback, asks it for a page by curl, started by what stands for %s, and says the status.
LOCAL_SERVER = """
python3 -m http.server --bind 127.0.0.1 18080 >/dev/null 2>&1 &
python3 -c "
import socket, time
for _ in range(100):
    with socket.socket() as probe:
        if probe.connect_ex(('127.0.0.1', 18080)) == 0:
            break
    time.sleep(0.1)
"
for name in localhost 127.0.0.1; do
        %s curl --silent --output /dev/null --write-out '%%{http_code}\\n' http://$name:18080/
done
"""


def network_lines(pod) -> list:
    lines = (audit.flat(line) for line in pod.logs().splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == "network"]


def test_EN9_a_local_server_is_reached_directly(pods):
    pod = pods.fresh()
    assert pod.shell(LOCAL_SERVER % "").out.split() == ["200", "200"]
    assert network_lines(pod) == []
    # It is NO_PROXY that does it: without, the same request is the proxy's, and is refused.
    assert pod.shell(LOCAL_SERVER % "env -u NO_PROXY -u no_proxy").out.split()[0] == "403"
    assert [(line["verdict"], line["host"]) for line in network_lines(pod)][:1] == [("denied", "localhost")]


# A TLS server on the session's own loopback, with what /sandbox/server.pem has; then what curl and Python say of it.
TLS_SERVER = """
python3 -c "
import http.server, ssl
server = http.server.HTTPServer(('127.0.0.1', 18443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('/sandbox/server.pem')
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
" >/dev/null 2>&1 &
curl --silent --output /dev/null --retry 20 --retry-connrefused --retry-delay 1 https://localhost:18443/; echo $?
python3 -c "
import urllib.request
try:
    print(urllib.request.urlopen('https://localhost:18443/').status)
except OSError as error:
    print(error)
"
"""


class Authority:
    """A certificate authority, and a server it vouches for."""

    def __init__(self, folder):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2"]
        self.path, server = folder / "authority.pem", folder / "server.pem"
        self.openssl("req", "-x509", *key, "-subj", "/CN=the node's authority", "-keyout", folder / "authority.key", "-out", self.path)
        self.openssl("req", "-x509", *key, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=CA:FALSE",
                     "-CA", self.path, "-CAkey", folder / "authority.key", "-keyout", folder / "server.key", "-out", server)
        self.server = (folder / "server.key").read_bytes() + server.read_bytes()

    @staticmethod
    def openssl(*words) -> None:
        subprocess.run(["openssl", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def outcome(self, pod) -> list:
        """Of a visit to the server from a session."""
        assert pod.shell("cat > /sandbox/server.pem", data=self.server).code == 0
        return pod.shell(TLS_SERVER).out.split("\n")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def test_EN10_trust_is_the_images_where_the_node_adds_none(pod, authority):
    """Egress looks into no TLS: there is no authority of ours, and nothing to set."""
    for options in KINDS:
        assert not set(AUTHORITY_VARIABLES) & set(environment(pod, **options))
    curl, python = authority.outcome(pod)[:2]
    assert curl == "60" and "CERTIFICATE_VERIFY_FAILED" in python


def test_EN10_authorities_of_the_node(node, pods, authority):
    node.configure(certificate_authorities=str(authority.path))
    try:
        pod = pods.fresh()
    finally:
        node.configure()
    for options in KINDS:
        variables = environment(pod, **options)
        assert {name: variables.get(name) for name in AUTHORITY_VARIABLES} == AUTHORITY_VARIABLES
    settings = dict(line.split("=", 1) for line in pod.run("cat", "/etc/navigator/proxy.env").out.splitlines())
    assert settings == {**PROXY_VARIABLES, **AUTHORITY_VARIABLES}
    own, image = authority.path.read_bytes(), pod.run("cat", "/etc/ssl/certs/ca-certificates.crt").stdout
    assert pod.run("cat", AUTHORITIES).stdout == own
    assert pod.run("cat", BUNDLE).stdout == image + own
    assert pod.run("sh", "-c", f"echo >> {BUNDLE}").code != 0
    assert authority.outcome(pod)[:2] == ["0", "200"]


def test_EN10_the_bundle_that_the_image_names(node, pods, authority):
    """An image that knows better where its authorities are is believed; one that has none gets the node's."""
    node.configure(certificate_authorities=str(authority.path))
    try:
        named = pods.fresh(container={"env": [{"name": "SSL_CERT_FILE", "value": "/etc/hostname"}]})
    finally:
        node.configure()
    assert environment(named)["SSL_CERT_FILE"] == BUNDLE
    assert named.run("cat", BUNDLE).stdout == named.run("cat", "/etc/hostname").stdout.rstrip(b"\n") + b"\n" + authority.path.read_bytes()


def test_EN10_a_file_without_certificates_refuses_the_container(node, pods, tmp_path):
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("-----BEGIN PRIVATE KEY-----\n")
    node.configure(certificate_authorities=str(wrong))
    try:
        with pytest.raises(Failure) as refused:
            pods.fresh()
    finally:
        node.configure()
    assert f"the node's certificate authorities: '{wrong}' has no certificate in PEM" in str(refused.value)


def test_EN11_the_sandboxs_proxy_wins(pods):
    """What the pod's author or the image sets is for another network."""
    elsewhere = [{"name": name, "value": "http://proxy.invalid:8080"} for name in PROXY_VARIABLES if not name.lower().startswith("no")]
    pod = pods.fresh(container={"env": [*elsewhere, {"name": "NO_PROXY", "value": "*"}, {"name": "no_proxy", "value": "*"}]})
    for options in KINDS:
        variables = environment(pod, **options)
        assert {name: variables.get(name) for name in PROXY_VARIABLES} == PROXY_VARIABLES


def test_EN12_who_and_where(pod):
    for login in (True, False):
        variables = environment(pod, login=login)
        assert {name: variables.get(name) for name in ("HOME", "USER", "LOGNAME", "SHELL", "TERM")} == {
            "HOME": "/sandbox", "USER": "sandbox", "LOGNAME": "sandbox", "SHELL": "/bin/bash", "TERM": "dumb"}
    assert pod.run("pwd").out == "/sandbox\n"


def test_EN12_terminal(pod):
    assert pod.run("sh", "-c", "echo $TERM", tty=True).out.strip() not in ("", "dumb")
