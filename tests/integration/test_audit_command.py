# SPDX-License-Identifier: Apache-2.0
"""`navigator audit` as people use it: on a file, on a log, and on one that grows, turns and shrinks."""
import json
import os
import pty
import signal
import subprocess
import time

import pytest

from helpers.audit import write
from helpers.sanitizers import skip_with_sanitizers

DENIED = ("egress", "network", "verdict", "denied", "via", "proxy", "host", "evil.test", "port", "443", "binary", "/usr/bin/curl", "pid", "58",
          "reason", "no_host", "detail", "no policy names the host")
ALLOWED = ("egress", "network", "verdict", "allowed", "via", "proxy", "host", "api.test", "port", "443", "binary", "/usr/bin/git", "policy", "web")
SESSION = ("launcher", "session_refused", "session", "4", "reason", "no \x1b[31mway")


@pytest.fixture
def lines(programs):
    return lambda *events: write(programs, *events)


@pytest.fixture
def audit(programs, tmp_path):
    def run(*arguments, text=""):
        return subprocess.run([programs / "navigator", "audit", *arguments], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=20, check=False, cwd=tmp_path)
    return run


class Following:
    """navigator audit --follow, and what it has said so far."""

    def __init__(self, programs, *arguments, stdin=subprocess.DEVNULL):
        self.process = subprocess.Popen([programs / "navigator", "audit", "--follow", *map(str, arguments)], stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ""

    def said(self, *words, seconds=5):
        deadline = time.monotonic() + seconds
        while not all(word in self.text for word in words):
            assert time.monotonic() < deadline and self.process.poll() is None, self.text
            self.text += (self.process.stdout.read() or b"").decode()
            time.sleep(0.01)
        return self.text.splitlines()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        self.process.stdout.close()
        errors = self.process.stderr.read().decode()
        self.process.stderr.close()
        return self.process.wait(5), errors


@pytest.fixture
def follow(programs):
    started = []

    def start(*arguments, **options):
        started.append(Following(programs, *arguments, **options))
        return started[-1]
    yield start
    for following in started:
        if following.process.poll() is None:
            following.process.kill()
            following.process.wait()


def messages(text):
    return [line[25:] for line in text.splitlines()]


def test_lines_are_shorthands(audit, lines):
    done = audit("--file", "-", text=lines(DENIED, ALLOWED, SESSION))
    assert messages(done.stdout) == [
        "denied: /usr/bin/curl (58) -> evil.test:443, no_host: no policy names the host",
        "allowed: /usr/bin/git -> api.test:443, policy web",
        "session 4 refused: no \\u001b[31mway"]
    assert done.returncode == 0 and done.stderr == "" and done.stdout[:2] == "20" and done.stdout[23] == "Z"


def test_other_text_is_passed_over(audit, lines):
    """A container's log has the launcher's warnings, too; and a line may be anything."""
    noise = "navigator-sidecar: warning: x\n{\n{}\n[]\n{\"metadata\":{\"product\":{\"name\":\"other\"}}}\n" + "{" * 200000 + "\n\n"
    done = audit("--file", "-", text=noise + lines(ALLOWED) + noise + lines(DENIED).rstrip())
    assert len(messages(done.stdout)) == 2 and done.returncode == 0


def test_json_is_the_line(audit, lines):
    text = lines(DENIED, SESSION)
    done = audit("--file", "-", "--output", "json", text=text)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("filters, count", [
    (["verdict=denied"], 1), (["verdict=*"], 2), (["verdict!=denied"], 2), (["event=network", "host=*.test"], 2), (["host=evil.test", "host=api.test"], 2),
    (["host=evil.test", "binary=*git"], 0), (["dst_endpoint.port=443"], 0), (["port=443"], 2), (["role=launcher"], 1), (["severity_id=3"], 2),
    (["reason=no_host"], 1), (["class=4001"], 2), (["device.type_id=99"], 1)])
def test_filters(audit, lines, filters, count):
    assert len(audit("--file", "-", *filters, text=lines(DENIED, ALLOWED, SESSION)).stdout.splitlines()) == count


def test_a_filter_that_cannot_fit_is_said(audit, lines):
    done = audit("--file", "-", "hots=evil.test", text=lines(DENIED))
    assert (done.stdout, done.stderr) == ("", "navigator audit: no line has a field 'hots'\n")


@pytest.mark.parametrize("filters, words", [(["denied"], "is no filter"), (["=x"], "is no filter"), (["!=x"], "is no filter"), (["a=b"] * 33, "more than 32")])
def test_bad_filters(audit, filters, words):
    done = audit("--file", "-", *filters)
    assert done.returncode == 2 and words in done.stderr


def test_the_last_lines(audit, lines):
    text = lines(*[DENIED] * 20, ALLOWED)
    assert len(messages(audit("--file", "-", "--last", "3", text=text).stdout)) == 3
    assert len(messages(audit("--file", "-", "--last", "3", "verdict=allowed", text=text).stdout)) == 1
    assert audit("--file", "-", "--last", "0", text=text).stdout == ""
    assert audit("--file", "-", "--last", "1001", text=text).returncode == 2


def test_a_gap_is_said(audit, lines):
    text = lines(*[DENIED] * 9).splitlines(keepends=True)
    done = audit("--file", "-", text="".join(text[:2] + text[7:]))
    assert done.stderr == "navigator audit: lines 3 to 7 are not here\n"


def test_lost_lines_are_said(audit, lines):
    line = json.loads(lines(DENIED))
    line["unmapped"]["lines_lost"] = 5
    assert audit("--file", "-", text=json.dumps(line) + "\n").stdout.endswith("(5 lines before it were lost)\n")


def test_what_a_line_says_does_not_reach_the_terminal(audit, lines):
    line = json.loads(lines(DENIED))
    line["message"], line["time_dt"] = "a\x1b[2Jb\nc\x7f\u202eü", "\x1b]0;"
    done = audit("--file", "-", text=json.dumps(line) + "\n")
    assert all(letter == "\n" or " " <= letter <= "~" for letter in done.stdout) and done.stdout.count("\n") == 1


def test_files_that_are_not_there(audit):
    done = audit("--file", "nowhere")
    assert done.returncode == 2 and "'nowhere'" in done.stderr
    done = audit()
    assert done.returncode == 2 and "kubectl logs POD -c navigator" in done.stderr


def test_colour_on_a_terminal_alone(programs, audit, lines, tmp_path):
    (tmp_path / "log").write_text(lines(DENIED, ALLOWED))
    master, slave = pty.openpty()
    done = subprocess.run([programs / "navigator", "audit", "--file", tmp_path / "log"], stdout=slave, check=True, timeout=10)
    os.close(slave)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert "\033[31m20" in shown and "\033[32m20" in shown and done.returncode == 0
    assert "\033" not in audit("--file", "log").stdout


def test_follow_what_comes(follow, lines, tmp_path):
    log = tmp_path / "log"
    log.write_text(lines(*[ALLOWED] * 30))
    following = follow("--file", log)
    assert len(following.said("allowed")) == 10, "the last ten that were there"
    text = lines(DENIED, SESSION)
    with log.open("a") as out:
        begin = time.monotonic()
        out.write(text[:300])
        out.flush()
        time.sleep(0.1)
        out.write(text[300:])
        out.flush()
        following.said("denied: ", "session 4 refused")
        assert time.monotonic() - begin < 0.9, "it is told, and does not only look now and then"
    assert following.interrupt() == (0, "")


def test_follow_filters(follow, lines, tmp_path):
    log = tmp_path / "log"
    log.write_text(lines(DENIED, ALLOWED))
    following = follow("--file", log, "--last", "0", "--output", "json", "verdict=denied")
    with log.open("a") as out:
        time.sleep(0.2)
        out.write(lines(ALLOWED, DENIED))
        out.flush()
        assert [json.loads(line)["activity_id"] for line in following.said("\n")] == [5]
    assert following.interrupt()[0] == 0


def test_follow_through_a_rotation(follow, lines, tmp_path):
    log = tmp_path / "log"
    log.write_text(lines(ALLOWED))
    following = follow("--file", log)
    following.said("allowed")
    for number in range(5):
        with log.open("a") as out:
            out.write(lines((*SESSION[:3], f"{number}1", *SESSION[4:])))
        log.rename(tmp_path / "log.1")
        with log.open("w") as out:
            out.write(lines((*SESSION[:3], f"{number}2", *SESSION[4:])))
        following.said(f"session {number}1 refused", f"session {number}2 refused")
    assert len(following.said("session 42 refused")) == 11, "each line once"
    assert following.interrupt()[0] == 0


def test_follow_a_file_that_is_cut(follow, lines, tmp_path):
    log = tmp_path / "log"
    log.write_text(lines(*[ALLOWED] * 5))
    following = follow("--file", log)
    following.said("allowed")
    log.write_text(lines(DENIED))
    following.said("denied: ")
    log.unlink()
    time.sleep(0.2)
    log.write_text(lines(SESSION))
    following.said("session 4 refused", seconds=3)
    assert following.interrupt()[0] == 0


def test_follow_a_log_that_is_piped(follow, lines):
    reader, writer = os.pipe()
    following = follow("--file", "-", stdin=reader)
    os.close(reader)
    os.write(writer, lines(*[ALLOWED] * 12).encode())
    assert len(following.said("allowed")) <= 12
    os.write(writer, lines(DENIED).encode())
    following.said("denied: ")
    os.close(writer)
    assert following.process.wait(5) == 0, "its end is the end"


def test_follow_ends_when_nobody_reads(follow, lines, tmp_path):
    log = tmp_path / "log"
    log.write_text(lines(ALLOWED))
    following = follow("--file", log)
    following.said("allowed")
    following.process.stdout.close()
    assert following.process.wait(3) == 0


def test_follow_in_bounded_memory(programs, follow, lines, tmp_path):
    """A line without end, and twenty thousand lines."""
    skip_with_sanitizers(programs, "their own memory is much more")
    log = tmp_path / "log"
    log.write_text(lines(*[ALLOWED] * 10))
    following = follow("--file", log, "--last", "1000", "host=evil.test")
    with log.open("a") as out:
        out.write("{" * (32 << 20) + "\n")
        out.write(lines(*[ALLOWED] * 1000) * 20)
        out.write(lines(DENIED))
        out.flush()
    following.said("denied: ", seconds=20)
    peak = next(int(line.split()[1]) for line in open(f"/proc/{following.process.pid}/status") if line.startswith("VmHWM"))
    assert peak < 24 * 1024, f"{peak} KiB"
    assert following.interrupt()[0] == 0


# ---- on a pod: what `kubectl exec POD -c navigator -- ...` does

def test_A1_the_sidecar_shows_its_audit(pod):
    pod.run("sh", "-c", "exit 7")
    shown = pod.podman_exec("navigator", "navigator", "audit", "event=session_*", "--last", "2").stdout
    start, end = messages(shown)
    assert ' runs ["sh","-c","exit 7"] in ' in start and "ended: exit code 7 after " in end
    logged = [line for line in pod.logs().splitlines() if line.startswith("{")]
    shown = pod.podman_exec("navigator", "navigator", "audit", "--output", "json").stdout.splitlines()
    assert json.loads(shown[-1]) in [json.loads(line) for line in logged]


def test_A1_what_was_denied_in_the_pod_is_suggested(pod):
    assert pod.shell("curl -sf --max-time 5 http://nobody.example.org:8081/").code != 0
    done = pod.podman_exec("navigator", "navigator", "policy", "suggest")
    assert "{host: nobody.example.org, port: 8081}" in done.stdout and "{path: /usr/bin/curl}" in done.stdout, done


def test_A5_who_watches_the_audit_opens_no_door(pod):
    """While somebody's navigator runs in the sidecar's container, the workload's root, which can be its uid, gets into the container by it no more than else."""
    watching = subprocess.Popen(pod.engine.command("exec", pod.container("navigator"), "navigator", "audit", "--follow"), env=pod.engine.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert watching.stdout.readline()
        script = "pid=$(pgrep -f '^navigator audit') && for user in 0 64700; do setpriv --reuid $user --regid $user --clear-groups ls /proc/$pid/root/run; done"
        done = pod.podman_exec("workload", "bash", "-c", script)
        assert done.stdout == "" and done.stderr.count("Permission denied") == 2, done
    finally:
        watching.kill()
        watching.communicate()


def test_A5_who_is_in_the_sidecar_writes_no_audit(pod):
    """Its container has our programs alone, none of which writes files; the launcher's output is not theirs."""
    for argv in (["sh", "-c", "echo forged > /run/navigator/audit.jsonl; echo forged > /proc/1/fd/1"], ["navigator", "audit", "--file", "/proc/1/fd/1"]):
        pod.podman_exec("navigator", *argv, timeout=20)
    assert "forged" not in pod.logs().splitlines()
    assert '"forged' not in pod.podman_exec("navigator", "navigator", "audit", "--output", "json", "event!=session_*").stdout
