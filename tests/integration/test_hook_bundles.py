# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 15: the hook under bare runtimes, with hostile images and states."""
import json
import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest

from helpers.bundle import Bundle, inode

POLICY = "version: 1\n# für jeden Pod\nprocess:\n  run_as_user: sandbox\n"
RUNTIMES = ["runc", "crun"]


def is_root() -> bool:
    return os.geteuid() == 0


pytestmark = [
    pytest.mark.skipif(not is_root(), reason="container runtimes and the hook run as root"),
    pytest.mark.skipif(not shutil.which("busybox"), reason="busybox-static is not installed"),
]


@pytest.fixture
def node(bare_node):
    bare_node.policy("default", POLICY)
    return bare_node


def tree(folder: Path) -> dict:
    """Every name below a folder, with what it is."""
    return {str(path.relative_to(folder)): (stat.S_IFMT(path.lstat().st_mode), path.lstat().st_size if path.is_file() else 0)
            for path in sorted(folder.rglob("*"))}


def our_mounts() -> list:
    """What of ours the node's own mount table has: never anything."""
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if " - tmpfs navigator " in line]


# --- HK1: containers that are not ours

def test_HK1_nothing_of_ours_is_needed(node, bundle):
    node.configuration.write_text("{ not JSON")
    shutil.rmtree(node.policies)
    container = bundle()
    container.annotations = {"example.com/x": "navigator.sandbox/inject"}
    result = container.shell("ls /etc; echo started")
    assert result.stdout.split() == ["group", "passwd", "started"]
    assert not node.run.exists()


def test_HK1_no_jail_stops_only_what_is_ours(node):
    """A rootless engine: no identity to drop to. The containers of others run all the same."""
    node.configuration.chmod(0o644)
    program = f"/tmp/navigator-hook-{os.getpid()}"  # where another uid may go
    shutil.copy(node.hook, program)
    try:
        for annotations, code in (({"example.com/x": "y"}, 0), ({"navigator.sandbox/inject": "true"}, 1)):
            result = subprocess.run(["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", program],
                                    input=json.dumps({"annotations": annotations}), capture_output=True, text=True, check=False)
            assert result.returncode == code, result.stderr
    finally:
        os.unlink(program)
    assert "cannot become uid" in result.stderr


KINDS = {"containerd": "io.kubernetes.cri.container-type", "cri-o": "io.kubernetes.cri-o.ContainerType"}


@pytest.mark.parametrize("engine", KINDS)
def test_HK1_pause_container(node, bundle, engine):
    node.configure(engine=engine)
    container = bundle()
    container.annotations[KINDS[engine]] = "sandbox"
    assert "navigator" not in container.shell("ls /etc").stdout


# --- HK7: what an author writes under an engine's keys

@pytest.mark.parametrize("engine, foreign", [("containerd", "cri-o"), ("cri-o", "containerd"), ("podman", "containerd"), ("podman", "cri-o")])
def test_HK7_nobody_is_a_pause_container_by_another_engines_word(node, bundle, engine, foreign):
    node.configure(engine=engine)
    container = bundle()
    container.annotations[KINDS[foreign]] = "sandbox"
    assert container.shell("cat /etc/navigator/policy.yaml").stdout == POLICY


@pytest.mark.parametrize("key", KINDS.values())
def test_HK7_an_engine_that_nobody_knows_is_not_believed(node, bundle, key):
    node.configure(engine=None)
    container = bundle()
    container.annotations[key] = "sandbox"
    result = container.run("echo", "ran")
    assert result.returncode != 0 and "ran" not in result.stdout and f"'{key}' is a container engine's" in result.stderr


def test_HK7_engine_by_the_place_of_the_bundle(node, bundle):
    """containerd's, though the node's configuration names no engine."""
    node.configure(engine=None)
    container = bundle()
    place = node.folder / "io.containerd.runtime.v2.task/k8s.io" / container.id
    place.parent.mkdir(parents=True)
    container.folder = container.folder.rename(place)
    container.annotations[KINDS["cri-o"]] = "sandbox"
    container.annotations["io.kubernetes.cri.sandbox-id"] = "pod-1"
    container.start()
    assert (node.pod("pod-1") / f"{container.id}.record").exists()


