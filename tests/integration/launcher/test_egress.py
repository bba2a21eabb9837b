# SPDX-License-Identifier: Apache-2.0
"""Acceptance, sections 7 and 8, as a session meets them: the real launcher and navigator-egress in a pod of runc containers, a world of our
own outside."""

import json
import os
import subprocess
import time

import egress
import outside
import pytest
from egress import PUBLIC, curl, heard


@pytest.fixture(scope="module")
def pod(build, tmp_path_factory):
    pod = egress.start(build, tmp_path_factory.mktemp("world"))
    yield pod
    egress.stop(pod)


def test_N2_host_and_port_of_a_rule(pod, shell):
    assert curl(shell, "https://web.test/")[:2] == (200, 200)
    line = heard(pod, host="web.test", port="443", verdict="allowed", via="proxy")
    assert line["policy"] == "web" and line["binary"] == "/usr/bin/curl" and line["address"] == PUBLIC and line["container"] == "workload"
    assert curl(shell, "http://web.test/")[0] == 200


def test_N1_no_rule_is_403_and_says_what_is_missing(pod, shell):
    status, connect, body, code = curl(shell, "https://evil.test/")
    assert (connect, code) == (403, 56)
    body = json.loads(curl(shell, "http://evil.test/secret?token=1")[2])
    assert body["error"] == "policy_denied" and body["host"] == "evil.test" and body["binary"] == "/usr/bin/curl"
    assert body["missing_rule"]["new_rule"]["endpoints"] == [{"host": "evil.test", "port": 80}]
    line = heard(pod, host="evil.test", port="80", verdict="denied")
    assert line["reason"] == "no_host" and "token" not in json.dumps(line)
    assert "evil.test" not in outside.queried(pod.folder), "a name that no rule allows was asked for"


def test_N2_other_port_is_denied(shell):
    body = json.loads(curl(shell, "http://web.test:81/")[2])
    assert body["reason"] == "no_port" and body["allowed"]["ports"] == [80, 443]


def test_N3_rules_are_for_their_programs(pod, shell):
    body = json.loads(curl(shell, "http://git.test:443/")[2])
    assert body["reason"] == "no_binary" and body["allowed"]["binaries"] == ["/usr/bin/git"]
    assert curl(shell, "http://curl.test/")[0] == 200


def test_EG1_learning_lets_through_and_says_so(pod, shell):
    assert curl(shell, "http://learning.test/")[0] == 200
    assert heard(pod, host="learning.test", verdict="let_through")["reason"] == "no_binary"


def say(shell, text):
    """(status, body) of what the proxy answers to these bytes"""
    script = """
import socket,sys
s=socket.create_connection(('127.0.0.1',3128),5)
s.sendall(sys.stdin.buffer.read())
answer=b''
while data:=s.recv(65536): answer+=data
sys.stdout.buffer.write(answer)
"""
    done = shell("/usr/bin/python3", "-c", script, stdin=text.encode())
    head, _, body = done.out.decode().partition("\r\n\r\n")
    assert done.err == b"" and head, done
    return int(head.split()[1]), body


def test_N4_plain_request_to_what_no_rule_allows(shell):
    status, _, body, _ = curl(shell, "http://example.test/")
    assert status == 403 and json.loads(body)["reason"] == "no_host"


def test_N3_a_socket_that_nobody_holds(pod, shell):
    """It is on its way from one process to another: to find out that it is nobody's takes long where there are many descriptors, and that is not
    for the others to wait for."""
    script = """
import array, os, resource, socket, time
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
null = os.open('/dev/null', os.O_RDONLY)
ready, full = os.pipe()
for _ in range(72):
    if os.fork() == 0:
        try:
            while True: os.dup(null)
        except OSError:
            os.write(full, b'.')
            time.sleep(20)
            os._exit(0)
for _ in range(72): os.read(ready, 1)
ours, theirs = socket.socketpair()
for _ in range(40):
    s = socket.create_connection(('127.0.0.1', 3128), 5)
    s.sendall(b'CONNECT web.test:443 HTTP/1.1\\r\\n\\r\\n')
    ours.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [s.fileno()]))])
    s.close()
print('sent', flush=True)
time.sleep(20)
"""
    gateway = shell.gateway
    attacker = gateway.start(["/usr/bin/python3", "-c", script])
    try:
        gateway.wait_started(attacker)
        assert os.read(attacker.fds[1], 10) == b"sent\n"
        begin = time.monotonic()
        assert gateway.run(["true"]).code == 0
        assert time.monotonic() - begin < 2
        assert heard(pod, host="web.test", port="443", verdict="denied", reason="owner_gone")
    finally:
        gateway.stop(attacker)
        gateway.wait_ended(attacker)


