# SPDX-License-Identifier: Apache-2.0
"""Where the test cluster keeps its things, and what it calls them.

The programs stay in the cache between runs; the state of the running cluster goes with `down`.
"""
import os
from dataclasses import dataclass
from pathlib import Path

from local.images import CACHE

HERE = Path(__file__).resolve().parent
NODE = "node-1"
NODE_ADDRESS = "10.77.0.1"
API_ADDRESS = "10.96.0.1"  # the first of the service range: the `kubernetes` Service
SERVICE_RANGE = "10.96.0.0/16"


@dataclass(frozen=True)
class Layout:
    base: Path

    @classmethod
    def default(cls):
        return cls(Path(os.environ.get("NAVIGATOR_CLUSTER") or CACHE / "cluster").resolve())

    @property
    def programs(self) -> Path:
        return self.base / "programs"

    @property
    def state(self) -> Path:
        return self.base / "state"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def node(self) -> Path:
        """What the node writes to /etc, /opt and /var."""
        return self.state / "node"

    @property
    def kubeconfig(self) -> Path:
        return self.pki / "admin.kubeconfig"

    @property
    def ready(self) -> Path:
        """Written by pid 1 when the API answers and every program was started."""
        return self.state / "started"