# --- HK2: the files

@pytest.mark.parametrize("stage", ["prestart", "createRuntime"])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_HK2_files_in_the_container(node, bundle, runtime, stage):
    container = bundle(runtime, stage)
    result = container.shell("cat /etc/navigator/policy.yaml; echo ===; cat /etc/navigator/proxy.env; echo ===; cat /proc/self/mountinfo; "
                             "for f in policy.yaml proxy.env new; do touch /etc/navigator/$f 2>&1; done; touch /etc/profile.d/zz-navigator.sh 2>&1; true")
    policy, environment, rest = result.stdout.split("===\n")
    assert policy == POLICY
    assert "HTTPS_PROXY=http://127.0.0.1:3128\n" in environment
    mounted = [line for line in rest.splitlines() if " /etc/navigator " in line]
    assert len(mounted) == 1 and " ro,nosuid,nodev,noexec" in mounted[0]
    assert rest.count("Read-only file system") == 4
    assert not our_mounts()
    # nothing but empty places to mount on was added to the image
    added = {name for name in tree(container.rootfs) if name.startswith(("etc/", "sandbox"))} - {"etc/passwd", "etc/group"}
    assert added == {"etc/navigator", "etc/profile.d", "etc/profile.d/zz-navigator.sh", "sandbox"}
    assert (container.rootfs / "etc/profile.d/zz-navigator.sh").stat().st_size == 0
    assert (container.rootfs / "etc/passwd").read_text() == "root:x:0:0:root:/root:/bin/sh\n"


