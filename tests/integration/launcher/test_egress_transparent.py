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


def test_TE3_N10_large_and_broken_questions(pod, shell):
    """Each over UDP and TCP; the next question is answered as ever."""
    script = """
import random,socket,struct,sys
random.seed(1)
def ask(tcp, q):
    s=socket.socket(socket.AF_INET,socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM);s.settimeout(.2);s.connect(('8.8.8.8',53))
    try:
        s.send((struct.pack('>H',len(q)) if tcp else b'')+q)
        return len(s.recv(65536))
    except OSError: return 0
head=struct.pack('>HHHHHH',7,0x100,1,0,0,0)
long=b''.join(bytes([63])+b'x'*63 for _ in range(60))
for tcp in (False,True):
    for q in (head+long+b'\\0\\0\\1\\0\\1', head+b'\\xc0\\x0c\\0\\1\\0\\1', head+b'a'*4096, b'', head[:5], head+random.randbytes(500),
              struct.pack('>HHHHHH',7,0x100,9,9,9,9)+b'\\3web\\4test\\0\\0\\1\\0\\1'):
        assert ask(tcp, q) <= 4096
print(ask(False, head+b'\\3web\\4test\\0\\0\\1\\0\\1') > 12)
"""
    done = shell("/usr/bin/python3", "-c", script, limit=30)
    assert done.out == b"True\n", (done.out, done.err)
    assert outside.queried(pod.folder).count("x" * 63) == 0


def test_TE5_addresses_are_configured(shell):
    done = shell("/usr/bin/python3", "-c", "import socket;print(socket.getaddrinfo('web.test',443,0,socket.SOCK_STREAM,0,socket.AI_ADDRCONFIG)[0][4])")
    assert b"'198." in done.out, done.err


def test_TE5_closed_ports_never_meet_themselves(shell):
    script = """
import errno,socket
refused=met=0
for i in range(60000):
    c=socket.socket(socket.AF_INET if i%2 else socket.AF_INET6,socket.SOCK_STREAM)
    r=c.connect_ex(('198.51.100.9' if i%2 else '2001:db8::9',32768+i//2%28232))
    refused+=r==errno.ECONNREFUSED
    met+=r==0
    c.close()
print(refused,met)
"""
    done = shell("/usr/bin/python3", "-c", script, limit=120)
    assert done.out == b"60000 0\n", (done.out, done.err)


def test_TE5_own_ports_beside_the_policys(shell):
    """5432 is a port of the policy, elsewhere; on the session's own loopback it is the session's."""
    script = """
import socket
for family, host in ((socket.AF_INET,'127.0.0.1'),(socket.AF_INET6,'::1')):
    s=socket.create_server((host,5432),family=family);c=socket.create_connection((host,5432));print(s.accept()[1][0])
print(socket.create_connection(('database.test',5432),5).recv(100))
"""
    done = shell("/usr/bin/python3", "-c", script)
    assert done.out.split() == [b"127.0.0.1", b"::1", rb"b'SSH-2.0-world\r\n'"], done


TAKE = """
import errno,socket
kinds={'tcp':socket.SOCK_STREAM,'udp':socket.SOCK_DGRAM}
for kind,family,host,port in (('tcp',4,'127.0.0.1',3128),('tcp',4,'0.0.0.0',3128),('tcp',4,'0.0.0.0',5432),('tcp',4,'0.0.0.0',8080),('tcp',6,'::',8080),
                              ('tcp',4,'127.0.0.1',53),('udp',4,'0.0.0.0',53),('udp',6,'::',53),('tcp',4,'0.0.0.0',443),('tcp',4,'127.0.0.1',80)):
    for option in (None,socket.SO_REUSEADDR,socket.SO_REUSEPORT):
        s=socket.socket(socket.AF_INET if family==4 else socket.AF_INET6,kinds[kind])
        if option: s.setsockopt(socket.SOL_SOCKET,option,1)
        if family==6: s.setsockopt(socket.IPPROTO_IPV6,socket.IPV6_V6ONLY,1)
        try:
            s.bind((host,port))
            if kind=='tcp': s.listen()
            print('taken',kind,host,port,option)
        except OSError as e: print(errno.errorcode[e.errno])
        s.close()
"""


