# SPDX-License-Identifier: Apache-2.0
"""An OpenSSH server of our own on loopback, with keys of its own, and an ssh that holds a connection to it.

What root's start-up files on this machine do would be measured too (bash reads ~/.bashrc below sshd even for a command): the server runs in
a mount namespace of its own where a fresh home lies over root's, as /etc/skel makes one.
"""
import os
import shutil
import subprocess
import time
from pathlib import Path

from local.pod import free_port
from local.progress import Failure

# PAM would measure the machine's configuration, not sshd.
CONFIGURATION = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PrintMotd no
PrintLastLog no
MaxSessions 64
"""


class Sshd:
    """with Sshd(folder) as sshd: sshd.control is the control socket"""

    def __init__(self, folder: Path):
        self.folder = folder
        self.control = folder / "control"
        self.home = folder / "home"
        self.processes = []

    def __enter__(self) -> "Sshd":
        self.folder.mkdir(mode=0o700, parents=True)
        shutil.copytree("/etc/skel", self.home)
        port = free_port()
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        (self.folder / "sshd_config").write_text(CONFIGURATION.format(port=port, folder=self.folder))
        Path("/run/sshd").mkdir(exist_ok=True)  # where sshd confines the process that speaks before authentication
        try:
            # by its absolute path, which sshd wants: it executes itself again
            server = shutil.which("sshd", path="/usr/sbin:/usr/bin")
            self._start("unshare", "--mount", "sh", "-c", 'mount --bind "$0" ~ && exec "$@"', self.home, server, "-D", "-e", "-f",
                        self.folder / "sshd_config")
            self._connect(port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self, *command) -> subprocess.Popen:
        with (self.folder / "log").open("a") as log:
            self.processes.append(subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        return self.processes[-1]

    def _connect(self, port: int, seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while not self.control.exists():
            client = self._start("ssh", "-F", "none", "-M", "-S", self.control, "-N", "-p", port, "-i", self.folder / "user", "-o", "BatchMode=yes",
                                 "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.folder}/known", "root@127.0.0.1")
            while client.poll() is None and not self.control.exists():
                time.sleep(0.02)
            if time.monotonic() > deadline:
                raise Failure(f"no connection to our own sshd:\n{(self.folder / 'log').read_text()[-2000:]}")

    def __exit__(self, *_) -> None:
        for process in reversed(self.processes):
            process.terminate()
            process.wait()

    @staticmethod
    def version() -> str:
        return subprocess.run(["ssh", "-V"], stderr=subprocess.PIPE, text=True, check=False).stderr.split(",")[0].strip()


def environment(home: Path) -> dict:
    """Of the bare anchors, alike."""
    return {"HOME": str(home), "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def shell() -> str:
    """sshd runs what it is asked to run by the shell of the user."""
    return os.path.basename(next(line.split(":")[6].strip() for line in Path("/etc/passwd").read_text().splitlines() if line.startswith("root:")))
