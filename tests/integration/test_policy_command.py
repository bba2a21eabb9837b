# SPDX-License-Identifier: Apache-2.0
"""`navigator policy ...` as people and CI jobs use it: what is printed where, and with which exit code."""
import json
import os
import pty
import re
import shutil
import subprocess

import pytest
import yaml

from local.build import TREE

PRESETS = TREE / "policy/presets"
FEATURES = TREE / "tests/data/policy/features"
BROKEN = "version: 1\nfilesystem_policy:\n  read_wirte: [/tmp]\n  read_only: [usr]\n"
WEB = """\
version: 1
network_policies:
  web:
    endpoints: [{host: api.example.com, port: 443}]
    binaries: [{path: /usr/bin/curl}]
"""


@pytest.fixture
def navigator(programs, tmp_path):
    def run(*arguments, text: str = None, **files):
        for name, content in files.items():
            (tmp_path / f"{name}.yaml").write_text(content)
        return subprocess.run([programs / "navigator", *arguments], input=text or "", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=20, check=False, cwd=tmp_path)
    return run


# ---- check

def test_check_says_all_errors_at_their_places(navigator):
    result = navigator("policy", "check", "policy.yaml", policy=BROKEN)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "policy.yaml:3:3: unknown key 'read_wirte' in filesystem_policy; did you mean 'read_write'?",
        "policy.yaml:4:15: path must be absolute (start with '/'): 'usr'",
    ]


def test_check_stops_at_twenty(navigator):
    result = navigator("policy", "check", "policy.yaml", policy="version: 1\n" + "".join(f"key{number}: 1\n" for number in range(50)))
    lines = result.stderr.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "policy.yaml: and 30 more errors"


def test_check_of_several_files_is_as_bad_as_the_worst(navigator):
    result = navigator("policy", "check", "good.yaml", "bad.yaml", good=WEB, bad=BROKEN)
    assert result.returncode == 1
    assert result.stdout == "good.yaml: valid\n"
    assert navigator("policy", "check", "good.yaml", "missing.yaml").returncode == 2


def test_check_reads_standard_input(navigator):
    assert navigator("policy", "check", "-", text=WEB).returncode == 0
    result = navigator("policy", "check", "-", text="version: 2\n")
    assert (result.returncode, result.stderr) == (1, "standard input:1:10: 'version' must be 1, not 2\n")


def test_check_for_programs(navigator):
    result = navigator("policy", "check", "--output", "json", "policy.yaml", policy=BROKEN)
    answer = json.loads(result.stdout)
    assert result.returncode == 1
    assert not answer["valid"]
    assert answer["errors"][0] == {"line": 3, "column": 3,
                                   "text": "unknown key 'read_wirte' in filesystem_policy; did you mean 'read_write'?"}
    answer = json.loads(navigator("policy", "check", "--output", "json", "policy.yaml", policy=WEB).stdout)
    assert answer["valid"]
    assert re.fullmatch("[0-9a-f]{64}", answer["hash"])
    assert answer["findings"] == []


def on_a_terminal(*command) -> str:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    output = b""
    try:
        while chunk := os.read(terminal, 4096):
            output += chunk
    except OSError:
        pass
    os.waitpid(pid, 0)
    os.close(terminal)
    return output.decode().replace("\r\n", "\n")


def test_check_shows_the_line_on_a_terminal(programs, tmp_path):
    (tmp_path / "policy.yaml").write_text(BROKEN)
    output = on_a_terminal(str(programs / "navigator"), "policy", "check", str(tmp_path / "policy.yaml"))
    assert "     3 |   read_wirte: [/tmp]\n       |   ^\n" in output
    assert "     4 |   read_only: [usr]\n       |               ^\n" in output