def test_TE6_TE4_the_role_is_killed(pod, shell):
    gateway = shell.gateway
    program = "import socket;s=socket.create_connection(('database.test',5432));s.recv(50);print('up',flush=True)\ntry: print('end',s.recv(50))\nexcept OSError as e: print('end',e)"
    tunnel = gateway.start(["/usr/bin/python3", "-c", program], flags=0b1110)
    gateway.wait_started(tunnel)
    heard(pod, host="database.test", verdict="allowed")
    time.sleep(0.5)
    role = [pid for pid, (command, _) in pod.processes().items() if "navigator-egress" in command][0]
    begun, seen = time.monotonic(), len(events(pod, "process_ready", process="egress"))
    subprocess.run(["kill", "-9", str(role)], check=True)
    wait_for(lambda: len(events(pod, "process_ready", process="egress")) > seen, 2)
    assert time.monotonic() - begun < 1, "back within a second"
    assert curl(shell, "https://web.test/", proxy=False)[0] == 200
    gateway.pump(tunnel, b"", 0b1110, 5)
    assert b"up\nend" in tunnel.out, "the tunnel was not cut, or its session has ended with it"


def test_TE6_ports_stay_the_launchers(pod, shell):
    """Also while egress is not there to hold them: it is killed as often as it comes back."""
    for away in (False, True):
        if away:
            for pid, (command, _) in pod.processes().items():
                if "navigator-egress" in command:
                    subprocess.run(["kill", "-9", str(pid)], check=False)
        lines = shell("/usr/bin/python3", "-c", TAKE, limit=20).out.decode().split("\n")[:-1]
        assert len(lines) == 30 and set(lines) <= {"EADDRINUSE", "EACCES"}, lines
        assert lines[:15] == ["EADDRINUSE"] * 15, "ports that a session may bind where they are free"
    wait_for(lambda: curl(shell, "https://web.test/", proxy=False)[0] == 200)


SERVER = """
import os,socket,sys
path='/data/workload.sock'
servers=[socket.socket(socket.AF_UNIX) for _ in range(2)]
servers[0].bind(path); os.chmod(path,0o777); servers[1].bind('\\0workload')
for s in servers: s.listen()
print('ready',flush=True)
sys.stdin.read()
"""


def test_TE7_unix_sockets_of_the_workload(pod, shell):
    """A path outside the policy: Landlock's matter from ABI 9 on, and named in the status below. An abstract one is of another network."""
    server = subprocess.Popen(["nsenter", "--all", "--target", str(pod.workload), "/usr/bin/python3", "-c", SERVER],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout.readline() == "ready\n"
        script = "import errno,socket,sys\ns=socket.socket(socket.AF_UNIX)\nr=s.connect_ex(sys.argv[1].replace('@',chr(0)))\nprint(errno.errorcode.get(r,'reached'))"
        abstract = shell("/usr/bin/python3", "-c", script, "@workload")
        assert abstract.out in (b"ECONNREFUSED\n", b"EPERM\n"), abstract
        session = shell("/usr/bin/python3", "-c", script, "/data/workload.sock")
        abi = next(line["landlock_abi"] for line in pod.audit() if line["event"] == "session_start")
        if abi >= 9:
            assert session.out == b"EACCES\n" and "unix-sockets" not in session.status
        else:
            assert session.out == b"reached\n" and "limits: unix-sockets" in session.status
    finally:
        server.communicate("")


def test_TE8_localhost_of_the_pod(pod, shell):
    assert curl(shell, "http://localhost:8080/", proxy=False)[0] == 200
    assert curl(shell, "http://127.0.0.1:8080/", proxy=False)[0] == 200
    assert curl(shell, "http://localhost:8080/")[0] == 200
    for url in ("http://localhost:9090/", "http://127.0.0.1:9090/", "http://[::1]:9090/", "http://127.0.0.2:9090/", "http://192.0.2.1:9090/"):
        assert curl(shell, url, proxy=False)[3] in (7, 52, 56), url
        assert curl(shell, url)[0] == 403, url
    assert curl(shell, "http://localhost:8443/", proxy=False)[3] in (7, 52, 56)
    assert heard(pod, reason="own_port", port="8443")
    assert curl(shell, "http://localhost:3128/", proxy=True)[0] == 403
