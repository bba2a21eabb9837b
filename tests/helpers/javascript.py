# SPDX-License-Identifier: Apache-2.0
"""What tests/clients/package.json names, installed once."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

CLIENTS = Path(__file__).resolve().parents[1] / "clients"


def installed() -> Path:
    """The folder that has node_modules; skips the test where there is no Node or no registry."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed: JavaScript clients are not tried")
    version = json.loads((CLIENTS / "package.json").read_text())["dependencies"]["@kubernetes/client-node"]
    folder = Path(os.environ.get("NAVIGATOR_CACHE", "/var/cache/navigator")) / f"client-node-{version}"
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(CLIENTS / "package.json", folder)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"npm cannot install the JavaScript clients: {done.stderr[-200:]}")
        (folder / "ready").touch()
    return folder
