# SPDX-License-Identifier: Apache-2.0
"""The presets say what they promise; the development policy is the one that users of the original know."""
import json
import subprocess

import pytest

PRESETS = ("data-science", "development", "locked-down", "web-readonly")


@pytest.fixture
def policy(programs, tmp_path):
    """Runs a policy verb on a preset, with an index host of its own."""
    def run(name: str, verb: str, *arguments) -> subprocess.CompletedProcess:
        path = tmp_path / f"{name}.yaml"
        path.write_text(subprocess.run([programs / "navigator", "policy", "preset", name, "--python-index", "index.example"], stdout=subprocess.PIPE,
                                       text=True, timeout=20, check=True).stdout)
        return subprocess.run([programs / "navigator", "policy", verb, path, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    return run


@pytest.fixture
def shown(policy):
    def run(name: str) -> dict:
        return json.loads(policy(name, "show", "--output", "json").stdout)
    return run


def authored(document: dict, access: str) -> set:
    return {path["path"] for path in document["paths"] if path["origin"] == "author" and path["access"] == access}


def test_development_is_the_policy_that_people_know(shown):
    document = shown("development")
    assert authored(document, "read_only") == {"/usr", "/lib", "/proc", "/dev/urandom", "/app", "/etc", "/var/log"}
    assert authored(document, "read_write") == {"/sandbox", "/tmp", "/dev/null"}
    assert (document["run_as_user"], document["run_as_group"], document["landlock"]) == ("sandbox", "sandbox", "hard_requirement")
    networks = document["network_policies"]
    assert set(networks) == {"claude_code", "github_ssh_over_https", "nvidia_inference", "github_rest_api", "python_packages", "vscode"}
    packages = networks["python_packages"]
    assert {endpoint["host"] for endpoint in packages["endpoints"]} >= {"index.example", "github.com", "objects.githubusercontent.com", "api.github.com"}
    assert {port for endpoint in packages["endpoints"] for port in endpoint["ports"]} == {443}
    assert set(packages["binaries"]) == {*(f"/{home}/.venv/bin/{name}" for home in ("sandbox", "app") for name in ("python", "python3", "pip")),
                                         "/usr/local/bin/uv", "/sandbox/.uv/python/**"}


def test_development_keeps_git_from_pushing(policy):
    """Its rule for git is about requests: until they can be read, it is denied, and never host and port."""
    answer = policy("development", "explain", "github.com:443", "--binary", "/usr/bin/git")
    assert answer.returncode == 1
    assert "not inspectable" in answer.stdout


def test_locked_down_has_no_network(shown, policy):
    document = shown("locked-down")
    assert document["network_policies"] == {}
    assert document["landlock"] == "hard_requirement"
    assert authored(document, "read_write") == {"/tmp", "/dev/null"}
    for target in ("example.com:443", "10.0.0.1:80", "localhost:80"):
        assert policy("locked-down", "explain", target, "--binary", "/usr/bin/curl").returncode == 1


def test_web_readonly_is_two_programs_at_one_port(shown, policy):
    networks = shown("web-readonly")["network_policies"]
    assert {binary for network in networks.values() for binary in network["binaries"]} == {"/usr/bin/curl", "/usr/bin/wget"}
    assert {port for network in networks.values() for endpoint in network["endpoints"] for port in endpoint["ports"]} == {443}
    assert policy("web-readonly", "explain", "man7.org:443", "--binary", "/usr/bin/curl").returncode == 0
    assert policy("web-readonly", "explain", "man7.org:443", "--binary", "/usr/bin/python3").returncode == 1
    assert policy("web-readonly", "explain", "example.com:443", "--binary", "/usr/bin/curl").returncode == 1


def test_data_science_reaches_packages_and_the_notebook(policy):
    assert policy("data-science", "explain", "index.example:443", "--binary", "/sandbox/.venv/bin/pip").returncode == 0
    assert policy("data-science", "explain", "localhost:8888", "--binary", "/usr/bin/curl").returncode == 0
    assert policy("data-science", "explain", "localhost:8889", "--binary", "/usr/bin/curl").returncode == 1
    assert policy("data-science", "explain", "example.com:443", "--binary", "/sandbox/.venv/bin/pip").returncode == 1


@pytest.mark.parametrize("name", PRESETS)
def test_presets_write_no_system_directory(shown, name):
    """Nor do they run as anybody else, or let programs through that no rule names."""
    document = shown(name)
    assert authored(document, "read_write") <= {"/sandbox", "/tmp", "/dev/null", "/dev/shm"}
    assert document["run_as_user"] == "sandbox"
    assert all(endpoint["enforcement"] == "enforce" and endpoint["tls"] == "" for network in document["network_policies"].values()
               for endpoint in network["endpoints"])
