# SPDX-License-Identifier: Apache-2.0
"""The short form of tests/soak/connections: some thousand connections, and what they leave."""
import os

import egress
import pytest
from soak.connections import SHORT_SECONDS, soak


def test_EG4_connections_leave_nothing(build, tmp_path):
    if os.environ.get("NAVIGATOR_PRESET") == "asan":
        pytest.skip("sanitizers keep freed memory on purpose, so its growth says nothing")
    pod = egress.start(build, tmp_path)
    try:
        lines, complaints = soak(pod, SHORT_SECONDS)
    finally:
        egress.stop(pod)
    assert not complaints, "\n".join(lines)