def test_HK2_in_a_user_namespace(node, bundle):
    container = bundle()
    container.config["linux"]["namespaces"].append({"type": "user"})
    container.config["linux"]["uidMappings"] = container.config["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 200000, "size": 65536}]
    subprocess.run(["chown", "-R", "200000:200000", container.rootfs], check=True)
    container.folder.chmod(0o755)
    for folder in [container.folder, *container.folder.parents]:
        if os.stat(folder).st_mode & 0o001 == 0:
            folder.chmod(os.stat(folder).st_mode | 0o001)
    result = container.shell("stat -c '%n %u %g' /etc/navigator /etc/navigator/policy.yaml /etc/profile.d /etc/passwd /sandbox; id sandbox")
    assert result.stdout.splitlines() == [
        "/etc/navigator 0 0", "/etc/navigator/policy.yaml 0 0", "/etc/profile.d 0 0", "/etc/passwd 0 0", "/sandbox 64750 64750",
        "uid=64750(sandbox) gid=64750(sandbox) groups=64750(sandbox)"]
    assert (container.rootfs / "etc/navigator").stat().st_uid == 200000


def test_HK2_shared_root_is_refused(node, bundle):
    container = bundle()
    container.config["linux"]["rootfsPropagation"] = "rshared"
    result = container.run("true")
    assert result.returncode != 0 and "rootfsPropagation" in result.stderr


# --- PR7: stock images

@pytest.mark.parametrize("readonly", [False, True])
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_PR7_image_without_user_and_home(node, bundle, runtime, readonly):
    container = bundle(runtime)
    container.config["root"]["readonly"] = readonly
    (container.rootfs / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh")  # no newline at its end
    for _ in range(2):  # a second run finds what the first one left in the image's own layer
        result = container.shell("id sandbox; cat /etc/passwd; stat -c '%U %G %a' /sandbox; grep -c ' /sandbox ' /proc/mounts")
        assert result.stdout.splitlines() == [
            "uid=64750(sandbox) gid=64750(sandbox) groups=64750(sandbox)",
            "root:x:0:0:root:/root:/bin/sh", "sandbox:x:64750:64750:sandbox:/sandbox:/bin/sh", "sandbox sandbox 755", "1"]


def test_PR7_image_with_user_and_home_is_left_alone(node, bundle):
    container = bundle()
    (container.rootfs / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nsandbox:x:1000:1000::/sandbox:/bin/sh\n")
    (container.rootfs / "etc/group").write_text("sandbox:x:1000:\n")
    (container.rootfs / "sandbox").mkdir()
    (container.rootfs / "sandbox/file").touch()
    result = container.shell("grep -c -E ' /(sandbox|etc/passwd|etc/group) ' /proc/mounts; ls /sandbox", check=False)
    assert result.stdout.splitlines() == ["0", "file"]


def test_PR7_volume_at_home_is_left_alone(node, bundle, tmp_path):
    container = bundle()
    (tmp_path / "volume").mkdir()
    container.volume(tmp_path / "volume", "/sandbox", "rw")
    container.shell("touch /sandbox/written")
    assert (tmp_path / "volume/written").exists()


def test_PR7_image_without_etc(node, bundle):
    container = bundle()
    shutil.rmtree(container.rootfs / "etc")
    assert container.shell("cat /etc/passwd").stdout == "sandbox:x:64750:64750:sandbox:/sandbox:/bin/sh\n"


@pytest.mark.parametrize("passwd, group, reason", [
    ("sandbox:x:0:5::/:/bin/sh\n", "sandbox:x:5:\n", "is uid 0"),
    ("sandbox:x:5:5::/:/bin/sh\n", "sandbox:x:0:\n", "is gid 0"),
    ("taken:x:64750:5::/:/bin/sh\n", "", "'sandbox.uid' in the node configuration"),
    ("sandbox:x:64700:64700::/:/bin/sh\n", "sandbox:x:5:\n", "the uid of run_as_user is 64700"),
    ("sandbox:x:5:5::/:/bin/sh\n", "sandbox:x:64701:\n", "the gid of run_as_group is 64701"),
    ("sandbox:x:5:5::/:/bin/sh\n", "sandbox:x:5:\nours:x:64702:sandbox\n", "a group of run_as_user is 64702"),
    ("x" * (1024 * 1024 + 1), "", "'/etc/passwd' is larger than"),
])
def test_PR7_identity_that_is_refused(node, bundle, passwd, group, reason):
    container = bundle()
    (container.rootfs / "etc/passwd").write_text(passwd)
    (container.rootfs / "etc/group").write_text(group)
    result = container.run("true")
    assert result.returncode != 0 and reason in result.stderr


@pytest.mark.parametrize("uid", [64700, 64701, 64702])
def test_PR7_workload_with_the_uid_of_the_sidecar(node, bundle, uid):
    """It needs no capability to kill the launcher, a role or a keeper."""
    container = bundle()
    container.config["process"]["user"] = {"uid": uid, "gid": 1000}
    result = container.run("echo", "ran")
    assert result.returncode != 0 and "ran" not in result.stdout
    assert f"'process.user.uid' is {uid}" in result.stderr and "runAsUser" in result.stderr


# --- HK3, V6: policies

@pytest.mark.parametrize("text, reason", [
    ("version: 1\nbogus: 1\n", r"strict.yaml:2:1: "),
    ("version: 2\n", r"strict.yaml:1:10: "),
    (None, "the node has no"),
    ("version: 1\n#" + "x" * (257 * 1024), "is larger than 262144 bytes"),
    (b"version: 1\n# \xff\n", r"strict.yaml:2:"),
])
def test_HK3_bad_policy(node, bundle, text, reason):
    if text is not None:
        node.policy("strict", text)
    container = bundle()
    container.annotations["navigator.sandbox/policy"] = "node/strict"
    result = container.run("sh", "-c", "echo ran")
    assert result.returncode != 0 and "ran" not in result.stdout
    lines = [line for line in result.stderr.splitlines() if "navigator-hook" in line]
    assert lines and reason in lines[0]
    assert reason in node.log() and node.log().count("\n") == 1


def test_V6_named_sources_never_fall_through(node, bundle):
    for source in ("configmap/missing", "node/missing", "image"):
        container = bundle()
        container.annotations["navigator.sandbox/policy"] = source
        result = container.run("true")
        assert result.returncode != 0 and source in result.stderr


def test_V6_sources_of_a_pod_that_names_none(node, bundle):
    """The image's own before the node's default before the built-in one."""
    own = "version: 1\n# the image's\n"
    container = bundle()
    (container.rootfs / "etc/navigator").mkdir()
    (container.rootfs / "etc/navigator/policy.yaml").write_text(own)
    assert container.shell("cat /etc/navigator/policy.yaml").stdout == own
    node.configure(policy={"image": False})
    assert container.shell("cat /etc/navigator/policy.yaml").stdout == POLICY
    (node.policies / "default.yaml").unlink()
    assert container.shell("cat /etc/navigator/policy.yaml").stdout.endswith("version: 1\n")


def test_V6_image_source_can_be_switched_off(node, bundle):
    node.configure(policy={"image": False})
    container = bundle()
    container.annotations["navigator.sandbox/policy"] = "image"
    result = container.run("true")
    assert result.returncode != 0 and "lets no image bring its own policy" in result.stderr


def test_V6_a_volume_is_not_the_image(node, bundle, tmp_path):
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume/policy.yaml").write_text(POLICY)
    container = bundle()
    container.annotations["navigator.sandbox/policy"] = "image"
    container.volume(tmp_path / "volume", "/etc/navigator", "rw")
    result = container.run("true")
    assert result.returncode != 0 and "leads to another file system" in result.stderr


def test_V6_policy_of_a_config_map(node, bundle, tmp_path):
    """As kubelet lays a volume out: the key is a link to a link."""
    volume = tmp_path / "volume"
    (volume / "..2026").mkdir(parents=True)
    (volume / "..2026/policy.yaml").write_text("version: 1\n# of the ConfigMap\n")
    (volume / "..data").symlink_to("..2026")
    (volume / "policy.yaml").symlink_to("..data/policy.yaml")
    container = bundle()
    container.annotations["navigator.sandbox/policy"] = "configmap/web"
    container.volume(volume, "/run/navigator-policy", "ro")
    assert "of the ConfigMap" in container.shell("cat /etc/navigator/policy.yaml").stdout
    container.config["mounts"][-1]["options"] = ["rbind", "rw"]
    result = container.run("true")
    assert result.returncode != 0 and "readOnly: true" in result.stderr
    # a link out of the volume leads nowhere
    container.config["mounts"][-1]["options"] = ["rbind", "ro"]
    (volume / "policy.yaml").unlink()
    (volume / "policy.yaml").symlink_to(node.policies / "default.yaml")
    result = container.run("true")
    assert result.returncode != 0 and "has no 'policy.yaml'" in result.stderr


def test_V6_ceiling(node, bundle):
    (node.folder / "ceiling.yaml").write_text("version: 1\nbroken: 1\n")
    result = bundle().run("true")
    assert result.returncode != 0 and "ceiling.yaml:2:1: " in result.stderr


def test_K10_last_good_policy_of_a_pod(node, bundle, network, tmp_path):
    volume = tmp_path / "volume"
    volume.mkdir()
    good = "version: 1\n# good\n"
    (volume / "policy.yaml").write_text(good)
    keeper = bundle()
    keeper.join(network, "pod-1")
    keeper.start()
    container = bundle()
    container.join(network, "pod-1")
    container.call("app")
    container.annotations["navigator.sandbox/policy"] = "configmap/web"
    container.volume(volume, "/run/navigator-policy", "ro")
    assert container.shell("cat /etc/navigator/policy.yaml").stdout == good
    (volume / "policy.yaml").write_text("version: 1\nbad: 1\n")
    assert container.shell("cat /etc/navigator/policy.yaml").stdout == good
    assert "container 'app' keeps its last good policy: configmap/web/policy.yaml:2:1: " in node.log()
    container.join(network, "pod-2")
    result = container.run("true")
    assert result.returncode != 0 and "configmap/web/policy.yaml:2:1: " in result.stderr


# --- HK4

def test_HK4_two_registrations(node, bundle):
    container = bundle("runc", "prestart", "createRuntime")
    for stage in ("prestart", "createRuntime"):
        container.config["hooks"][stage] *= 2
    assert container.shell("grep -c 'tmpfs navigator' /proc/self/mountinfo").stdout == "5\n"  # the folder, three files, the home


# --- HK5: hostile images

def link_to(path: str, target: str):
    def make(rootfs: Path) -> None:
        place = rootfs / path
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)
    return make


def special(path: str, kind: int):
    def make(rootfs: Path) -> None:
        place = rootfs / path
        if place.is_dir():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == stat.S_IFDIR:
            place.mkdir()
        elif kind == stat.S_IFREG:
            place.write_text("x")
        else:
            os.mknod(place, kind | 0o666, os.makedev(1, 3))
    return make


HOSTILE = [
    *(link_to("etc", target) for target in ("usr", "/usr", "/", "..", "/proc/1/root", "/proc/self/root", "/proc", "/nowhere", "../../../../../..")),
    *(link_to("etc/navigator", target) for target in ("/", ".", "../usr", "/proc/1/root", "/proc/1/cwd", "/dev", "/nowhere", "/etc/navigator")),
    *(link_to("etc/navigator/policy.yaml", target) for target in ("/proc/kcore", "/proc/1/environ", "/proc/1/root/etc/shadow", "/dev/zero")),
    *(link_to("etc/profile.d", target) for target in ("/", "/proc/1/root/etc", "/nowhere")),
    *(link_to("etc/profile.d/zz-navigator.sh", target) for target in ("/bin/busybox", "/proc/1/root/etc/passwd", "/nowhere")),
    *(link_to("etc/passwd", target) for target in ("/bin/busybox", "/proc/1/environ", "/proc/1/root/etc/passwd", "/dev/zero", "/nowhere", "passwd")),
    *(special(path, kind) for path in ("etc", "etc/navigator", "etc/profile.d") for kind in (stat.S_IFREG, stat.S_IFIFO, stat.S_IFCHR)),
    *(special(path, kind) for path in ("etc/navigator/policy.yaml", "etc/profile.d/zz-navigator.sh", "etc/passwd", "etc/group")
      for kind in (stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK)),
    *(link_to("sandbox", target) for target in ("/", "/proc/1/root", "/nowhere")),
    *(special("sandbox", kind) for kind in (stat.S_IFREG, stat.S_IFIFO, stat.S_IFCHR)),
]


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_HK5_hostile_root(node, bundle, number, tmp_path):
    container = bundle()
    HOSTILE[number](container.rootfs)
    host = {path: inode(path) + (os.stat(path).st_mtime_ns,) for path in ("/etc", "/etc/passwd", "/etc/profile.d", "/usr", "/")}
    began = time.monotonic()
    result = container.run("sh", "-c", "cat /etc/navigator/policy.yaml")
    assert time.monotonic() - began < 5
    if result.returncode == 0:
        assert result.stdout == POLICY
    else:
        assert "navigator-hook: error: container " in result.stderr, result.stderr
        assert node.log().count("\n") == 1
    assert not our_mounts()
    assert {path: inode(path) + (os.stat(path).st_mtime_ns,) for path in host} == host
    assert not Path("/etc/navigator/policy.yaml").exists() or inode("/etc/navigator") != inode(container.rootfs)
    assert sorted(os.listdir(container.folder)) == ["config.json", "rootfs"]


@pytest.mark.parametrize("prefix", ["", "/proc/1/root", "../../../../../../../.."])
def test_HK5_a_link_reads_nothing_of_the_node(node, bundle, prefix):
    """A policy of the node that the pod was not given does not become its image's own by a link."""
    node.policy("secret", "version: 1\n# secret\n")
    container = bundle()
    (container.rootfs / "etc/navigator").mkdir()
    (container.rootfs / "etc/navigator/policy.yaml").symlink_to(f"{prefix}{node.policies}/secret.yaml")
    result = container.run("cat", "/etc/navigator/policy.yaml")
    assert "secret" not in result.stdout
    assert result.stdout == POLICY or "navigator-hook: error: " in result.stderr


@pytest.mark.parametrize("path", ["etc/passwd", "etc/group"])
@pytest.mark.parametrize("target", ["/proc/kmsg", "/proc/version", "/sys/kernel/uevent_seqnum"])
def test_HK5_a_link_reads_nothing_of_the_kernel(node, bundle, path, target):
    """The runtime masks such paths only after the hook; to stat(2) they are regular files."""
    container = bundle()
    container.config["mounts"].append({"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]})
    (container.rootfs / path).unlink()
    (container.rootfs / path).symlink_to(target)
    result = container.run("true")
    assert result.returncode != 0 and f"'/{path}' leads to a file system that keeps no files" in result.stderr


@pytest.mark.parametrize("destination, missing, files", [
    ("/etc", "navigator", ()), ("/etc", "profile.d", ("navigator/",)), ("/etc/profile.d", "zz-navigator.sh", ()),
])
def test_HK5_nothing_is_created_on_a_volume(node, bundle, tmp_path, destination, missing, files):
    volume = tmp_path / "volume"
    volume.mkdir()
    for name in files:
        (volume / name).mkdir()
    before = tree(volume)
    container = bundle()
    container.annotations["navigator.sandbox/policy"] = "node/default"
    container.volume(volume, destination, "rw")
    result = container.run("true")
    assert result.returncode != 0 and f"a volume of the pod covers it, and has no '{missing}'" in result.stderr
    assert tree(volume) == before


def test_HK5_a_volume_that_has_the_places(node, bundle, tmp_path):
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "zz-navigator.sh").touch()
    container = bundle()
    container.volume(volume, "/etc/profile.d", "rw")
    assert "NO_PROXY" in container.shell("cat /etc/profile.d/zz-navigator.sh").stdout
    assert (volume / "zz-navigator.sh").stat().st_size == 0


# --- HK6

def test_HK6_environment_of_the_runtime_and_the_image(node, bundle):
    container = bundle()
    hostile = [f"{name}=/tmp/evil.so" for name in ("LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "GCONV_PATH", "BASH_ENV", "ENV", "OPENSSL_CONF",
                                                   "LOCPATH", "NLSPATH", "HOSTALIASES", "RESOLV_HOST_CONF", "MALLOC_TRACE", "TMPDIR")]
    container.config["process"]["env"] += hostile
    container.config["hooks"]["prestart"][0]["env"] = [*hostile, "LANG=de_DE.UTF-8", "GLIBC_TUNABLES=glibc.malloc.check=3"]
    assert container.shell("cat /etc/navigator/policy.yaml").stdout == POLICY


def test_HK6_is_static_and_looks_nothing_up(programs):
    hook = programs / "navigator-hook"
    headers = subprocess.run(["readelf", "--wide", "--program-headers", "--dynamic", hook], capture_output=True, text=True, check=True).stdout
    if "libasan" in headers:
        pytest.skip("a build with sanitizers cannot be static")
    assert "INTERP" not in headers and "NEEDED" not in headers
    symbols = subprocess.run(["nm", "--defined-only", hook], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1] for line in symbols.splitlines() if line}
    looking_up = {name for name in names if name.startswith(("__nss_", "_nss_", "getpw", "getgr", "getaddrinfo", "gethostby", "initgroups"))}
    assert not looking_up, "the name service switch is linked in"


# --- HK7, HK8: states

INJECT = {"navigator.sandbox/inject": "true"}


def state(container: Bundle, process: int, **more) -> dict:
    return {"ociVersion": "1.0.2", "id": container.id, "status": "creating", "pid": process, "bundle": str(container.folder),
            "annotations": dict(INJECT)} | more


@pytest.mark.parametrize("key, value", [
    ("navigator.sandbox/policy", "node/" + "a" * 256 * 1024), ("navigator.sandbox/policy", "node/a\nb"), ("navigator.sandbox/policy", "node/a\0b"),
    ("navigator.sandbox/policy", "node/\"a\""), ("navigator.sandbox/policy", "node/ä"), ("navigator.sandbox/policy", "../x"),
    ("navigator.sandbox/policy", "node/../x"), ("navigator.sandbox/container", ""), ("navigator.sandbox/enject", "true"),
    ("navigator.sandbox/inject", "yes"), ("navigator.sandbox/inject", "True"),
])
def test_HK7_annotations(node, bundle, key, value):
    container = bundle()
    container.annotations[key] = value
    result = container.run("true")
    assert result.returncode != 0 and key in result.stderr, result.stderr
    assert key in node.log()


def test_HK7_invalid_text(node):
    result = node.feed(b'{"id": "c", "annotations": {"navigator.sandbox/policy": "\xff"}}')
    assert result.returncode == 1 and b"navigator.sandbox/policy" in result.stderr


@pytest.mark.parametrize("text", [
    b"", b"{", b'{"annotations": {"navigator.sandbox/inject": "tr', b"[]", b"7", b"null", b'{"annotations": 7}',
    b'{"annotations": {"navigator.sandbox/inject": "true"}, "annotations": {}}', b"{}" + b" " * (10 * 1024 * 1024), b"[" * 100000,
], ids=range(10))
def test_HK8_texts_that_are_no_state(node, text):
    result = node.feed(text)
    assert result.returncode == 1
    assert result.stderr.startswith(b"navigator-hook: error: ") and result.stderr.count(b"\n") == 1
    assert node.log().count("\n") == 1


@pytest.mark.parametrize("change, reason", [
    ({"pid": 0}, "'pid'"), ({"pid": None}, "'pid'"), ({"pid": "1"}, "'pid'"), ({"pid": -1}, "'pid'"), ({"pid": 4194304}, "process"),
    ({"id": ""}, "'id'"), ({"id": "../x"}, "'id'"), ({"bundle": "relative"}, "'bundle'"), ({"bundle": "/nowhere"}, "has no config.json"),
    ({"status": "running"}, "'status'"),
])
def test_HK8_states_that_are_wrong(node, bundle, change, reason):
    container = bundle()
    container._write(["true"])
    result = node.feed(state(container, os.getpid(), **change))
    assert result.returncode == 1 and reason in result.stderr.decode(), result.stderr
    assert result.stderr.count(b"\n") == 1


def test_HK8_process_of_another_container(node, bundle):
    one, other = bundle(), bundle()
    one._write(["true"])
    pid = other.start()
    result = node.feed(state(one, pid))
    assert result.returncode == 1 and b"is not the init of the container" in result.stderr, result.stderr
    result = node.feed(state(one, os.getpid()))
    assert result.returncode == 1, "a process of the node is no container"
    assert not list(node.run.glob(f"pods/*/{one.id}.record"))


# --- registrations

def test_print_config(programs):
    hook = programs / "navigator-hook"
    for engine in ("podman", "crio"):
        printed = json.loads(subprocess.run([hook, "print-config", engine], capture_output=True, check=True).stdout)
        assert printed["hook"]["path"] == str(hook.resolve()) and printed["stages"] == ["createRuntime", "poststop"]
        installed = json.loads((Path(__file__).resolve().parents[2] / "hook/hooks.d/navigator.json.in").read_text())
        installed["hook"]["path"] = printed["hook"]["path"]
        assert installed == printed
    printed = subprocess.run([hook, "print-config", "containerd-spec"], input=b'{"ociVersion": "1.1.0"}', capture_output=True, check=True).stdout
    assert json.loads(printed)["hooks"]["createRuntime"][0]["timeout"] == 10
    assert b"base_runtime_spec" in subprocess.run([hook, "print-config", "containerd"], capture_output=True, check=True).stdout
    wrong = subprocess.run([hook, "print-config", "docker"], capture_output=True, check=False)
    assert wrong.returncode != 0 and wrong.stdout == b"" and b"'docker'" in wrong.stderr