def test_caret_stands_below_the_character(programs, tmp_path):
    """Carriage returns are not shown, and a long line is cut between characters."""
    (tmp_path / "policy.yaml").write_bytes(("version: 1\r\n" + "é" * 200 + ": 1\r\n").encode())
    output = on_a_terminal(str(programs / "navigator"), "policy", "check", str(tmp_path / "policy.yaml"))
    assert "     2 | " + "é" * 160 + "\n       | ^\n" in output


def test_check_moves_no_cursor(programs, tmp_path):
    (tmp_path / "policy.yaml").write_bytes(b"version: 1\nx\x1b[2J: 1\n")
    output = on_a_terminal(str(programs / "navigator"), "policy", "check", str(tmp_path / "policy.yaml"))
    assert "\x1b" not in output


def test_check_of_what_is_no_file(navigator, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", ".", "missing", "/dev/zero"):
        result = navigator("policy", "check", name)
        assert result.returncode == 2
        assert name in result.stderr


def test_pipes_of_a_shell_are_files(programs, tmp_path):
    (tmp_path / "policy.yaml").write_text(WEB)
    result = subprocess.run(["bash", "-c", 'exec "$0" policy diff <(cat policy.yaml) <(echo version: 1)', programs / "navigator"], cwd=tmp_path,
                            stdout=subprocess.PIPE, text=True, timeout=20, check=False)
    assert result.returncode == 0
    assert "This change opens nothing" in result.stdout


def test_diff_of_standard_input_with_itself(navigator):
    result = navigator("policy", "diff", "-", "-", text=WEB)
    assert result.returncode == 2
    assert "can be read once only" in result.stderr


def test_colour_is_not_used(programs, tmp_path):
    """Nothing to turn off: not on a terminal, and so not in a file either."""
    (tmp_path / "policy.yaml").write_text(BROKEN)
    assert "\x1b" not in on_a_terminal(str(programs / "navigator"), "policy", "check", str(tmp_path / "policy.yaml"))


# ---- show

@pytest.mark.parametrize("path", sorted([*PRESETS.glob("*.yaml"), *FEATURES.glob("*.yaml")]), ids=lambda path: path.stem)
def test_show_prints_a_policy_that_allows_the_same(navigator, path):
    shown = navigator("policy", "show", path)
    assert shown.returncode == 0, shown.stderr
    again = yaml.safe_load(shown.stdout)
    assert again["version"] == 1
    assert not again["filesystem_policy"]["include_workdir"]
    for files in ((path, "shown.yaml"), ("shown.yaml", path)):
        result = navigator("policy", "diff", *files, shown=shown.stdout)
        assert result.returncode == 0, result.stdout


def test_show_marks_where_a_path_comes_from(navigator):
    lines = navigator("policy", "show", "policy.yaml", policy="version: 1\nfilesystem_policy:\n  read_only: [/data]\n").stdout.splitlines()
    assert "    - /data  # line 3" in lines
    assert "    - /usr  # baseline" in lines
    assert "    - /sandbox  # workdir" in lines
    assert "    - /app  # default" in navigator("policy", "show", "policy.yaml", policy="version: 1\n").stdout.splitlines()


def test_show_has_one_hash_for_one_meaning(navigator):
    first = navigator("policy", "show", "policy.yaml", policy=WEB).stdout
    second = navigator("policy", "show", "policy.yaml", policy="# a comment\n" + WEB.replace("api.example", "API.Example")).stdout
    other = navigator("policy", "show", "policy.yaml", policy=WEB.replace("443", "444")).stdout
    hashes = [re.search("# sha256 ([0-9a-f]{64})", text)[1] for text in (first, second, other)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_show_within_a_ceiling(navigator):
    ceiling = "version: 1\nfilesystem_policy: {include_workdir: false, read_only: [/usr, /etc]}\n"
    result = navigator("policy", "show", "--ceiling", "ceiling.yaml", "policy.yaml", policy=WEB, ceiling=ceiling)
    assert "# bounded: line 4: network policy 'web': the ceiling takes away api.example.com:443 for '/usr/bin/curl'" in result.stdout
    assert "# bounded: the ceiling takes away read_write '/sandbox'" in result.stdout
    assert "- /sandbox" not in result.stdout
    explained = navigator("policy", "explain", "--ceiling", "ceiling.yaml", "policy.yaml", "api.example.com:443", "--binary", "/usr/bin/curl",
                          policy=WEB, ceiling=WEB.replace("/usr/bin/curl", "/usr/bin/git"))
    assert explained.returncode == 1
    assert explained.stdout.splitlines()[1].startswith("  ceiling.yaml:")
    broken = navigator("policy", "show", "--ceiling", "ceiling.yaml", "policy.yaml", policy=WEB, ceiling="version: 3\n")
    assert broken.returncode == 2
    assert "ceiling.yaml:1:10: " in broken.stderr


# ---- explain

@pytest.mark.parametrize("arguments, code, text", [
    (["/usr/bin/curl"], 0, "/usr/bin/curl: read_only\n  default: read_only '/usr'\n"),
    (["/tmp/x"], 0, "/tmp/x: read_write\n  default: read_write '/tmp'\n"),
    (["/root"], 1, "/root: denied: the policy names neither it nor a directory above it\n"),
    (["api.example.com:443", "--binary", "/usr/bin/curl"], 0, "allowed: policy 'web' allows api.example.com:443 for '/usr/bin/curl'\n"
     "  policy.yaml:4:17: endpoint api.example.com of network policy 'web'\n  policy.yaml:5:23: binary '/usr/bin/curl'\n"),
    (["api.example.com:443", "--binary", "/bin/sh", "--ancestors", "/bin/bash,/usr/bin/curl"], 0, "allowed: "),
    (["api.example.com:443", "--binary", "/bin/sh"], 1, "denied: policy 'web' allows api.example.com:443, but not for '/bin/sh'\n"),
    (["api.example.com:80", "--binary", "/usr/bin/curl"], 1, "denied: policy 'web' names 'api.example.com', but not port 80\n"),
    (["example.org:443"], 1, "denied: no policy names the host 'example.org'\n"),
    (["api.example.com:443", "--binary", "/usr/bin/curl", "--address", "127.0.0.1"], 1,
     "denied: 127.0.0.1 is loopback: never connected to, whatever a policy says\n"),
    (["[::1]:443", "--binary", "/usr/bin/curl"], 1, "denied: ::1 is loopback: never connected to, whatever a policy says\n"),
])
def test_explain(navigator, arguments, code, text):
    result = navigator("policy", "explain", "policy.yaml", *arguments, policy=WEB)
    assert result.returncode == code, result.stderr
    assert result.stdout.startswith(text)


@pytest.mark.parametrize("arguments", [["x"], ["x:0"], ["x:99999"], ["/usr/../etc"], ["x:1", "--address", "nowhere"]])
def test_explain_what_is_no_question(navigator, arguments):
    policy = WEB.replace("api.example.com", "x").replace("443", "1").replace("/usr/bin/curl", "/**")
    result = navigator("policy", "explain", "policy.yaml", *arguments, "--binary", "/bin/sh", policy=policy)
    assert result.returncode == 2, result.stdout
    assert "navigator policy explain: " in result.stderr


def test_explain_for_programs(navigator):
    answer = json.loads(navigator("policy", "explain", "--output", "json", "policy.yaml", "api.example.com:443", "--binary", "/usr/bin/curl",
                                  policy=WEB).stdout)
    assert (answer["allowed"], answer["reason"], answer["policy"], answer["line"]) == (True, "allowed", "web", 4)
    answer = json.loads(navigator("policy", "explain", "--output", "json", "policy.yaml", "/usr/bin", policy=WEB).stdout)
    assert answer["access"] == "read_only"
    assert answer["by"][0]["origin"] == "default"


# ---- diff

def test_diff_is_a_gate(navigator):
    wider = WEB.replace("port: 443", "ports: [80, 443]")
    result = navigator("policy", "diff", "old.yaml", "new.yaml", old=WEB, new=wider)
    assert result.returncode == 1
    assert result.stdout == ("+ new.yaml:4:17: opens api.example.com:80 for '/usr/bin/curl' (policy 'web')\n"
                             "This change opens something: 1 wider, 0 narrower.\n")
    result = navigator("policy", "diff", "new.yaml", "old.yaml")
    assert result.returncode == 0
    assert "- new.yaml:4:17: closes api.example.com:80" in result.stdout
    assert navigator("policy", "diff", "old.yaml", "old.yaml").stdout == "This change opens nothing and closes nothing.\n"
    answer = json.loads(navigator("policy", "diff", "--output", "json", "old.yaml", "new.yaml").stdout)
    assert len(answer["wider"]) == 1 and answer["narrower"] == []


def test_diff_of_what_is_not_valid(navigator):
    assert navigator("policy", "diff", "old.yaml", "new.yaml", old=WEB, new=BROKEN).returncode == 1
    assert navigator("policy", "diff", "old.yaml", "missing.yaml").returncode == 2


# ---- preset

def test_presets_are_listed_and_valid(navigator):
    names = [line.split()[0] for line in navigator("policy", "preset").stdout.splitlines()]
    assert names == sorted(path.stem for path in PRESETS.glob("*.yaml"))
    for name in names:
        printed = navigator("policy", "preset", name)
        assert printed.returncode == 0
        assert navigator("policy", "check", "-", text=printed.stdout).returncode == 0
    assert navigator("policy", "preset", "nothing").returncode == 2


def hosts(text: str, policy: str) -> list:
    entry = yaml.safe_load(text)["network_policies"].get(policy)
    return entry and [(endpoint["host"], endpoint["port"]) for endpoint in entry["endpoints"]]


def test_preset_takes_index_hosts_as_values(navigator):
    without = navigator("policy", "preset", "development").stdout
    assert hosts(without, "python_packages") is None
    assert "python_packages is left out" in without
    with_hosts = navigator("policy", "preset", "development", "--python-index", "index.example,files.example:8443").stdout
    assert hosts(with_hosts, "python_packages")[:2] == [("index.example", 443), ("files.example", 8443)]
    assert "invalid" not in with_hosts
    for wrong in ("a b", "*.example.com", "10.0.0.1", "x:0", "x:99999", "x,", "x}, {host: y"):
        assert navigator("policy", "preset", "development", "--python-index", wrong).returncode == 2, wrong


PIP = """#!/bin/sh
case "$*" in
"config list") %s ;;
"install --help") printf -- '  -i, --index-url <url>  Base URL (default\\n      https://standard.example/simple).\\n' ;;
*--dry-run*) %s ;;
esac
"""


def test_preset_asks_pip(navigator, tmp_path, monkeypatch):
    """The index by its configuration or pip's own default, and the host that has the files by a report of pip's."""
    pip = tmp_path / "bin" / "pip"
    pip.parent.mkdir()
    monkeypatch.setenv("PATH", f"{pip.parent}:{os.environ['PATH']}")

    def preset(configuration: str, report: str):
        pip.write_text(PIP % (configuration, report))
        pip.chmod(0o755)
        return navigator("policy", "preset", "data-science", "--python-index-from-pip")

    report = """echo '{"install": [{"download_info": {"url": "https://files.example/a/b.whl"}, "metadata": {"url": "https://other.example"}}]}'"""
    configured = preset("echo \"global.index-url='https://user:secret@index.example/simple'\"; "
                        "echo \"global.extra-index-url='http://extra.example:8080/simple'\"", report)
    assert hosts(configured.stdout, "python_packages") == [("index.example", 443), ("extra.example", 8080), ("files.example", 443)]
    assert "secret" not in configured.stdout
    assert hosts(preset("", report).stdout, "python_packages") == [("standard.example", 443), ("files.example", 443)]
    for local in ("echo '{\"install\": [{\"download_info\": {\"url\": \"file:///wheels/b.whl\"}}]}'", "echo nonsense"):
        assert hosts(preset("", local).stdout, "python_packages") == [("standard.example", 443)]
    for failing in (preset("exit 1", report), preset("", "exit 1")):
        assert (failing.returncode, failing.stdout) == (2, "")
        assert "name the hosts with --python-index" in failing.stderr


# ---- the verbs themselves

def test_help_teaches(navigator):
    for arguments in (["--help"], ["policy", "--help"], ["policy", "check", "--help"], ["policy", "explain", "-h"], ["help"]):
        result = navigator(*arguments)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith("Usage: navigator")
    for verb in ("check", "show", "explain", "diff", "preset"):
        assert "Exit code: 0" in navigator("policy", verb, "--help").stdout


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["policy"], ["policy", "nothing"], ["policy", "check"], ["policy", "show", "a", "b"],
                                       ["policy", "check", "--nothing", "x"], ["policy", "check", "--output", "xml", "x"],
                                       ["policy", "check", "--output"]])
