# SPDX-License-Identifier: Apache-2.0
"""The pod and the world that the tests of egress share; a request through it, and what the audit says of one."""
import subprocess
import time

import outside
from runc_pod import Pod

POLICY = """
version: 1
filesystem_policy:
  read_only: [/usr, /lib, /etc, /proc]
  read_write: [/sandbox, /tmp, /dev/null]
process: {run_as_user: sandbox, run_as_group: sandbox}
network_policies:
  web:
    name: web
    endpoints:
      - {host: web.test, ports: [80, 443]}
      - {host: "*.wild.test", port: 443}
      - {host: "**.deep.test", port: 443}
      - {host: database.test, port: 5432}
      - {host: mixed.test, port: 80}
      - {host: metadata.test, port: 80}
      - {host: loop.test, port: 80}
      - {host: 127.0.0.1, port: 80}
      - {host: gone.test, port: 80}
      - {host: silent.test, port: 80}
      - {host: rebind.test, port: 80}
      - {host: listed.test, port: 80, allowed_ips: [10.2.0.0/16]}
      - {host: unlisted.test, port: 80, allowed_ips: [10.3.0.0/16]}
      - {host: "*.inside.test", port: 80}
      - {host: localhost, port: 8080}
      - {host: localhost, port: 8443}
      - {host: 10.1.2.3, port: 80}
      - {host: skipped.test, port: 443, tls: skip}
    binaries: [{path: "/**"}]
  range:
    endpoints:
      - {host: "", port: 8080, allowed_ips: [10.2.0.0/16]}
      - {host: "", ports: [2379, 2380, 6443, 10250, 10255], allowed_ips: [10.2.0.0/16]}
    binaries: [{path: "/**"}]
  only_git:
    endpoints: [{host: git.test, port: 443}]
    binaries: [{path: /usr/bin/git}]
  only_curl:
    endpoints: [{host: curl.test, port: 80}]
    binaries: [{path: /usr/bin/curl}]
  learning:
    endpoints: [{host: learning.test, port: 80, enforcement: audit}]
    binaries: [{path: /usr/bin/git}]
"""

PUBLIC = "203.0.113.10"  # TEST-NET-3: for hosts that the policy names exactly
ROUTED = "93.184.216.34"  # of no private range
WORLD = {
    "addresses": [f"{PUBLIC}/32", f"{ROUTED}/32", "10.1.2.3/32", "10.2.0.5/32"],
    "names": {
        "web.test": [PUBLIC], "api.wild.test": [ROUTED], "a.b.deep.test": [ROUTED], "database.test": [PUBLIC], "git.test": [PUBLIC], "curl.test": [PUBLIC],
        "learning.test": [PUBLIC], "skipped.test": [PUBLIC], "gone.test": ["203.0.113.10"], "mixed.test": [PUBLIC, "127.0.0.1"],
        "metadata.test": ["169.254.169.254"], "loop.test": ["127.0.0.1"], "silent.test": [],
        "rebind.test": [[PUBLIC], ["127.0.0.1"]], "listed.test": ["10.2.0.5"], "unlisted.test": ["10.2.0.5"], "a.inside.test": ["10.2.0.5"],
    },
    "tcp": [[PUBLIC, 80, "http"], [PUBLIC, 443, "tls"], [ROUTED, 443, "tls"], ["10.2.0.5", 80, "http"], [PUBLIC, 5432, "banner"], ["10.1.2.3", 80, "http"], ["10.2.0.5", 8080, "http"],
            ["127.0.0.1", 8080, "http"], ["127.0.0.1", 9090, "http"]],
}


def start(build, folder, world=None, policy=POLICY, **settings):
    """A pod with such a policy, and the world outside it."""
    certificate = [str(folder / "crt"), str(folder / "key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=web.test",
                    "-keyout", certificate[1], "-out", certificate[0]], check=True, capture_output=True)
    (folder / "policy.yaml").write_text(policy)
    pod = Pod(build, policy=["--policy", folder / "policy.yaml"], **settings)
    pod.world = outside.start(pod.pause, {**(world or WORLD), "certificate": certificate}, folder)
    pod.folder = folder
    (pod.root / "etc/resolv.conf").write_text("nameserver 10.96.0.10\nsearch default.svc.test\noptions ndots:1\n")
    try:
        pod.start()
        wait_for(lambda: events(pod, "policy_in_force"))
    except BaseException:
        stop(pod)
        raise
    return pod


def stop(pod):
    print(pod.log("sidecar"), *pod.audit(), sep="\n")
    pod.world.kill()
    pod.world.wait()
    pod.destroy()


def wait_for(done, limit=5):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if value := done():
            return value
        time.sleep(0.05)
    raise TimeoutError("it did not happen in time")


def events(pod, name="network", **wanted):
    return [line for line in pod.audit() if line["event"] == name and all(str(line.get(key)) == str(value) for key, value in wanted.items())]


def heard(pod, name="network", **wanted):
    return wait_for(lambda: events(pod, name, **wanted))[-1]


def curl(shell, url, *options, proxy=True):
    """(HTTP status as curl saw it, of the proxy's answer to CONNECT, body)"""
    way = ["--proxy", "http://127.0.0.1:3128", "--noproxy", ""] if proxy else ["--noproxy", "*"]
    done = shell("/usr/bin/curl", "-sk", "--max-time", "10", "-w", "\n%{http_code} %{http_connect}", *way, *options, url)
    body, _, codes = done.out.decode().rpartition("\n")
    status, connect = codes.split()
    return int(status), int(connect), body, done.code
