# SPDX-License-Identifier: Apache-2.0
"""Builds with sanitizers: what they cannot be asked."""
import subprocess

import pytest


def skip_with_sanitizers(programs, reason: str) -> None:
    headers = subprocess.run(["readelf", "--wide", "--dynamic", programs / "navigator-sidecar"], stdout=subprocess.PIPE, text=True, check=True).stdout
    if "libasan" in headers or "libubsan" in headers:
        pytest.skip(reason)
