# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 17: programs that have never heard of a proxy."""

import subprocess
import time

import egress
import outside
import pytest
from egress import curl, events, heard, wait_for


@pytest.fixture(scope="module")
def pod(build, tmp_path_factory):
    pod = egress.start(build, tmp_path_factory.mktemp("world"))
    yield pod
    egress.stop(pod)


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
