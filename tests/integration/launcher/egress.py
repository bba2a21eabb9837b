# SPDX-License-Identifier: Apache-2.0
"""What the tests of egress ask: a request through it, and what the audit says of one."""
import time


def wait_for(done, limit=5):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if value := done():
            return value
        time.sleep(0.05)
    raise TimeoutError("it did not happen in time")


def events(pod, name="network", **wanted):
    return [line for line in pod.audit() if line["event"] == name and all(line.get(key) == value for key, value in wanted.items())]


def heard(pod, name="network", **wanted):
    return wait_for(lambda: events(pod, name, **wanted))[-1]


def curl(shell, url, *options, proxy=True):
    """(HTTP status as curl saw it, of the proxy's answer to CONNECT, body)"""
    way = ["--proxy", "http://127.0.0.1:3128", "--noproxy", ""] if proxy else ["--noproxy", "*"]
    done = shell("/usr/bin/curl", "-sk", "--max-time", "10", "-w", "\n%{http_code} %{http_connect}", *way, *options, url)
    body, _, codes = done.out.decode().rpartition("\n")
    status, connect = codes.split()
    return int(status), int(connect), body, done.code
