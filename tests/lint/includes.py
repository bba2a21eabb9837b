# SPDX-License-Identifier: Apache-2.0
"""Who may include whom, and where each library's header may stand."""
from pathlib import Path

import tree

# A layer -> the layers it may include besides itself. The three roles never include each other.
LAYERS = {
    "base": (),
    "policy": ("base",),
    "http": ("base",),
    "sidecar/wire": ("base",),
    "sidecar/audit": ("base",),
    "hook": ("base", "policy", "sidecar/wire"),
    "sidecar/launcher": ("base", "policy", "sidecar/wire", "sidecar/audit"),
    "sidecar/gateway": ("base", "http", "sidecar/wire"),
    "sidecar/egress": ("base", "policy", "sidecar/wire"),
    "node": ("base",),
    "webhook": ("base", "http"),
    "cli": ("base", "policy", "sidecar/gateway", "sidecar/audit"),
}

# A library's header -> the files that are the place to change when the library does. A folder stands for all its files: libevent is the
# loop and the buffers of two roles, OpenSSL their TLS.
LIBRARIES = {
    "yaml.h": ("policy/document.c",),
    "jansson.h": ("policy/json_value.h", "hook/tree.c", "hook/print.c",
                  "sidecar/gateway/api.c", "sidecar/gateway/resize.c", "sidecar/gateway/status.c",
                  "sidecar/gateway/review.c", "node/readiness.c", "sidecar/audit/line.c", "cli/python_index.c", "webhook/"),
    "seccomp.h": ("base/jail.c", "sidecar/launcher/seccomp.c", "http/confine.c", "sidecar/egress/confine.c"),
    "curl/": ("sidecar/gateway/ask.c", "node/request.c"),
    "wslay/": ("sidecar/gateway/stream.c", "cli/"),
    "ldns/": ("sidecar/egress/names.c",),
    "ares": ("sidecar/egress/resolve.c",),
    "http_parser.h": ("http/head.c", "sidecar/egress/request.c"),
    "event2/": ("http/", "webhook/", "sidecar/gateway/", "sidecar/egress/"),
    "zlib.h": ("sidecar/gateway/spdy.c",),
    "openssl/": ("sidecar/gateway/certificate.c", "sidecar/gateway/handshake.c", "http/tls.c", "webhook/review.c"),
}


def layer(path: str) -> str:
    return next((name for name in sorted(LAYERS, key=len, reverse=True) if path.startswith(f"{name}/")), "")


def check(path: Path) -> list:
    source = tree.text(path)
    own = layer(str(path))
    found = []
    if not own:
        return [f"{path}: belongs to no layer of tests/lint/includes.py"]
    for line, match in tree.matches(r'^\s*#\s*include\s+(["<])([^">]+)[">]', source):
        name = match[2]
        if match[1] == '"':
            other = layer(name)
            if not (tree.TREE / name).exists():
                found.append(f'{path}:{line}: "{name}" is not written from the top of the tree')
            elif other != own and other not in LAYERS[own]:
                found.append(f"{path}:{line}: {own} may not include {other} ({name})")
        for library, places in LIBRARIES.items():
            if match[1] == "<" and name.startswith(library) and not str(path).startswith(places):
                found.append(f"{path}:{line}: <{name}> belongs in {', '.join(places)}")
    return found


paths = tree.code()
tree.finish([complaint for path in paths for complaint in check(path)], len(paths))
