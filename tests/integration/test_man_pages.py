# SPDX-License-Identifier: Apache-2.0
"""Manual pages: they render without a warning, man finds them by their subject, and that of policies has every key."""
import json
import re
import shutil
import subprocess

import pytest

from local.build import TREE

PAGES = sorted([*(TREE / "docs/man").glob("*.md"), TREE / "docs/formats/policy.md"])


@pytest.fixture(params=PAGES, ids=lambda path: path.stem)
def page(request, tmp_path):
    """A page as it is installed."""
    if not shutil.which("lowdown"):
        pytest.skip("lowdown is not installed: no manual pages are built")
    name, section = re.match(r"# ([a-z-]+)\((\d)\)", request.param.read_text()).groups()
    output = tmp_path / f"{name}.{section}"
    subprocess.run(["cmake", "-DLOWDOWN=lowdown", f"-DSOURCE={request.param}", f"-DOUTPUT={output}", f"-DNAME={name}", f"-DSECTION={section}",
                    "-P", TREE / "cmake/ManPage.cmake"], timeout=20, check=True)
    return output


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_man_page_renders_without_a_warning(page):
    result = subprocess.run(["groff", "-ww", "-t", "-man", "-Tutf8", page], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20,
                            check=True)
    assert result.stderr == ""
    assert len(result.stdout) > 500


@pytest.mark.skipif(not shutil.which("lexgrog"), reason="lexgrog (man-db) is not installed")
def test_man_page_is_found_by_its_subject(page):
    result = subprocess.run(["lexgrog", page], stdout=subprocess.PIPE, text=True, timeout=20, check=False)
    assert f'"{page.stem} - ' in result.stdout, result.stdout


def test_man_page_keeps_hyphens(page):
    """A command line can be copied from it: no typographic dashes or quotes in what is bold."""
    for word in re.findall(r"\\fB(.*?)\\fR", page.read_text()):
        assert not re.search(r"\\\((en|em|cq|lq|rq)", word), word


def names_of_keys(node) -> set:
    if isinstance(node, list):
        return set().union(*map(names_of_keys, node)) if node else set()
    if not isinstance(node, dict):
        return set()
    found = set(node["properties"]) if isinstance(node.get("properties"), dict) and "type" in node else set()
    return found.union(*(names_of_keys(value) for value in node.values()))


def test_page_of_policies_has_every_key():
    keys = names_of_keys(json.loads((TREE / "policy/schema/policy.schema.json").read_text()))
    text = (TREE / "docs/formats/policy.md").read_text()
    assert len(keys) > 50
    assert {key for key in keys if f"`{key}`" not in text} == set()
