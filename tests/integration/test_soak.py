# SPDX-License-Identifier: Apache-2.0
"""The short form of tests/soak/run: some hundreds of sessions, and what they leave. How fast they were is judged by tests/soak/run alone."""
import pytest

from helpers.sanitizers import skip_with_sanitizers
from helpers.stopwatch import Stopwatch
from soak.soak import PROGRAM, SHORT, WARM_UP, soak


@pytest.mark.parametrize("way", ["unix", "tls"])
def test_soak(pods, programs, way):
    skip_with_sanitizers(programs, "sanitizers keep freed memory on purpose, so its growth says nothing")
    sandbox = pods.fresh()
    stopwatch = Stopwatch(programs)
    opened = stopwatch.tls_session if way == "tls" else stopwatch.local_session
    report = soak(sandbox, lambda count, parallel: opened(sandbox, PROGRAM, count, parallel), SHORT, judge_time=False)
    assert not report.complaints, "\n".join(report.lines)


def test_soak_sees_what_is_left(pods, programs):
    """The same with a session that stays: the count of processes has to say so."""
    sandbox = pods.fresh()
    stopwatch = Stopwatch(programs)
    streams = []

    def run(count: int, parallel: int):
        if count != WARM_UP:
            streams.append(sandbox.client.open(["sleep", "600"]))
        return stopwatch.local_session(sandbox, PROGRAM, count, parallel)

    report = soak(sandbox, run, SHORT[:1])
    for stream in streams:
        stream.drop()
    assert any("processes in the pod" in complaint for complaint in report.complaints), "\n".join(report.lines)
    assert any("descriptors" in complaint for complaint in report.complaints), "\n".join(report.lines)
