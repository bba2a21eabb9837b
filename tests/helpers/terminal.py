# SPDX-License-Identifier: Apache-2.0
"""A real terminal that a test types into and reads."""
import subprocess
import time


class Terminal:
    """A real terminal: tmux runs the command and gives us its screen."""

    def __init__(self, folder, environment: dict, *command):
        self.tmux = ["tmux", "-f", "/dev/null", "-S", str(folder / "tmux")]
        self.environment = {**environment, "TERM": "xterm-256color"}
        self._run("new-session", "-d", "-x", "90", "-y", "25", *command)

    def _run(self, *words) -> str:
        return subprocess.run([*self.tmux, *words], env=self.environment, check=True, stdout=subprocess.PIPE, text=True, timeout=10).stdout

    def type(self, *keys) -> None:
        self._run("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def wait_for(self, text: str, seconds: float = 15) -> str:
        deadline = time.monotonic() + seconds
        while text not in self.screen():
            assert time.monotonic() < deadline, f"{text!r} is not on the screen:\n{self.screen()}"
            time.sleep(0.1)
        return self.screen()

    def close(self) -> None:
        subprocess.run([*self.tmux, "kill-server"], check=False, stderr=subprocess.DEVNULL)
