# SPDX-License-Identifier: Apache-2.0
"""Nothing of the machine it was written on: no folder of it, no host that its package clients use."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import tree

# Folders every machine has; a clone below them says nothing.
COMMON = {"/", "/root", "/home", "/tmp", "/var", "/var/tmp", "/srv", "/opt", "/usr", "/usr/src", "/mnt", "/run", "/builds", "/workspace"}


def folders() -> list:
    return [f"{folder}/" for folder in map(str, (tree.TREE, *tree.TREE.parents)) if folder not in COMMON]


def output(*command: str) -> str:
    if not shutil.which(command[0]):
        return ""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False, timeout=60).stdout


def hosts() -> set:
    """As apt, pip, npm and go are set up here."""
    texts = [path.read_text(errors="replace") for path in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")] if path.is_file()]
    texts += [output("go", "env", "GOPROXY"), output("npm", "config", "get", "registry"), output("python3", "-m", "pip", "config", "list"),
              output("python3", "-c", "from pip._internal.models.index import PyPI; print(PyPI.url)"), os.environ.get("PIP_INDEX_URL", "")]
    return {match[1] for match in re.finditer(r"https?://(?:[^/@\s]*@)?([\w.-]+)", "\n".join(texts)) if "." in match[1]}


words = sorted({*folders(), *hosts()})
pattern = "|".join(rf"(?<![\w.-]){re.escape(word)}" for word in words)
paths = tree.files()
complaints = []
for path in paths:
    for line, match in tree.matches(pattern, tree.text(path)) if words else ():
        complaints.append(f"{path}:{line}: '{match[0]}' is of this machine")
tree.finish(complaints, len(paths))
