# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 10: a policy is right or refused; `navigator policy check` says what the hook says."""
import json
import subprocess

import pytest

from local.build import TREE
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


@pytest.fixture
def show(programs, tmp_path):
    """The effective policy, as `show --output json` prints it."""
    def run(text: str) -> dict:
        (tmp_path / "shown.yaml").write_text(text)
        return json.loads(subprocess.run([programs / "navigator", "policy", "show", "--output", "json", tmp_path / "shown.yaml"],
                                         stdout=subprocess.PIPE, text=True, timeout=20, check=True).stdout)
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


def network(endpoint: str, binaries: str = "[{path: /usr/bin/curl}]") -> str:
    return f"version: 1\nnetwork_policies:\n  web:\n    endpoints: [{endpoint}]\n    binaries: {binaries}\n"


@pytest.mark.parametrize("endpoint, text", [
    ("{host: '*', port: 443}", "host wildcard '*' matches all hosts"),
    ("{host: '*.com', port: 443}", "TLD wildcard '*.com' is not allowed; use subdomain wildcards like '*.example.com' instead"),
    ("{host: a.example.com, port: 0}", "'port' must be a whole number from 1 to 65535, not 0"),
    ("{host: a.example.com, port: 65536}", "'port' must be a whole number from 1 to 65535, not 65536"),
    ("{host: a.example.com, port: 443, protocol: rest, access: full, rules: [{allow: {method: GET, path: /}}]}",
     "rules and access are mutually exclusive"),
    ("{host: a.example.com, port: 443, protocol: rest, rules: []}", "rules is empty"),
    ("{host: a.example.com, port: 443, allowed_ips: [169.254.0.0/16]}", "allowed_ips '169.254.0.0/16' has link-local addresses"),
])
def test_V4_endpoints(check, endpoint, text):
    assert_refused(check(network(endpoint)), ":4:", f"network policy 'web': {text}" if "'port'" not in text else text)


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


@pytest.mark.parametrize("path", sorted([*(TREE / "tests/data/policy/features").glob("*.yaml"), *(TREE / "policy/presets").glob("*.yaml")]),
                         ids=lambda path: path.stem)
def test_V7_policies_as_the_originals_users_write_them(check, path):
    result = check(path.read_text())
    assert result.returncode == 0, result.stderr


def test_LL6_a_typo_is_no_mode(check):
    assert_refused(check(POL.replace("hard_requirement", "hard-requirement")),
                   "unknown compatibility 'hard-requirement' (expected hard_requirement or best_effort); did you mean 'hard_requirement'?")


def test_LL7_requirements_about_nothing(check):
    assert_refused(check("version: 1\nfilesystem_policy: {include_workdir: false}\nlandlock: {compatibility: hard_requirement}\n"),
                   ":2:20: hard_requirement needs at least one path")


@pytest.mark.parametrize("user", ["root", "0", '"0"', "4294967295", "-1", "007", '" sandbox"'])
def test_PR5_never_root(check, user):
    assert_refused(check(f"version: 1\nprocess: {{run_as_user: {user}}}\n"),
                   ":2:24: run_as_user must be 'sandbox' or a numeric UID in range [1, 4294967294], got ")


def test_PR5_empty_is_the_default_and_said(check, show):
    text = 'version: 1\nprocess: {run_as_user: ""}\n'
    result = check(text)
    assert result.returncode == 0
    assert "'run_as_user' is empty, which means 'sandbox'" in result.stderr
    assert show(text)["run_as_user"] == "sandbox"


@pytest.mark.parametrize("endpoint, allowed", [
    ("{host: db.example.com, port: 5432, allowed_ips: [10.1.0.0/16]}", True),
    ("{port: 5432, allowed_ips: [10.1.0.0/16]}", True),
    ("{host: 10.1.2.3, port: 5432}", True),
    ("{port: 5432}", False),
    ("{host: '', port: 5432, allowed_ips: []}", False),
])
def test_S3_private_addresses_at_load(check, endpoint, allowed):
    assert (check(network(endpoint)).returncode == 0) == allowed


@pytest.mark.parametrize("text", ["127.0.0.0/8", "127.0.0.1", "169.254.169.254", "0.0.0.0", "0.0.0.0/0", '"::1"', '"fe80::/10"', '"::/0"',
                                  '"::ffff:127.0.0.1"', "224.0.0.1", "255.255.255.255"])
def test_S4_addresses_that_no_policy_allows(check, text):
    assert_refused(check(network(f"{{port: 80, allowed_ips: [{text}]}}")), "which are never connected to")


@pytest.mark.parametrize("protocol", ["rest", "websocket", "graphql", "sql"])
def test_L6_what_cannot_be_inspected_is_denied_and_said(check, programs, tmp_path, protocol):
    text = network(f"{{host: api.example.com, port: 443, protocol: {protocol}, access: full}}")
    result = check(text)
    assert result.returncode == 0
    assert f"api.example.com:443 is denied: not inspectable (protocol {protocol})" in result.stderr
    (tmp_path / "policy.yaml").write_text(text)
    result = subprocess.run([programs / "navigator", "policy", "explain", tmp_path / "policy.yaml", "api.example.com:443", "--binary",
                             "/usr/bin/curl"], stdout=subprocess.PIPE, text=True, timeout=20, check=False)
    assert result.returncode == 1
    assert result.stdout.startswith("denied: not inspectable: policy 'web' allows only some requests to api.example.com:443")


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
