# SPDX-License-Identifier: Apache-2.0
"""A policy file of 256 KiB never takes more than 16 MiB of memory, or much time, whatever is in it and whichever verb reads it."""
import os
import subprocess
import time

import pytest

from helpers.sanitizers import skip_with_sanitizers

FILE_MAX = 256 * 1024
PEAK_MAX = 16 * 1024  # KiB, of the whole process
SECONDS_MAX = 15


def repeated(head: str, piece, tail: str = "\n") -> str:
    """As many pieces between head and tail as a file may have bytes. A piece is a text or made from its number."""
    pieces, left, number = [], FILE_MAX - len(head.encode()) - len(tail.encode()), 0
    while True:
        one = piece(number) if callable(piece) else piece
        left -= len(one.encode())
        if left < 0:
            return head + "".join(pieces) + tail
        pieces.append(one)
        number += 1


def network(endpoints: str = "{host: a.example.com, port: 1}", binaries: str = "{path: /x}") -> str:
    return f"version: 1\nnetwork_policies: {{a: {{binaries: [{binaries}], endpoints: [{endpoints}"


NASTY = {
    "one key": lambda: repeated("version: 1\n", "k", ": 1\n"),
    "one value": lambda: repeated("version: 1\nprocess: {run_as_user: ", "u", "}\n"),
    "brackets": lambda: repeated("version: 1\nx: ", "["),
    "hyphens": lambda: repeated("", "- "),
    "bomb": lambda: repeated("a: &a [x]\n", lambda n: f"b{n}: &b{n} [*a, *a, *a]\n"),
    "tiny lists": lambda: repeated("version: 1\ninference: {allowed_routes: [", "[],", "]}\n"),
    "tiny maps": lambda: repeated("version: 1\ninference: {allowed_routes: [", "{},", "]}\n"),
    "comments": lambda: repeated("version: 1\n", "#\n"),
    "errors": lambda: repeated("version: 1\n", lambda n: f"k{n}: 1\n"),
    "endpoints": lambda: repeated(network(""), lambda n: f"{{host: a.b{n:x},port: 1}},", "]}}\n"),
    "deep hosts": lambda: repeated(network(""), lambda n: f"{{host: '**{'.a' * 100}.b{n:x}',port: 1}},", "]}}\n"),
    "policies": lambda: repeated("version: 1\nnetwork_policies:\n", lambda n: f" n{n}: {{}}\n"),
    "whole policies": lambda: repeated("version: 1\nnetwork_policies:\n",
                                       lambda n: f" n{n}: {{endpoints: [{{host: a{n}.x, port: 1}}], binaries: [{{path: /{n}}}]}}\n"),
    "ports": lambda: repeated(network("{host: a.b, ports: ["), lambda n: f"{n % 65535 + 1},", "]}]}}\n"),
    "programs": lambda: repeated("version: 1\nnetwork_policies: {a: {endpoints: [{host: a.b, port: 1}], binaries: [", lambda n: f"{{path: /{n:x}}},",
                                 "]}}\n"),
    "program patterns": lambda: repeated("version: 1\nnetwork_policies: {a: {endpoints: [{host: a.b, port: 1}], binaries: [",
                                         lambda n: f"{{path: /**/{n:x}*}},", "]}}\n"),
    "ports times programs": lambda: network(f"{{host: a.b, ports: [{','.join(map(str, range(1, 24000)))}]}}",
                                            ",".join(f"{{path: /{n:x}}}" for n in range(7000))) + "]}}\n",
    "addresses": lambda: repeated(network("{port: 1, allowed_ips: ["), "'1.1.1.1',", "]}]}}\n"),
    "rules": lambda: repeated(network("{host: a.b, port: 1, protocol: rest, rules: ["), lambda n: f"{{allow: {{method: G, path: /{n}}}}},", "]}]}}\n"),
    "commands": lambda: repeated(network("{host: a.b, port: 1, protocol: sql, rules: ["), lambda n: f"{{allow: {{command: {n}a}}}},", "]}]}}\n"),
    "queries": lambda: repeated(network("{host: a.b, port: 1, protocol: rest, rules: [{allow: {method: G, path: /, query: {"), lambda n: f"q{n}: a,",
                                "}}}]}]}}\n"),
    "denied endpoints": lambda: repeated(network(""), lambda n: f"{{host: a.b{n},port: 1,protocol: rest,access: full}},", "]}}\n"),
    "routes": lambda: "version: 1\ninference: {allowed_routes: [" + "a," * 65000 + "]}\n",
    "long paths": lambda: "version: 1\nfilesystem_policy: {read_only: [" + ",".join(f"/p{n}" + "/x" * 500 for n in range(250)) + "]}\n",
}


@pytest.fixture
def peak(programs, tmp_path):
    """Runs a policy verb; says its exit code and its peak in KiB."""
    skip_with_sanitizers(programs, "a sanitizer's own memory is more than that")

    def run(*arguments) -> tuple:
        read, write = os.pipe()
        script = [programs / "test-peak", programs / "navigator", "policy", *arguments]
        with open("/dev/null", "w") as nowhere:
            code = subprocess.run(["bash", "-c", f'exec "$@" 3>&{write}', "bash", *script], stdout=nowhere, stderr=nowhere, cwd=tmp_path,
                                  pass_fds=[write], timeout=60, check=False).returncode
        os.close(write)
        with open(read) as report:
            return code, int(report.read())
    return run


@pytest.mark.parametrize("name", NASTY)
def test_256_KiB_take_no_more_than_16_MiB(peak, tmp_path, name):
    text = NASTY[name]()
    assert FILE_MAX // 3 < len(text.encode()) <= FILE_MAX
    (tmp_path / "nasty.yaml").write_text(text)
    (tmp_path / "small.yaml").write_text("version: 1\n")
    for verb in (["check", "nasty.yaml"], ["check", "--output", "json", "nasty.yaml"], ["show", "nasty.yaml"],
                 ["show", "--output", "json", "nasty.yaml"], ["explain", "nasty.yaml", "a.b:1"], ["explain", "nasty.yaml", "/usr"],
                 ["explain", "--output", "json", "nasty.yaml", "a.b:1"], ["diff", "nasty.yaml", "nasty.yaml"],
                 ["diff", "small.yaml", "nasty.yaml"], ["diff", "--output", "json", "nasty.yaml", "small.yaml"]):
        began = time.monotonic()
        code, kib = peak(*verb)
        assert code in (0, 1), verb
        assert kib <= PEAK_MAX, verb
        assert time.monotonic() - began < SECONDS_MAX, verb
