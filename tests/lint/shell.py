# SPDX-License-Identifier: Apache-2.0
"""shellcheck on every shell script; exit code 77 (a skip) where it is not installed."""
import shutil
import subprocess
import sys

import tree

scripts = [path for path in tree.files() if tree.text(path)[:64].split("\n")[0].startswith(("#!/bin/bash", "#!/bin/sh", "#!/usr/bin/env bash"))]
if not shutil.which("shellcheck"):
    print("skipped: shellcheck is not installed")
    sys.exit(77)
result = subprocess.run(["shellcheck", "--severity=style", *scripts], cwd=tree.TREE, stdout=subprocess.PIPE, text=True, check=False)
tree.finish([result.stdout] if result.returncode else [], len(scripts))
