# SPDX-License-Identifier: Apache-2.0
"""`navigator policy suggest`: what was denied becomes the least that would have allowed it, and nothing that may not be."""
import subprocess

import pytest
import yaml

from helpers.audit import write

BASE = "version: 1\n"


def denial(host="api.test", port="443", binary="/usr/bin/curl", **fields):
    fields = {"verdict": "denied", "engine": "policy", "via": "proxy", "host": host, "port": port, "binary": binary, "reason": "no_host", **fields}
    return ("egress", fields.pop("event", "network"), *(part for pair in fields.items() if pair[1] for part in pair))


@pytest.fixture
def suggest(programs, tmp_path):
    def run(*events, options=(), text=None, **files):
        for name, content in files.items():
            (tmp_path / f"{name}.yaml").write_text(content)
        return subprocess.run([programs / "navigator", "policy", "suggest", *options, "-"], input=text or write(programs, *events), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=20, check=False, cwd=tmp_path)
    run.programs = programs
    run.folder = tmp_path
    return run


def rules(done):
    """[(endpoints, binaries)] of a suggestion that is valid."""
    assert done.returncode == 0, done.stderr
    parsed = yaml.safe_load(done.stdout)
    assert list(parsed) == ["network_policies"]
    return [([(end["host"], end.get("ports") or [end["port"]]) for end in rule["endpoints"]], [binary["path"] for binary in rule["binaries"]])
            for rule in parsed["network_policies"].values()]


def test_the_text_that_is_pasted(suggest):
    done = suggest(denial(), denial(event="network_repeated", repeated="11"), denial(port="80"), denial("b.test", binary="/usr/bin/git", reason="no_binary"))
    assert done.stdout == """\
network_policies:
  suggested_curl:
    endpoints:
      - {host: api.test, ports: [80, 443]}  # 13 times
    binaries:
      - {path: /usr/bin/curl}
  suggested_git:
    endpoints:
      - {host: b.test, port: 443}  # 1 time
    binaries:
      - {path: /usr/bin/git}
"""
    assert (done.returncode, done.stderr) == (0, "")


def test_it_is_valid_and_allows_what_was_denied(suggest):
    done = suggest(denial(), denial("2001:db8::7", reason="no_host"), denial("203.0.113.7", "22"))
    (suggest.folder / "new.yaml").write_text(BASE + done.stdout)
    for target in ("api.test:443", "[2001:db8::7]:443", "203.0.113.7:22"):
        explained = subprocess.run([suggest.programs / "navigator", "policy", "explain", "new.yaml", target, "--binary", "/usr/bin/curl"], cwd=suggest.folder,
                                   capture_output=True, text=True, check=False)
        assert explained.returncode == 0, explained.stdout + explained.stderr


def test_the_order_of_lines_does_not_matter(suggest):
    events = [denial(host, port, binary) for host in ("a.test", "b.test") for port in ("80", "443") for binary in ("/usr/bin/git", "/usr/bin/curl", "/opt/tool")]
    assert suggest(*events).stdout == suggest(*reversed(events)).stdout != ""


def test_programs_that_went_to_the_same_places_share_a_rule(suggest):
    done = suggest(*[denial(host, binary=binary) for host in ("a.test", "b.test") for binary in ("/usr/bin/pip", "/usr/bin/uv")],
                   denial("a.test", binary="/usr/bin/curl"))
    assert rules(done) == [([("a.test", [443])], ["/usr/bin/curl"]), ([("a.test", [443]), ("b.test", [443])], ["/usr/bin/pip", "/usr/bin/uv"])]


def test_two_programs_of_one_name(suggest):
    done = suggest(denial(binary="/app/bin/python3"), denial("b.test", binary="/usr/bin/python3"))
    assert len(rules(done)) == 2 and "suggested_python3_2:" in done.stdout


def test_let_through_in_learning_mode_is_suggested(suggest):
    assert rules(suggest(denial(verdict="let_through", reason="no_binary", policy="learning"))) == [([("api.test", [443])], ["/usr/bin/curl"])]


def test_what_is_no_denial_is_not(suggest):
    done = suggest(denial(verdict="allowed", reason=""), denial(verdict="failed"), ("launcher", "session_refused", "reason", "no_host"),
                   ("gateway", "network", *denial()[2:]))
    assert done.returncode == 1 and done.stdout == "" and done.stderr == "navigator policy suggest: there is nothing to suggest\n"