@pytest.mark.parametrize("request_text, status", [
    ("GET https://web.test/ HTTP/1.1\r\nHost: web.test\r\n\r\n", 400), ("CONNECT web.test HTTP/1.1\r\n\r\n", 400),
    ("CONNECT web.test:443 HTTP/1.1\r\n" + "A: b\r\n" * 1500, 431), ("GET /" + "a" * 9000, 431),
    ("CONNECT database.test:5433 HTTP/1.1\r\n\r\n", 403), ("POST http://web.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
    # shapes that two readers could understand in two ways
    ("GET http://web.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n", 400), ("GET http://web.test/ HTTP/1.1\nHost: web.test\n\n", 400),
    ("GET http://web.test/ HTTP/1.1\r\nHost: web.test\r\n folded\r\n\r\n", 400),
    ("POST http://web.test/ HTTP/1.1\r\nHost: web.test\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    ("POST http://web.test/ HTTP/1.1\r\nHost: web.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("GET http://user:secret@web.test/ HTTP/1.1\r\nHost: web.test\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: web.test\r\n\r\n", 400),
])
def test_N5_N11_bad_requests(shell, request_text, status):
    code, body = say(shell, request_text)
    assert code == status, body
    if "https:" in request_text:
        assert json.loads(body)["detail"] == "Use CONNECT for HTTPS URLs"


def test_N6_ports_of_a_rule(shell):
    assert curl(shell, "http://web.test/")[0] == 200
    assert curl(shell, "https://web.test/")[1] == 200
    assert curl(shell, "https://web.test:8443/")[1] == 403
    assert curl(shell, "http://curl.test/")[0] == 200  # `port`, not `ports`
    assert curl(shell, "http://curl.test:81/")[0] == 403


def test_N11_upstream_that_does_not_answer(shell):
    assert curl(shell, "http://silent.test/")[0] == 502


def test_N7_wildcards(shell):
    assert curl(shell, "https://api.wild.test/")[:2] == (200, 200)
    assert curl(shell, "https://a.b.deep.test/")[:2] == (200, 200)
    assert curl(shell, "https://wild.test/")[1] == 403
    assert curl(shell, "https://deep.test/")[1] == 403
    assert curl(shell, "https://a.b.wild.test/")[1] == 403


def test_N3_a_connection_of_two_programs(pod, shell):
    """Every program may have this host; but nobody can say which of the two speaks."""
    script = """
import socket,subprocess,time
s=socket.socket()
other=subprocess.Popen(['/usr/bin/sleep','20'],pass_fds=[s.fileno()])
time.sleep(.3)
s.connect(('127.0.0.1',3128)); s.sendall(b'CONNECT web.test:443 HTTP/1.1\\r\\n\\r\\n')
print(s.recv(4096).decode()); other.kill()
"""
    done = shell("/usr/bin/python3", "-c", script, limit=30)
    assert b" 403 " in done.out and b"owner_ambiguous" in done.out, done
    assert heard(pod, reason="owner_ambiguous", verdict="denied")


@pytest.mark.parametrize("url, reason", [
    ("http://127.0.0.1/", "address_class"), ("http://metadata.test/", "address_class"), ("http://169.254.169.254/", "address_class"),
    ("http://loop.test/", "address_class"), ("http://mixed.test/", "address_class"), ("http://10.9.9.9:8080/", "address_not_listed"),
    ("http://10.2.0.5:8080/", None), ("http://10.1.2.3/", None), ("http://web.test/", None),
    ("http://listed.test/", None), ("http://unlisted.test/", "address_not_listed"), ("http://a.inside.test/", "address_private"),
    *((f"http://10.2.0.5:{port}/", "guarded_port") for port in (2379, 2380, 6443, 10250, 10255)),
    ("http://[::ffff:10.9.9.9]:8080/", "address_not_listed"), ("http://[fe80::1]/", "address_class"), ("http://[::ffff:127.0.0.1]:8080/", "address_class"),
    ("http://[64:ff9b::7f00:1]:8080/", "address_class"), ("http://[::]:8080/", "address_class"), ("http://0.0.0.0:8080/", "address_class"),
])
def test_S1_S2_S3_S5_S6_S7_addresses(pod, shell, url, reason):
    status, _, body, _ = curl(shell, url)
    if reason is None:
        assert status == 200
        return
    assert status == 403 and json.loads(body)["reason"] == reason
    if reason == "address_class":
        assert heard(pod, engine="ssrf", reason=reason)


@pytest.mark.parametrize("host", ["0x7f000001", "2130706433", "0177.0.0.1", "127.1", "127.0.0.1.", "1.2.3.4.5"])
def test_S6_numbers_are_no_names(shell, host):
    for text in (f"CONNECT {host}:80 HTTP/1.1\r\n\r\n", f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n"):
        assert say(shell, text)[0] in (400, 403)


def test_S5_a_name_that_becomes_another_address(pod, shell):
    """What was checked is what is connected to: one question for a connection, and the next connection is checked anew."""
    assert curl(shell, "http://rebind.test/")[0] == 200
    assert heard(pod, host="rebind.test", verdict="allowed")["address"] == PUBLIC
    assert sorted(outside.queried(pod.folder)).count("rebind.test") <= 2, "A and AAAA, once each"
    status, _, body, _ = curl(shell, "http://rebind.test/")
    assert status == 403 and json.loads(body)["reason"] == "address_class"


def test_N9_nothing_but_tcp(pod, shell):
    script = "import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.connect(('8.8.8.8',4433));s.send(b'x');import time;time.sleep(.1)\ntry: s.send(b'y')\nexcept OSError as e: print(e.errno)"
    assert shell("/usr/bin/python3", "-c", script).out.strip() == b"111"
    assert heard(pod, via="direct", protocol="udp", address="8.8.8.8", port="4433")
    assert b"111" in shell("/usr/bin/python3", "-c", script.replace("AF_INET", "AF_INET6").replace("8.8.8.8", "2001:db8::8")).out


def openssl(shell, server, name):
    options = ["-servername", name] if name else ["-noservername"]
    done = shell("/bin/sh", "-c", 'exec openssl s_client -brief "$@" </dev/null', "sh", "-connect", server, *options)
    return (done.out + done.err).decode()


def test_EG2_tls_server_names(pod, shell):
    assert "CONNECTION ESTABLISHED" in openssl(shell, "web.test:443", "web.test")
    assert "access denied" in openssl(shell, "web.test:443", "evil.test")
    assert heard(pod, engine="tls", reason="server_name", host="web.test")
    assert "access denied" in openssl(shell, "web.test:443", "")
    assert "CONNECTION ESTABLISHED" in openssl(shell, "skipped.test:443", "evil.test")


def test_EN14_the_workload_itself(pod):
    done = subprocess.run(["nsenter", "--all", "--target", str(pod.workload), "/usr/bin/curl", "-s", "--proxy", "http://127.0.0.1:3128", "http://curl.test/"],
                          capture_output=True, text=True, check=False)
    assert "head:GET / HTTP/1.1" in done.stdout, done
    assert heard(pod, via="pod-proxy", host="curl.test", verdict="allowed")["container"] == "workload"
    done = subprocess.run(["nsenter", "--all", "--target", str(pod.workload), "/usr/bin/curl", "-s", "--proxy", "http://127.0.0.1:3128", "http://evil.test/"],
                          capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["reason"] == "no_host"
