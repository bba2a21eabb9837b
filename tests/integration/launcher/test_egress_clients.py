# SPDX-License-Identifier: Apache-2.0
"""Acceptance, row TE1: the programs people use, unmodified, unconfigured, and told of no proxy. Each reaches what the policy allows, and the audit names it."""
import glob
import os
import shutil
import subprocess
from pathlib import Path

import egress
import pytest
from egress import events, wait_for

from helpers import javascript

CLIENTS = javascript.CLIENTS
CACHE = Path(os.environ.get("NAVIGATOR_CACHE", "/var/cache/navigator"))
ADDRESS = "203.0.113.10"
PORTS = {"postgres": 5432, "redis": 6379, "websocket": 7000, "banner": 7001}
SSH_PORT = 22
POLICY = f"""
version: 1
filesystem_policy:
  read_only: [/usr, /lib, /etc, /proc]
  read_write: [/sandbox, /tmp, /dev/null]
process: {{run_as_user: sandbox, run_as_group: sandbox}}
network_policies:
  tools:
    endpoints: [{{host: tools.test, ports: [{SSH_PORT}, {", ".join(map(str, PORTS.values()))}]}}]
    binaries: [{{path: "/**"}}]
"""
WORLD = {"addresses": [f"{ADDRESS}/32"], "names": {"tools.test": [ADDRESS], "other.test": [ADDRESS]},
         "tcp": [[ADDRESS, port, kind] for kind, port in PORTS.items()]}

SSHD = """\
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
"""


def key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@pytest.fixture(scope="module")
def pod(build, tmp_path_factory):
    pod = egress.start(build, tmp_path_factory.mktemp("clients"), WORLD, POLICY)
    yield pod
    egress.stop(pod)


def give(pod, path: Path, name: str, mode: int = 0o755) -> str:
    """A file for the session, at /sandbox/NAME."""
    target = pod.root / "sandbox" / name
    shutil.copy(path, target)
    target.chmod(mode)
    os.chown(target, 1000, 1000)
    return f"/sandbox/{name}"


def reached(pod, shell, argv, port: int, limit: int = 60) -> str:
    """What the program printed, once the audit has said that it was allowed and which program it was."""
    done = shell(*argv, limit=limit)
    assert done.code == 0, (done.out, done.err, pod.audit()[-3:])
    program = os.path.realpath(argv[0]) if not argv[0].startswith("/sandbox/") else argv[0]
    wanted = {"host": "tools.test", "port": str(port), "via": "transparent", "verdict": "allowed", "binary": program}
    wait_for(lambda: events(pod, **wanted))
    return done.out.decode()


def need(*candidates: str, package: str) -> str:
    for candidate in candidates:
        for path in sorted(glob.glob(candidate), reverse=True):
            return os.path.realpath(path)
    pytest.skip(f"{candidates[0]} is not installed: apt-get install {package}")


def test_TE1_psql(pod, shell):
    program = need("/usr/lib/postgresql/*/bin/psql", package="postgresql-client")
    out = reached(pod, shell, [program, "--no-psqlrc", "-At", "-c", "select 42", "host=tools.test user=me dbname=mine"], PORTS["postgres"])
    assert out == "42\n"


def test_TE1_redis(pod, shell):
    program = need("/usr/bin/redis-cli", package="redis-tools")
    assert reached(pod, shell, [program, "-h", "tools.test", "ping"], PORTS["redis"]) == "PONG\n"


def test_TE1_ssh(pod, shell, tmp_path):
    server = need("/usr/sbin/sshd", package="openssh-server")
    tmp_path.chmod(0o755)
    key(tmp_path / "host")
    identity = give(pod, key(tmp_path / "user"), "id", 0o600)
    (tmp_path / "sshd_config").write_text(SSHD.format(folder=tmp_path))
    Path("/run/sshd").mkdir(exist_ok=True)
    daemon = subprocess.Popen(["nsenter", "--net", "--target", str(pod.pause), server, "-D", "-e", "-f", tmp_path / "sshd_config",
                               "-o", f"ListenAddress={ADDRESS}:{SSH_PORT}"], stderr=subprocess.PIPE, text=True)
    try:
        assert "listening" in daemon.stderr.readline()
        options = ["-i", identity, "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
        out = reached(pod, shell, [need("/usr/bin/ssh", package="openssh-client"), *options, "root@tools.test", "echo over ssh"], SSH_PORT)
        assert out == "over ssh\n"
    finally:
        daemon.terminate()
        daemon.communicate()


def test_TE1_node_websocket(pod, shell):
    modules = javascript.installed() / "node_modules"
    shutil.copytree(modules / "ws", pod.root / "sandbox/node_modules/ws")
    script = give(pod, CLIENTS / "websocket.js", "websocket.js")
    program = need("/usr/bin/node", "/usr/local/bin/node", package="nodejs")
    assert reached(pod, shell, [program, script, f"ws://tools.test:{PORTS['websocket']}/", "through and back"], PORTS["websocket"]) == "through and back\n"


def test_TE1_java(pod, shell, tmp_path):
    program, compiler = (need(f"/usr/lib/jvm/java-*/bin/{name}", package="default-jdk-headless") for name in ("java", "javac"))
    for settings in glob.glob("/etc/java-*"):  # where Debian keeps what the run-time reads
        shutil.copytree(settings, pod.root / settings.lstrip("/"), dirs_exist_ok=True)
    subprocess.run([compiler, "-d", tmp_path, CLIENTS / "Connect.java"], check=True)
    give(pod, tmp_path / "Connect.class", "Connect.class")
    out = reached(pod, shell, [program, "-Xmx64m", "-cp", "/sandbox", "Connect", "tools.test", str(PORTS["banner"])], PORTS["banner"])
    assert out == "SSH-2.0-world\n"


def test_TE1_go(pod, shell, tmp_path):
    compiler = shutil.which("go") or need(str(CACHE / "go/bin/go"), package="golang-go")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOCACHE": str(CACHE / "go-build"), "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    subprocess.run(["nice", compiler, "build", "-o", tmp_path / "connect", CLIENTS / "connect.go"], env=environment, cwd=tmp_path, check=True)
    program = give(pod, tmp_path / "connect", "connect")
    assert reached(pod, shell, [program, f"tools.test:{PORTS['banner']}"], PORTS["banner"]) == "SSH-2.0-world\r\n"


def test_TE1_python(pod, shell):
    script = f"import socket; print(socket.create_connection(('tools.test', {PORTS['banner']}), 5).recv(100).decode().strip())"
    assert reached(pod, shell, ["/usr/bin/python3", "-c", script], PORTS["banner"]) == "SSH-2.0-world\n"


def test_TE1_TE2_the_same_programs_elsewhere(pod, shell):
    """A name that the policy does not have is no name, and says so at once."""
    for argv in (["/usr/bin/redis-cli", "-h", "other.test", "ping"], ["/usr/bin/ssh", "-F", "none", "other.test"],
                 ["/sandbox/connect", f"other.test:{PORTS['banner']}"]):
        if os.path.exists(argv[0]) or (pod.root / argv[0].lstrip("/")).exists():
            done = shell(*argv)
            assert done.code != 0 and (b"no such host" in done.err or b"not known" in done.err or b"not known" in done.out), (argv, done)
