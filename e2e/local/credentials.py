# SPDX-License-Identifier: Apache-2.0
"""What client and gateway know of each other: a certificate for 127.0.0.1, a bearer token, a kubeconfig."""
import base64
import json
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Credentials:
    folder: Path
    token: str

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.crt"

    @property
    def key(self) -> Path:
        return self.folder / "tls.key"

    def kubeconfig(self, path: Path, port: int) -> Path:
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "navigator",
            "contexts": [{"name": "navigator", "context": {"cluster": "navigator", "user": "navigator"}}],
            "clusters": [{"name": "navigator", "cluster": {
                "server": f"https://127.0.0.1:{port}",
                "certificate-authority-data": base64.b64encode(self.certificate.read_bytes()).decode()}}],
            "users": [{"name": "navigator", "user": {"token": self.token}}],
        }, indent=2))
        path.chmod(0o600)
        return path


def create(folder: Path) -> Credentials:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    credentials = Credentials(folder, secrets.token_urlsafe(32))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "30",
         "-subj", "/CN=navigator", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", credentials.key, "-out", credentials.certificate],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (folder / "token").write_text(credentials.token)
    (folder / "token").chmod(0o600)
    return credentials