@pytest.mark.parametrize("fields, words", [
    ({"engine": "ssrf", "reason": "address_private", "detail": "10.1.2.3 is private"}, "10.1.2.3 is private"),
    ({"engine": "ssrf", "reason": "address_class", "detail": "169.254.169.254 is link-local"}, "is link-local"),
    ({"reason": "ceiling", "detail": "the node's ceiling"}, "the node's ceiling"),
    ({"reason": "not_inspectable", "detail": "its requests would have to be read"}, "its requests"),
    ({"engine": "tls", "reason": "other_name", "detail": "the ClientHello names another host"}, "ClientHello"),
    ({"engine": "owner", "reason": "ambiguous"}, "a rule would not allow it"),
    ({"engine": "policy", "reason": "many", "host": "", "port": "", "binary": ""}, "of many at once"),
    ({"via": "names", "engine": "names", "port": "", "binary": ""}, "only its name was asked for"),
    ({"via": "direct", "engine": "network", "reason": "no_port", "binary": "", "protocol": "tcp"}, "nobody listens there"),
    ({"binary": ""}, "the program is not known"),
    ({"host": "169.254.169.254"}, "link-local"),
    ({"host": "127.0.0.1"}, "loopback"),
    ({"host": "[::ffff:169.254.169.254]"}, ""),
    ({"host": "0.0.0.0"}, ""),
    ({"host": "*.example.com"}, ""),
    ({"host": "**"}, ""),
    ({"host": "a.test}, {host: '*.b.test', port: 443"}, ""),
    ({"host": "'"}, ""),
    ({"host": "%s%n"}, ""),
    ({"binary": "/**"}, "characters that mean more"),
    ({"binary": "/usr/bin/*"}, "characters that mean more"),
    ({"binary": "/tmp/a b"}, "characters that mean more"),
    ({"binary": "/tmp/x (deleted)"}, "characters that mean more"),
    ({"binary": "/tmp/x}"}, "characters that mean more"),
    ({"binary": "curl"}, "characters that mean more"),
    ({"binary": "/tmp/../usr/bin/curl"}, "'..'"),
    ({"port": "0"}, ""),
    ({"port": "70000"}, ""),
])
def test_what_is_never_suggested(suggest, fields, words):
    done = suggest(denial(**fields))
    assert done.returncode == 1 and done.stdout == ""
    assert "not suggested: " in done.stderr and words in done.stderr


def test_an_address_that_was_refused_once_stays_refused(suggest):
    done = suggest(denial(), denial(engine="ssrf", reason="address_private", detail="10.0.0.1 is private"))
    assert done.returncode == 1 and "10.0.0.1 is private" in done.stderr


def test_a_name_that_got_a_rule_is_not_said_again(suggest):
    done = suggest(denial(), denial(via="names", engine="names", port="", binary=""), denial("other.test", via="names", engine="names", port="", binary=""))
    assert done.returncode == 0 and done.stderr == "not suggested: other.test (1 time): only its name was asked for: neither port nor program are known\n"


def test_the_ceiling_bounds_it(suggest):
    ceiling = BASE + "network_policies:\n  all:\n    endpoints: [{host: '*.inside.test', port: 443}]\n    binaries: [{path: '/**'}]\n"
    done = suggest(denial("a.inside.test"), denial("b.outside.test"), denial("a.inside.test", "80"), options=["--ceiling", "ceiling.yaml"], ceiling=ceiling)
    assert rules(done) == [([("a.inside.test", [443])], ["/usr/bin/curl"])]
    assert done.stderr.count("ceiling") == 2 and "b.outside.test:443" in done.stderr and "a.inside.test:80" in done.stderr


def test_what_the_policy_allows_by_now_is_left_out(suggest):
    policy = BASE + ("network_policies:\n  web:\n    endpoints: [{host: '*.own.test', port: 443}]\n    binaries: [{path: /usr/bin/curl}]\n"
                     "  learning:\n    endpoints: [{host: c.test, port: 443, enforcement: audit}]\n    binaries: [{path: /usr/bin/git}]\n")
    done = suggest(denial("a.own.test"), denial("b.own.test", "80"), denial("c.test", binary="/usr/bin/wget", verdict="let_through"),
                   options=["--policy", "policy.yaml"], policy=policy)
    assert rules(done) == [([("b.own.test", [80])], ["/usr/bin/curl"]), ([("c.test", [443])], ["/usr/bin/wget"])]
    assert "policy.yaml allows it" in done.stderr


def test_what_a_sandbox_wrote_does_not_reach_the_terminal(suggest):
    done = suggest(denial("a\x1b[31m.test\u202e"))
    assert done.returncode == 1 and all(letter == "\n" or " " <= letter <= "~" for letter in done.stderr)


def test_many_kinds(suggest):
    done = suggest(*[denial(f"h{number:04}.test") for number in range(1100)])
    assert sum(len(endpoints) for endpoints, _ in rules(done)) <= 1024 and "76 lines were of others" in done.stderr
    done = suggest(*[denial(f"h{number}.test", binary="") for number in range(30)])
    assert done.stderr.count("not suggested: ") == 20 and "and 10 more kinds" in done.stderr


def test_files(suggest):
    (suggest.folder / "one").write_text(write(suggest.programs, denial("a.test")))
    (suggest.folder / "two").write_text("noise\n" + write(suggest.programs, denial("b.test")))
    run = [suggest.programs / "navigator", "policy", "suggest"]
    done = subprocess.run([*run, "one", "two"], cwd=suggest.folder, capture_output=True, text=True, check=False)
    assert rules(done) == [([("a.test", [443]), ("b.test", [443])], ["/usr/bin/curl"])]
    done = subprocess.run([*run, "one", "three"], cwd=suggest.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "'three'" in done.stderr and done.stdout == ""
    done = subprocess.run([*run, "--ceiling", "none.yaml", "one"], cwd=suggest.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "none.yaml" in done.stderr
