# SPDX-License-Identifier: Apache-2.0
"""What every lint check needs: the files of the tree, and a way to complain."""
import re
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
CODE = ("base", "policy", "http", "hook", "sidecar", "node", "webhook", "cli")


def files(*suffixes: str) -> list:
    """Tracked files (and new ones git does not ignore), as paths from the top of the tree."""
    listed = subprocess.run(["git", "-c", f"safe.directory={TREE}", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=TREE,
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    return [Path(line) for line in sorted(set(listed.splitlines()))
            if (not suffixes or Path(line).suffix in suffixes) and (TREE / line).is_file()]


def code() -> list:
    return [path for path in files(".c", ".h") if path.parts[0] in CODE]


def text(path: Path) -> str:
    return (TREE / path).read_text(errors="replace")


def bare(source: str) -> str:
    """C without comments and the inside of literals; the lines stay where they are."""
    def blank(match):
        found = match[0]
        return found[0] + found[-1] if found[0] in "\"'" else re.sub(r"[^\n]", " ", found)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, source, flags=re.S)


def matches(pattern: str, source: str):
    """(line number, match) for each."""
    for match in re.finditer(pattern, source, flags=re.M):
        yield source.count("\n", 0, match.start()) + 1, match


def finish(complaints: list, checked: int) -> None:
    """Ends the check: nothing checked is a failure too."""
    for complaint in complaints:
        print(complaint)
    if not checked:
        complaints.append("nothing was checked")
        print(complaints[-1])
    print(f"{checked} checked, {len(complaints)} complaints")
    sys.exit(1 if complaints else 0)
