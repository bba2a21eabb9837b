# SPDX-License-Identifier: Apache-2.0
"""What becomes of the paths of a policy inside the workload's root."""

import os

import pytest

from runc_pod import POLICY


def run(make_pod, policy, argv=("true",), prepare=None, **settings):
    pod = make_pod(policy=policy, **settings)
    if prepare:
        prepare(pod)
    pod.start()
    return pod, pod.gateway().run(list(argv))


def test_ll2_missing_path_under_hard_requirement(make_pod):
    pod, session = run(make_pod, POLICY + ["--ro", "/no/such"], ["touch", "/sandbox/ran"])
    assert "hard_requirement" in session.refusal and "'/no/such'" in session.refusal
    assert not (pod.root / "sandbox/ran").exists()


def test_ll1_missing_path_under_best_effort(make_pod):
    _, session = run(make_pod, POLICY + ["--ro", "/no/such", "--best-effort"], ["sh", "-c", "touch /usr/x; ls /opt"])
    assert session.refusal is None and session.code != 0
    assert b"/usr/x" in session.err and b"Permission denied" in session.err
    assert "degraded: paths missing: 1" in session.status


def test_ll10_all_missing(make_pod):
    _, session = run(make_pod, ["--ro", "/no/such", "--ro", "/nor/this", "--best-effort", "--no-workdir"])
    assert "none of the paths" in session.refusal


def test_ll8_directory_of_root_is_a_rule(make_pod):
    _, session = run(make_pod, POLICY + ["--ro", "/root"], ["sh", "-c", "ls /root"])
    assert session.refusal is None and b"Permission denied" in session.err


def test_fs20_missing_writable_directory_is_created(make_pod):
    pod, session = run(make_pod, POLICY + ["--rw", "/data/new/deep"], ["touch", "/data/new/deep/x"])
    assert session.code == 0, session
    assert os.stat(pod.root / "data").st_uid == 0
    for path in ("data/new", "data/new/deep"):
        about = os.stat(pod.root / path)
        assert (about.st_uid, about.st_gid, about.st_mode & 0o777) == (1000, 1000, 0o755)


def test_fs19_symbolic_links(make_pod):
    def link(pod):
        (pod.root / "data/link").symlink_to("/opt")

    _, session = run(make_pod, POLICY + ["--ro", "/data/link"], ["cat", "/opt/readable"], link)
    assert session.out == b"not in the policy\n" and "links followed" in session.status
    _, session = run(make_pod, POLICY + ["--rw", "/data/link"], ["true"], link)
    assert "symbolic link" in session.refusal
    _, session = run(make_pod, POLICY + ["--rw", "/data/link/new"], ["true"], link)
    assert "symbolic link" in session.refusal


def test_ll3_device_files(make_pod):
    _, session = run(make_pod, POLICY, ["sh", "-c", "head -c4 /dev/urandom | wc -c; echo x > /dev/null"])
    assert session.out == b"4\n"


def test_fs13_workdir_read_only(make_pod):
    policy = [word for word in POLICY]
    policy[policy.index("/sandbox") - 1] = "--ro"
    _, session = run(make_pod, policy + ["--no-workdir"], ["touch", "/sandbox/x"])
    assert session.code == 1 and b"Permission denied" in session.err


def test_fs14_truncation_below_read_only(make_pod):
    program = (
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.truncate(b'/data/mine', 0), libc.open(b'/data/mine', os.O_RDONLY | os.O_TRUNC), libc.open(b'/data/mine', 3 | os.O_TRUNC))\n"
        "print(os.stat('/data/mine').st_size)\n"
    )

    def prepare(pod):
        (pod.root / "data/mine").write_text("content")
        os.chown(pod.root / "data/mine", 1000, 1000)

    _, session = run(make_pod, POLICY + ["--ro", "/data"], ["python3", "-c", program], prepare)
    assert session.out == b"-1 -1 -1\n7\n"


@pytest.mark.parametrize("identity", [["--uid", "0"], ["--gid", "0"], ["--group", "0"]])
def test_pr5_root_is_refused(make_pod, identity):
    pod = make_pod(handover=identity)
    pod.start()
    session = pod.gateway(wait=False).run(["true"])
    while session.refusal and "no sandboxed container" in session.refusal:
        session = pod.gateways[0].run(["true"])
    assert session.refusal and " 0" in session.refusal


def test_pr6_number_without_a_name(make_pod):
    _, session = run(make_pod, POLICY, ["sh", "-c", "id -u; echo $USER $HOME; pwd"], handover=["--uid", "4711", "--gid", "4711", "--user", "4711", "--home", ""])
    assert session.out == b"4711\n4711 /sandbox\n/\n"  # its /sandbox belongs to another


def test_limits_of_the_workload(make_pod):
    _, session = run(make_pod, POLICY, ["bash", "-c", "ulimit -Sn; ulimit -Hn; ulimit -Hc; ulimit -f"], handover=["--limit", "7:100:200", "--limit", "1:4096:4096"])
    assert session.out == b"100\n200\n0\n4\n"


def test_ex9_image_without_a_shell(make_pod):
    def prepare(pod):
        (pod.root / "bin").unlink()
        (pod.root / "bin").mkdir()

    pod, session = run(make_pod, POLICY, ["echo", "as given"], prepare)
    assert session.out == b"as given\n"
    session = pod.gateways[0].run([])
    assert session.code == 127 and "no shell" in session.refusal


def test_en13_image_with_sh_alone(make_pod):
    def prepare(pod):
        (pod.root / "bin").unlink()
        (pod.root / "bin").mkdir()
        (pod.root / "bin/sh").symlink_to("/usr/bin/dash")

    _, session = run(make_pod, POLICY, ["sh", "-c", "echo $SHELL $PROFILE_WAS_READ"], prepare)
    assert session.out == b"/bin/sh yes\n"


