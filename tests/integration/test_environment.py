# SPDX-License-Identifier: Apache-2.0
"""Acceptance, section 5: what a session finds in its environment."""


def environment(pod, **options) -> dict:
    return dict(line.split("=", 1) for line in pod.run("env", **options).out.splitlines() if "=" in line)


def test_EN1_path_of_the_image_survives_the_login_shell(pod):
    assert pod.run("bash", "-c", "echo $PATH").out.startswith("/sandbox/.venv/bin:")
    assert pod.python("import sys; print(sys.prefix)").out == "/sandbox/.venv\n"


def test_EN5_path_has_the_images_tools_and_sbin(pod):
    path = environment(pod)["PATH"].strip().split(":")
    assert {"/opt/tool/bin", "/usr/sbin", "/sbin", "/usr/bin"} <= set(path)


def test_EN6_image_and_pod_variables(pod):
    for login in (True, False):
        variables = environment(pod, login=login)
        assert (variables.get("FROM_IMAGE"), variables.get("FROM_POD")) == ("yes", "yes")


def test_EN7_nothing_of_ours(pod):
    for login in (True, False):
        variables = environment(pod, login=login)
        text = repr(variables)
        assert pod.node.credentials.token not in text
        assert not [name for name in variables if name.startswith(("KUBERNETES_", "LD_", "NAVIGATOR_"))], variables


def test_EN12_who_and_where(pod):
    for login in (True, False):
        variables = environment(pod, login=login)
        assert {name: variables.get(name) for name in ("HOME", "USER", "LOGNAME", "SHELL", "TERM")} == {
            "HOME": "/sandbox", "USER": "sandbox", "LOGNAME": "sandbox", "SHELL": "/bin/bash", "TERM": "dumb"}
    assert pod.run("pwd").out == "/sandbox\n"


def test_EN12_terminal(pod):
    assert pod.run("sh", "-c", "echo $TERM", tty=True).out.strip() not in ("", "dumb")
