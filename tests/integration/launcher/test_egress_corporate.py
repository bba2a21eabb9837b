# SPDX-License-Identifier: Apache-2.0
"""A network whose only way out is a proxy of its own: the sidecar's HTTPS_PROXY, HTTP_PROXY and NO_PROXY, with real proxies."""
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import egress
import outside
import pytest
from egress import curl, heard

ADDRESS, PROXY, NEAR = "203.0.113.10", "10.8.8.8", "10.1.2.3"
PORT, SECRET = 8888, "keep-this-to-yourself"
POLICY = f"""
version: 1
filesystem_policy:
  read_only: [/usr, /lib, /etc, /proc]
  read_write: [/sandbox, /tmp, /dev/null]
process: {{run_as_user: sandbox, run_as_group: sandbox}}
network_policies:
  web:
    endpoints:
      - {{host: web.test, ports: [80, 443, 8443]}}
      - {{host: near.test, port: 5432}}
      - {{host: {NEAR}, port: 80}}
      - {{host: 127.0.0.1, port: 80}}
      - {{host: nowhere.test, port: 443}}
    binaries: [{{path: "/**"}}]
"""
WORLD = {"addresses": [f"{ADDRESS}/32", f"{PROXY}/32", f"{NEAR}/32"], "names": {"near.test": [ADDRESS]},
         "tcp": [[ADDRESS, 80, "http"], [ADDRESS, 443, "tls"], [ADDRESS, 8443, "tls"], [ADDRESS, 5432, "banner"], [NEAR, 80, "http"],
                 ["127.0.0.1", 80, "http"]]}
HOSTS = f"127.0.0.1 localhost\n{ADDRESS} web.test\n"  # what the proxy knows, and our own resolver does not


def tinyproxy(folder) -> list:
    (folder / "tinyproxy.conf").write_text(
        f"Port {PORT}\nListen {PROXY}\nTimeout 60\nLogFile \"{folder}/access\"\nLogLevel Connect\nConnectPort 443\nBasicAuth user {SECRET}\n")
    return ["tinyproxy", "-d", "-c", folder / "tinyproxy.conf"]


def squid(folder) -> list:
    folder.chmod(0o777)
    (folder / "squid.conf").write_text(
        f"http_port {PROXY}:{PORT}\nhosts_file {folder}/hosts\nacl secure port 443\nhttp_access deny CONNECT !secure\nhttp_access allow all\ncache deny all\n"
        f"access_log stdio:{folder}/access\nbuffered_logs off\ncache_log {folder}/log\npid_filename {folder}/pid\ncoredump_dir {folder}\n"
        "shutdown_lifetime 0 seconds\nmax_filedescriptors 1024\ndns_nameservers 127.0.0.1\n")
    return ["squid", "-N", "-f", folder / "squid.conf"]


class Proxy:
    def __init__(self, pod, folder, command):
        (folder / "hosts").write_text(HOSTS)
        self.log = folder / "access"
        self.process = subprocess.Popen(
            ["nsenter", "--net", "--target", str(pod.pause), "unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"',
             folder / "hosts", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        probe = ["nsenter", "--net", "--target", str(pod.pause), "python3", "-c", f"import socket;socket.create_connection(('{PROXY}',{PORT}),1)"]
        while subprocess.run(probe, capture_output=True, check=False).returncode:
            assert self.process.poll() is None and time.monotonic() < deadline, f"{command[0]} does not listen"
            time.sleep(0.1)

    def heard(self, text: str, seconds: float = 3) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.log.exists() and text in self.log.read_text():
                return True
            time.sleep(0.05)
        return False

    def end(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="module", params=[tinyproxy, squid], ids=["tinyproxy", "squid"])
def pod(build, tmp_path_factory, request):
    name = request.param.__name__
    if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin"):
        pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp("corporate")
    place = Path(tempfile.mkdtemp(prefix="navigator-corporate-"))  # squid becomes a user who cannot reach pytest's folders
    proxy = f"http://user:{SECRET}@{PROXY}:{PORT}"
    pod = egress.start(build, folder, WORLD, POLICY, sidecar_environment=[
        f"HTTPS_PROXY={proxy}", f"HTTP_PROXY={proxy}", "NO_PROXY=near.test,10.1.0.0/16"])
    pod.proxy = Proxy(pod, place, request.param(place))
    yield pod
    pod.proxy.end()
    egress.stop(pod)
    shutil.rmtree(place)


def test_EG3_tunnels_and_requests_go_through_the_networks_proxy(pod, shell):
    assert curl(shell, "https://web.test/")[:2] == (200, 200)
    assert pod.proxy.heard("CONNECT web.test:443")
    status, _, body, _ = curl(shell, "http://web.test/")
    assert status == 200 and SECRET not in body and "authorization" not in body.lower(), body
    assert pod.proxy.heard("GET http://web.test/")
    assert "web.test" not in outside.queried(pod.folder), "the proxy resolves, not we"
    assert heard(pod, host="web.test", port="443", verdict="allowed")["policy"] == "web"
    assert SECRET not in json.dumps(pod.audit()) + pod.log("sidecar")


def test_EG3_programs_without_settings_too(pod, shell):
    before = pod.proxy.log.read_text().count("CONNECT web.test:443")
    assert curl(shell, "https://web.test/", proxy=False)[0] == 200
    time.sleep(0.2)
    assert pod.proxy.log.read_text().count("CONNECT web.test:443") > before


def test_EG3_what_is_excepted_goes_directly(pod, shell):
    done = shell("/usr/bin/python3", "-c", "import socket;print(socket.create_connection(('near.test',5432),5).recv(100))")
    assert b"SSH-2.0-world" in done.out, done.err
    assert curl(shell, f"http://{NEAR}/")[0] == 200
    assert not pod.proxy.heard("near.test", 0.3) and not pod.proxy.heard(NEAR, 0.1)


def test_EG3_what_is_denied_does_not_reach_the_proxy(pod, shell):
    assert curl(shell, "https://evil.test/")[1] == 403
    status, _, body, _ = curl(shell, "http://127.0.0.1/")
    assert status == 403 and json.loads(body)["reason"] == "address_class"
    assert not pod.proxy.heard("evil.test", 0.3) and not pod.proxy.heard("127.0.0.1:80", 0.1) and not pod.proxy.heard("http://127.0.0.1/", 0.1)


def test_EG3_the_server_name_counts_as_ever(pod, shell):
    done = shell("/bin/sh", "-c", "exec openssl s_client -brief -connect web.test:443 -servername evil.test </dev/null")
    assert b"access denied" in done.out + done.err


def test_EG3_what_the_proxy_refuses_is_said(pod, shell):
    status, connect, body, _ = curl(shell, "https://web.test:8443/")
    assert connect == 502
    line = heard(pod, host="web.test", port="8443", reason="upstream_failed")
    assert "403" in line["detail"], line


def test_EG3_zz_a_proxy_that_is_gone(pod, shell):
    """Nothing goes around it."""
    pod.proxy.end()
    assert curl(shell, "https://web.test/")[1] == 502