def test_misuse_is_said_on_stderr(navigator, arguments):
    result = navigator(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(("navigator", "Usage: navigator"))


def test_what_could_not_be_written_is_an_error(programs, tmp_path):
    (tmp_path / "policy.yaml").write_text(WEB)
    with open("/dev/full", "w") as full:
        result = subprocess.run([programs / "navigator", "policy", "show", tmp_path / "policy.yaml"], stdout=full, stderr=subprocess.PIPE,
                                timeout=20, check=False)
    assert result.returncode == 2


def complete(script: str, *words, begun: str = "") -> list:
    """What the shell offers after these words and the beginning of another."""
    command = f'{script}\nCOMP_WORDS=({" ".join(words)} "{begun}"); COMP_CWORD={len(words)}; _navigator; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE, text=True, timeout=20, check=True).stdout.split()


def test_completion_of_bash(navigator):
    script = navigator("completion", "bash").stdout
    assert "policy" in complete(script, "navigator")
    assert "explain" in complete(script, "navigator", "policy")
    assert "--binary" in complete(script, "navigator", "policy", "explain", begun="-")
    assert complete(script, "navigator", "policy", "explain") == [], "a file comes next"
    assert complete(script, "navigator", "policy", begun="ex") == ["explain"]
    assert complete(script, "navigator", "completion") == ["bash", "zsh"]
    presets = [line.split()[0] for line in navigator("policy", "preset").stdout.splitlines()]
    assert complete(script, "navigator", "policy", "preset") == presets
    assert complete(script, "navigator", "policy", "check", "--output") == ["text", "json"]


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_completion_of_zsh(navigator, tmp_path):
    (tmp_path / "_navigator").write_text(navigator("completion", "zsh").stdout)
    subprocess.run(["zsh", "-n", tmp_path / "_navigator"], timeout=20, check=True)


def verbs_of(navigator, *path) -> list:
    """Every verb that --help lists, groups taken apart."""
    names = re.findall(r"^  ([a-z]+)  ", navigator(*path, "--help").stdout, re.MULTILINE) if path in ((), ("policy",)) else []
    return [path, *(verb for name in names for verb in verbs_of(navigator, *path, name))]


def test_completion_knows_every_verb_and_option(navigator):
    """And the zsh script has a function for each, with its options."""
    script, zsh = navigator("completion", "bash").stdout, navigator("completion", "zsh").stdout
    verbs = verbs_of(navigator)
    assert len(verbs) > 10
    for verb in verbs:
        options = re.findall(r"^  (--[a-z-]+)", navigator(*verb, "--help").stdout, re.MULTILINE)
        if verb:
            assert verb[-1] in complete(script, "navigator", *verb[:-1])
            assert f"_navigator_{'_'.join(verb)}()" in zsh
        if options:
            assert sorted(complete(script, "navigator", *verb, begun="--")) == sorted(options)
            assert all(f"'{option}[" in zsh for option in options)
