# SPDX-License-Identifier: Apache-2.0
"""Python in a sandbox: rows EN1 to EN4 on the development image, under the policy that it brings, through the exec endpoint.

Packages come from the index that this machine's pip uses, by way of egress: every decision is read back from the audit.
"""
import yaml

from helpers import audit

IMAGE_PATH = "/sandbox/.venv/bin:/app/.venv/bin:/usr/local/bin:/usr/bin:/bin"
PROXY_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")

# Runs a program below one more Landlock domain, which handles an unrelated right (MAKE_SOCK) and thereby denies REFER: a domain that does
# not handle that right never grants it (landlock(7), ABI 2).
WITHOUT_REFER = """
import ctypes, os, sys
create_ruleset, restrict_self, make_socket = 444, 446, 1 << 9
call = ctypes.CDLL(None, use_errno=True).syscall
ruleset = call(create_ruleset, ctypes.byref(ctypes.c_uint64(make_socket)), ctypes.c_size_t(8), 0)
if ruleset < 0 or call(restrict_self, ruleset, 0) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[1], sys.argv[1:])
"""


def decisions(pod) -> list:
    """What egress decided for this pod, from its audit."""
    lines = (audit.flat(line) for line in pod.logs().splitlines() if line.startswith("{"))
    return [line for line in lines if line.get("event") == "network"]


def assert_from_the_index(pod, via: str = "proxy") -> None:
    """Something was fetched, all of it by the rule for Python packages, and nothing else was tried."""
    policy = yaml.safe_load(pod.run("cat", "/etc/navigator/policy.yaml").out)
    hosts = {endpoint["host"] for endpoint in policy["network_policies"]["python_packages"]["endpoints"]}
    found = decisions(pod)
    assert found and all(line["verdict"] == "allowed" and line["policy"] == "python_packages" and line["via"] == via for line in found), found
    assert {line["host"] for line in found} <= hosts


def succeeded(result) -> str:
    assert result.code == 0, result.out + result.err + result.message
    return result.out


def test_EN1_path_order(development):
    """The writable environment first, then the image's, then the system; and what is named there is what runs."""
    for options in ({}, {"login": False}, {"tty": True}):
        assert succeeded(development.run("bash", "-c", "echo $PATH", **options)).strip() == IMAGE_PATH
        assert succeeded(development.run("python", "-c", "import sys; print(sys.prefix)", **options)).strip() == "/sandbox/.venv"
        assert succeeded(development.run("sh", "-c", "echo $VIRTUAL_ENV $UV_PYTHON_INSTALL_DIR", **options)).strip() == "/sandbox/.venv /sandbox/.uv/python"


def test_EN1_packages_of_build_time_are_read_only(development):
    assert succeeded(development.shell("command -v tabulate; echo 1 2 | tabulate")).splitlines()[0] == "/app/.venv/bin/tabulate"
    denied = development.run("/app/.venv/bin/pip", "install", "--quiet", "cowsay")
    assert denied.code != 0 and "Permission denied" in denied.err
    assert succeeded(development.run("stat", "--format", "%U", "/app/.venv")) == "root\n"


def test_EN2_pip_install(development):
    succeeded(development.shell("pip install --quiet cowsay && python -c 'import cowsay'"))
    assert succeeded(development.python("import cowsay; print(cowsay.__file__)")).startswith("/sandbox/.venv/")
    assert_from_the_index(development)


def test_EN2_pip_install_by_a_program_that_knows_no_proxy(development):
    unset = [word for name in PROXY_NAMES for word in ("-u", name)]
    succeeded(development.run("env", *unset, "pip", "install", "--quiet", "cowsay"))
    succeeded(development.python("import cowsay"))
    assert_from_the_index(development, via="transparent")


def test_EN2_the_index_is_for_python_alone(development):
    """The same host for a binary that the rule does not list."""
    host = yaml.safe_load(development.run("cat", "/etc/navigator/policy.yaml").out)["network_policies"]["python_packages"]["endpoints"][0]["host"]
    denied = development.run("curl", "--silent", "--show-error", f"https://{host}/")
    assert denied.code == 56 and "403" in denied.err, denied.err
    assert [(line["verdict"], line["binary"]) for line in decisions(development)] == [("denied", "/usr/bin/curl")]


def test_EN3_uv_pip_install(development):
    command = ("uv", "pip", "install", "--python", "/sandbox/.venv/bin/python", "cowsay")
    result = development.run(*command)
    succeeded(result)
    assert "EXDEV" not in result.err and "cross-device" not in result.err and "falling back" not in result.err
    succeeded(development.python("import cowsay"))
    assert_from_the_index(development)


def test_EN3_uv_renames_across_directories(development):
    """Why ABI 2 is the floor: without REFER the same command fails, with EXDEV on one file system."""
    failed = development.python(WITHOUT_REFER, "uv", "pip", "install", "--python", "/sandbox/.venv/bin/python", "cowsay")
    assert failed.code != 0 and "os error 18" in failed.err, failed.err
    move = "import os; os.makedirs('/sandbox/a'); os.mkdir('/sandbox/b'); os.mkdir('/sandbox/a/x'); os.rename('/sandbox/a/x', '/sandbox/b/x')"
    succeeded(development.python(move))


def test_EN4_uv_run_with(development):
    """The package is there for this one run, and not in the environment."""
    command = "import cowsay; print(cowsay.__file__)"
    result = development.run("uv", "run", "--python", "/sandbox/.venv/bin/python", "--with", "cowsay", "python", "-c", command)
    assert succeeded(result).startswith("/sandbox/.cache/uv/")
    assert development.python("import cowsay").code == 1
    assert_from_the_index(development)
