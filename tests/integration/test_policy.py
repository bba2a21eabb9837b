# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 10: a policy is right or refused; `navigator policy check` says what the hook says."""
import subprocess

import pytest

from helpers.policies import POL
from local.progress import Failure


@pytest.fixture
def check(programs, tmp_path):
    def run(text, name: str = "policy.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return subprocess.run([programs / "navigator", "policy", "check", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=20, check=False)
    return run


def assert_refused(result, *texts):
    assert result.returncode == 1, result
    assert ".yaml:" in result.stderr
    for text in texts:
        assert text in result.stderr


def test_V_good_policies_are_accepted(check):
    result = check(POL)
    assert (result.returncode, result.stderr) == (0, "")


def test_V1_root_traversal_broad(check):
    assert_refused(check(POL.replace("run_as_user: sandbox", "run_as_user: root")), "root", "run_as_user must be 'sandbox'")
    assert_refused(check(POL.replace("- /app", "- /usr/../etc/shadow")), "path contains '..' traversal component: '/usr/../etc/shadow'")
    assert_refused(check(POL.replace("- /tmp", "- /")), "read-write path is overly broad: '/'")


@pytest.mark.parametrize("text, position", [
    ("version: 1\nfilesystem_polic:\n  read_only: []\n", ":2:1: "),
    ("version: 1\nfilesystem_policy:\n  read_onyl: []\n", ":3:3: "),
    ("version: 2\n", ":1:10: "),
    ("landlock:\n  compatibility: best_effort\n", ":1:1: "),
    ("version: 1\nversion: 1\n", ":2:1: "),
    ("version: one\n", ":1:10: "),
    ("- version\n", ":1:1: "),
])
def test_V2_unknown_keys_and_versions(check, text, position):
    assert_refused(check(text), position)


def paths(*items) -> str:
    return "version: 1\nfilesystem_policy:\n  read_only:\n" + "".join(f"    - {item}\n" for item in items)


def test_V3_paths(check):
    assert_refused(check(paths("usr")), ":4:7: ", "path must be absolute (start with '/'): 'usr'")
    assert_refused(check(paths(*(f"/p{number}" for number in range(257)))), "too many filesystem paths (257 > 256)")
    assert_refused(check(paths("/" + "a" * 4097)), ":4:7: ")
    assert_refused(check(paths('"/usr\\0/x"')), ":4:")
    assert_refused(check(paths("/usr") + "#" * (256 * 1024)))


@pytest.mark.parametrize("text", [
    b"a: &a [x]\nb: *a\n",
    b"version: 1\n\tlandlock: {}\n",
    b"version: 1\n# \xff\xfe\n",
    b"version: 1\n---\nversion: 1\n",
    b"".join([b"a0: &a0 [x]\n", *(b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 9))]),
    b"[" * 10000,
])
def test_V5_hostile_yaml(check, text):
    assert_refused(check(text))


def test_V6_bad_policy_no_container(pods):
    """podman's error carries the hook's line, and nothing of the workload has run."""
    with pytest.raises(Failure, match=r"[0-9a-f]+\.yaml:\d+:\d+: .*overly broad") as failure:
        pods.fresh(policy=POL.replace("- /tmp", "- /"))
    assert "hook" in str(failure.value)


def test_V6_missing_named_source(pods):
    def name_another(manifest):
        manifest["metadata"]["annotations"]["navigator.sandbox/policy"] = "node/nobody-wrote-this"
    with pytest.raises(Failure, match="nobody-wrote-this"):
        pods.fresh(change=name_another)


def test_V6_not_sandboxed_by_accident(pods):
    """An image policy that is named and missing does not fall through to the node's default."""
    def name_image(manifest):
        manifest["metadata"]["annotations"]["navigator.sandbox/policy"] = "image"
    with pytest.raises(Failure, match="image"):
        pods.fresh(change=name_image)
