# SPDX-License-Identifier: Apache-2.0
"""The cluster's authority, the certificates it signs, and the kubeconfigs that carry them. One set per `up`, good for a month."""
import base64
import json
import subprocess
from pathlib import Path

from .layout import API_ADDRESS, NODE, NODE_ADDRESS, Layout

SERVER = f"https://{API_ADDRESS}:443"
API_NAMES = "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost"

# name of the files -> subject, alternative names, has a kubeconfig
CERTIFICATES = {
    "apiserver": ("/CN=kube-apiserver", f"{API_NAMES},IP:127.0.0.1,IP:{API_ADDRESS},IP:{NODE_ADDRESS}", False),
    "kubelet-client": ("/O=system:masters/CN=kube-apiserver-kubelet-client", "", False),
    "front-proxy": ("/CN=front-proxy", "", False),
    "kubelet": (f"/O=system:nodes/CN=system:node:{NODE}", f"DNS:{NODE},IP:{NODE_ADDRESS},IP:127.0.0.1", True),
    "controller-manager": ("/CN=system:kube-controller-manager", "", True),
    "scheduler": ("/CN=system:kube-scheduler", "", True),
    "admin": ("/O=system:masters/CN=admin", "", True),
}


def create(layout: Layout) -> None:
    pki = layout.pki
    pki.mkdir(parents=True, mode=0o700)
    new_key(pki / "ca.key")
    openssl("req", "-x509", "-key", pki / "ca.key", "-days", "30", "-subj", "/CN=navigator-e2e",
            "-addext", "basicConstraints=critical,CA:TRUE", "-out", pki / "ca.crt")
    for name, (subject, names, client) in CERTIFICATES.items():
        sign(pki, name, subject, names)
        if client:
            write_kubeconfig(pki, name)
    new_key(pki / "service-accounts.key")
    openssl("pkey", "-in", pki / "service-accounts.key", "-pubout", "-out", pki / "service-accounts.pub")


def sign(pki: Path, name: str, subject: str, names: str) -> None:
    new_key(pki / f"{name}.key")
    extensions = "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n"
    if names:
        extensions += f"subjectAltName={names}\n"
    (pki / "extensions").write_text(extensions)
    openssl("req", "-new", "-key", pki / f"{name}.key", "-subj", subject, "-out", pki / "request")
    openssl("x509", "-req", "-in", pki / "request", "-CA", pki / "ca.crt", "-CAkey", pki / "ca.key", "-CAcreateserial",
            "-days", "30", "-extfile", pki / "extensions", "-out", pki / f"{name}.crt")


def write_kubeconfig(pki: Path, name: str) -> None:
    def data(file):
        return base64.b64encode((pki / file).read_bytes()).decode()
    # JSON is YAML; the certificates travel inside, so that the file can be copied
    (pki / f"{name}.kubeconfig").write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "navigator-e2e",
        "clusters": [{"name": "navigator-e2e", "cluster": {"server": SERVER, "certificate-authority-data": data("ca.crt")}}],
        "users": [{"name": name, "user": {"client-certificate-data": data(f"{name}.crt"), "client-key-data": data(f"{name}.key")}}],
        "contexts": [{"name": "navigator-e2e", "context": {"cluster": "navigator-e2e", "user": name}}],
    }, indent=2))


def new_key(path: Path) -> None:
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", path)


def openssl(*arguments) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
