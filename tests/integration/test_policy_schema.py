# SPDX-License-Identifier: Apache-2.0
"""policy/schema/policy.schema.json, by which editors check a policy while it is written: it says nothing else than the parser."""
import json
import re
import subprocess

import jsonschema
import pytest
import yaml

from local.build import TREE

PRESETS = TREE / "policy/presets"
FEATURES = TREE / "tests/data/policy/features"
CASES = TREE / "tests/data/policy"
SCHEMA = json.loads((TREE / "policy/schema/policy.schema.json").read_text())


@pytest.mark.parametrize("path", sorted([*PRESETS.glob("*.yaml"), *FEATURES.glob("*.yaml")]), ids=lambda path: path.stem)
def test_schema_takes_what_the_parser_takes(path):
    jsonschema.validate(yaml.safe_load(path.read_text()), SCHEMA)


@pytest.mark.parametrize("text", [
    "{}",
    "version: 2",
    "version: 1\ncolour: red",
    "version: 1\nfilesystem_policy: {read_wirte: []}",
    "version: 1\nfilesystem_policy: {read_only: /usr}",
    "version: 1\nfilesystem_policy: {include_workdir: 'yes'}",
    "version: 1\nlandlock: {compatibility: hard-requirement}",
    "version: 1\nprocess: {run_as_user: [a]}",
    "version: 1\nnetwork_middlewares: {a: {}}",
    "version: 1\nnetwork_policies: []",
    "version: 1\nnetwork_policies: {a: {endpoints: [{host: x, port: 0}]}}",
    "version: 1\nnetwork_policies: {a: {endpoints: [{host: x, ports: [70000]}]}}",
    "version: 1\nnetwork_policies: {a: {endpoints: [{host: x, port: 1, protocol: ftp}]}}",
    "version: 1\nnetwork_policies: {a: {binaries: [{}]}}",
    "version: 1\nnetwork_policies: {a: {endpoints: [{host: x, port: 1, protocol: rest, rules: [{method: GET}]}]}}",
])
def test_schema_refuses_what_the_parser_refuses(programs, text):
    result = subprocess.run([programs / "navigator", "policy", "check", "-"], input=text + "\n", stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    assert result.returncode == 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), SCHEMA)


# ---- the table of cases

def cases() -> list:
    """(file: name, text, "ok" or "refused", what is said) of each case without bytes that are no text."""
    found = []
    for file in ("document", "filesystem", "process", "hosts", "endpoints", "requests"):
        for block in re.split(r"^=== ", (CASES / f"{file}.cases").read_text(), flags=re.MULTILINE)[1:]:
            name, rest = block.split("\n", 1)
            text, verdict, said = re.split(r"^--- (\w+)\n?", rest, maxsplit=1, flags=re.MULTILINE)
            if not re.search("<([0-9A-F]{2}|TAB|NUL|CR|ESC)>", text):
                found.append((f"{file}: {name}", text, verdict, said))
    return found


# Complaints that a schema can have: about keys, types, choices, ranges, the beginning of a path, accounts.
EXPRESSIBLE = re.compile(r"unknown |is missing in|'\w+' must be|each of '|must be absolute|run_as_(user|group) must be")
# What a loader of YAML 1.1, such as the one of these tests, makes something else of before a schema sees it.
LOADED_OTHERWISE = {"document: version with a fraction", "document: version in hexadecimal", "document: a merge key", "filesystem: include_workdir as yes",
                    "process: a leading zero", "process: a sign", "process: hexadecimal", "process: a fraction", "endpoints: a port with a zero in front",
                    "endpoints: a port with a fraction"}


def complaints(text: str) -> list:
    return list(jsonschema.Draft7Validator(SCHEMA).iter_errors(yaml.safe_load(text)))


def test_schema_takes_every_valid_case():
    valid = [(name, text) for name, text, verdict, _ in cases() if verdict == "ok"]
    assert len(valid) > 100
    assert {name: complaints(text)[0].message for name, text in valid if complaints(text)} == {}


def test_schema_refuses_every_case_that_it_can_express():
    wrong = [(name, text) for name, text, verdict, said in cases() if verdict == "refused" and EXPRESSIBLE.search(said) and name not in LOADED_OTHERWISE]
    assert len(wrong) > 80
    assert [name for name, text in wrong if not complaints(text)] == []
