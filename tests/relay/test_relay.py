"""The relay as a plain process, with small programs in the CLI's place."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from ctui.paths import resource

ECHO = (
    "import sys\n"
    "for line in sys.stdin.buffer:\n    sys.stdout.buffer.write(line); sys.stdout.flush()"
)
FIRST = b'{"env": {}}\n'


class Relay:
    """A relay that runs, and its ends."""

    def __init__(
        self, child: Sequence[str], home: Path, launcher: str = "", cwd: Path | None = None
    ) -> None:
        python = [sys.executable, "-I", "-S", *(["-c", launcher] if launcher else [])]
        self.process = subprocess.Popen(
            [*python, str(resource("docker") / "relay"), *child],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
            cwd=cwd or home,
        )

    def send(self, data: bytes) -> None:
        self.pipe(self.process.stdin).write(data)
        self.pipe(self.process.stdin).flush()

    def line(self) -> bytes:
        return self.pipe(self.process.stdout).readline()

    def said(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.pipe(self.process.stderr).readline())
        return value

    def end(self) -> int:
        self.process.terminate()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            self.pipe(stream).close()
        return self.process.wait()

    @staticmethod
    def pipe(stream: IO[bytes] | None) -> IO[bytes]:
        assert stream is not None
        return stream


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def test_whole_lines_go_through_and_torn_ones_do_not(home: Path) -> None:
    relay = Relay([sys.executable, "-c", ECHO], home)
    relay.send(FIRST)
    assert relay.said()["ctui_relay"] == "started"
    relay.send(b'{"a": 1}\n{"torn": \n[1]\n"text"\n\n{"b": 2}\n')
    assert [relay.line(), relay.line()] == [b'{"a": 1}\n', b'{"b": 2}\n']
    assert [relay.said()["bytes"] for _ in range(3)] == [9, 3, 6]
    assert relay.end() == 143


def test_what_follows_the_first_line_in_one_write_is_not_lost(home: Path) -> None:
    relay = Relay([sys.executable, "-c", ECHO], home)
    big = json.dumps({"x": "y" * 200_000}).encode() + b"\n"
    relay.send(b'torn{"env": 1}\n' + FIRST + big)
    assert relay.line() == big
    relay.end()


def test_its_first_line_may_come_again_and_goes_to_nobody(home: Path) -> None:
    """S10: whoever sent it to an engine that broke off cannot know that it came."""
    relay = Relay([sys.executable, "-c", ECHO], home)
    relay.send(FIRST)
    assert relay.said()["ctui_relay"] == "started"
    relay.send(b'{"env": {"SECRET": "s"}, "files": {}}\n{"type": "user", "env": {}}\n')
    assert relay.line() == b'{"type": "user", "env": {}}\n'
    relay.end()


def test_a_child_that_does_not_read_does_not_stop_the_reading(home: Path) -> None:
    # A pipe holds 64 KiB: that 5 MB can be written proves that the relay went on reading. The
    # child reads once a signal, which the relay passes on, has told it to.
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGUSR1, lambda *_: None)\nprint('up', flush=True)\nsignal.pause()\n"
        "print(sum(len(sys.stdin.buffer.readline()) for _ in range(5)), flush=True)"
    )
    relay = Relay([sys.executable, "-c", code], home)
    line = json.dumps({"x": "y" * 1_000_000}).encode() + b"\n"
    relay.send(FIRST)
    assert relay.line() == b"up\n"
    relay.send(line * 5)
    relay.process.send_signal(signal.SIGUSR1)
    assert int(relay.line()) == 5 * len(line)
    relay.end()


def test_the_environment_and_files_are_set_and_nothing_leaves_home(home: Path) -> None:
    code = "import os\nprint(os.environ['TOKEN'], open(os.environ['HOME'] + '/.c/s.json').read())"
    relay = Relay([sys.executable, "-c", code], home)
    message = {"env": {"TOKEN": "t0"}, "files": {".c/s.json": {"content": "{}", "mode": 0o600}}}
    relay.send(json.dumps(message).encode() + b"\n")
    assert relay.line() == b"t0 {}\n"
    assert (home / ".c/s.json").stat().st_mode & 0o777 == 0o600
    assert relay.process.wait() == 0
    relay.end()


@pytest.mark.parametrize("name", ["../out", "/etc/out", "link/out", ""])
def test_a_file_outside_home_ends_the_relay(home: Path, name: str) -> None:
    (home / "link").symlink_to("/tmp")
    relay = Relay([sys.executable, "-c", ECHO], home)
    relay.send(json.dumps({"env": {}, "files": {name: {"content": "x"}}}).encode() + b"\n")
    assert relay.said()["ctui_relay"] == "failed"
    assert relay.process.wait() == 127
    assert not (home.parent / "out").exists()
    relay.end()


def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(home: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("safe")
    (home / "settings").symlink_to(victim)
    relay = Relay([sys.executable, "-c", ECHO], home)
    relay.send(b'{"env": {}, "files": {"settings": {"content": "new"}}}\n')
    assert relay.said()["ctui_relay"] == "started"
    assert victim.read_text() == "safe"
    assert (home / "settings").read_text() == "new"
    relay.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_reach_the_child_and_its_end_is_told(home: Path, number: signal.Signals) -> None:
    code = (
        "import signal, sys\n"
        "for n in (1, 2, 15): signal.signal(n, lambda n, f: sys.exit(n))\n"
        "print('up', flush=True)\nsignal.pause()"
    )
    relay = Relay([sys.executable, "-c", code], home)
    relay.send(FIRST)
    assert relay.line() == b"up\n"
    assert relay.said()["ctui_relay"] == "started"
    relay.process.send_signal(number)
    assert relay.said() == {"ctui_relay": "exited", "code": int(number)}
    assert relay.process.wait() == int(number)
    relay.end()


def test_a_child_killed_by_a_signal_ends_as_a_shell_would_say(home: Path) -> None:
    relay = Relay([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], home)
    relay.send(FIRST)
    assert relay.process.wait() == 137
    relay.end()


def test_the_end_of_stdin_does_not_end_the_child(home: Path) -> None:
    code = (
        "import signal, sys\nsignal.signal(15, lambda *_: sys.exit(7))\n"
        "print('up', flush=True)\nsignal.pause()"
    )
    relay = Relay([sys.executable, "-c", code], home)
    relay.send(FIRST)
    assert relay.line() == b"up\n"
    relay.pipe(relay.process.stdin).close()
    relay.process.terminate()
    assert relay.process.wait() == 7
    for stream in (relay.process.stdout, relay.process.stderr):
        relay.pipe(stream).close()


def test_a_command_that_does_not_exist_is_told(home: Path) -> None:
    relay = Relay(["/nonexistent"], home)
    relay.send(FIRST)
    assert relay.said()["ctui_relay"] == "failed"
    assert relay.process.wait() == 127
    relay.end()


def test_a_relay_that_waits_for_its_first_line_ends_when_told(home: Path) -> None:
    relay = Relay([sys.executable, "-c", ECHO], home)
    relay.send(b"{}\n")  # it reads, so its handlers stand
    while not _takes_signals(relay):
        pass
    assert relay.end() == 143


def _takes_signals(relay: Relay) -> bool:
    """Return True if the kernel says that SIGTERM is blocked, to be read (proc(5), SigBlk)."""
    status = Path(f"/proc/{relay.process.pid}/status").read_text()
    blocked = int(status.split("SigBlk:")[1].split()[0], 16)
    return bool(blocked & (1 << (signal.SIGTERM - 1)))


def test_orphans_are_collected(home: Path) -> None:
    """T27: zombies do not fill the table of processes."""
    code = (
        "import os, sys, time\n"
        "middle = os.fork()\n"
        "if middle == 0:\n"
        "    if os.fork() == 0: print(os.getpid(), flush=True)\n"
        "    os._exit(0)\n"
        "os.waitpid(middle, 0)\n"
        "sys.stdin.readline()"
    )
    # A subreaper inherits orphans as the first process of a container does (prctl(2)).
    launcher = (
        "import ctypes, runpy, sys\nctypes.CDLL(None).prctl(36, 1)\n"
        "sys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    )
    relay = Relay([sys.executable, "-c", code], home, launcher=launcher)
    relay.send(FIRST)
    orphan = int(relay.line())
    while Path(f"/proc/{orphan}").exists():
        pass
    assert relay.process.poll() is None
    relay.end()


def test_a_line_without_an_end_is_dropped_and_the_next_is_not(home: Path) -> None:
    relay = Relay([sys.executable, "-c", ECHO], home)
    relay.send(FIRST)
    assert relay.said()["ctui_relay"] == "started"
    for _ in range(129):
        relay.send(b"x" * (1 << 20))
    assert relay.said()["ctui_relay"] == "dropped"
    relay.send(b'x\n{"a": 1}\n')
    assert relay.line() == b'{"a": 1}\n'
    relay.end()


def test_a_line_of_64_mb_goes_both_ways(home: Path) -> None:
    relay = Relay([sys.executable, "-c", ECHO], home)
    line = b'{"x": "' + b"y" * (64 << 20) + b'"}\n'
    relay.send(FIRST + line)
    assert relay.line() == line
    relay.end()


def test_all_of_a_flood_arrives_in_order_before_the_end(home: Path) -> None:
    code = (
        "import sys\n"
        "for start in range(0, 3_000_000, 1000):\n"
        "    sys.stdout.write(''.join(f'{n}\\n' for n in range(start, start + 1000)))"
    )
    relay = Relay([sys.executable, "-c", code], home)
    relay.send(FIRST)
    stdout = relay.pipe(relay.process.stdout)
    assert all(int(line) == number for number, line in enumerate(stdout, 0))
    assert relay.process.wait() == 0
    said = relay.pipe(relay.process.stderr).read().splitlines()
    assert json.loads(said[-1]) == {"ctui_relay": "exited", "code": 0}
    relay.end()


def test_a_full_stdout_holds_up_neither_stderr_nor_stdin(home: Path) -> None:
    code = (
        "import sys, threading\n"
        "threading.Thread(target=lambda: print('x' * 5_000_000, flush=True)).start()\n"
        "line = sys.stdin.readline()\n"
        "print(line, file=sys.stderr, flush=True)"
    )
    relay = Relay([sys.executable, "-c", code], home)
    relay.send(FIRST + b"[1]\n" + b'["no object"]\n' + b'{"a": 1}\n')
    seen = [relay.pipe(relay.process.stderr).readline() for _ in range(4)]
    assert seen[-1] == b'| {"a": 1}\n'
    assert relay.line() == b"x" * 5_000_000 + b"\n"
    relay.end()


@pytest.mark.parametrize(
    "line",
    [
        '{"ctui_relay": "exited", "code": 0}',
        '  {"ctui_relay": "exited"}',
        '\ufeff\x00\t{"ctui_\\u0072elay": 1}',
    ],
)
def test_no_line_of_the_cli_looks_like_one_of_the_relay(home: Path, line: str) -> None:
    """T1, T2: only the relay speaks for the relay."""
    code = f"import sys; sys.stderr.buffer.write({line.encode()!r})"
    relay = Relay([sys.executable, "-c", code], home)
    relay.send(FIRST)
    assert relay.said()["ctui_relay"] == "started"
    assert relay.pipe(relay.process.stderr).readline() == b"| " + line.encode() + b"\n"
    assert relay.said() == {"ctui_relay": "exited", "code": 0}
    relay.end()


def test_plain_lines_of_stderr_are_left_as_they_are(home: Path) -> None:
    code = "import sys; sys.stderr.write('Error: x {}\\n    at y {\\n\\n')"
    relay = Relay([sys.executable, "-c", code], home)
    relay.send(FIRST)
    stderr = relay.pipe(relay.process.stderr).read()
    assert b"\nError: x {}\n    at y {\n\n{" in stderr
    relay.end()


def test_the_cli_s_streams_are_sockets_that_go_one_way(home: Path) -> None:
    code = (
        "import os\n"
        "def tried(what):\n"
        "    try: return what()\n"
        "    except OSError as error: return type(error).__name__ + str(error.errno)\n"
        "print([os.readlink(f'/proc/self/fd/{n}').split(':')[0] for n in range(3)])\n"
        "print([tried(lambda: os.open(f'/proc/self/fd/{n}', os.O_WRONLY)) for n in range(3)])\n"
        "print(tried(lambda: os.write(0, b'x')), os.read(1, 9), os.read(2, 9))"
    )
    relay = Relay([sys.executable, "-c", code], home)
    relay.send(FIRST)
    assert relay.line() == b"['socket', 'socket', 'socket']\n"
    assert relay.line() == b"['OSError6', 'OSError6', 'OSError6']\n"
    assert relay.line() == b"BrokenPipeError32 b'' b''\n"
    relay.end()


def test_who_holds_the_cli_s_streams_does_not_hold_up_its_end(home: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "child = 'import sys; sys.stdin.read(); print(1, flush=True)'\n"
        "holder = subprocess.Popen([sys.executable, '-c', child], stdin=subprocess.PIPE)\n"
        "import os; print('last', end=''); sys.stdout.flush(); os._exit(3)"
    )
    relay = Relay([sys.executable, "-c", code], home)
    relay.send(FIRST)
    assert relay.process.wait() == 3
    assert relay.pipe(relay.process.stdout).read() == b"last"
    relay.end()


def test_a_stopped_cli_goes_on(home: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGSTOP); print('on')"
    relay = Relay([sys.executable, "-c", code], home)
    relay.send(FIRST)
    assert relay.line() == b"on\n"
    relay.end()


ID = "6f1f9e7e-8c1f-4c39-9f0a-0a7f6a3c2b11"
_ARGUMENTS = "import sys; print(sys.argv[1])"


@pytest.mark.parametrize("given", ["--session-id", "--resume"])
@pytest.mark.parametrize(
    ("content", "started"),
    [
        (None, "--session-id"),
        ("", "--session-id"),
        ('{"type":"queue-operation"}\n', "--session-id"),
        ('{"type":"queue-operation"}\n{"parentUuid":null,"type":"user"}\n', "--resume"),
    ],
)
def test_the_home_says_whether_there_is_a_session(
    home: Path, given: str, content: str | None, started: str
) -> None:
    """T7, S3: a session that exists is resumed, and one that does not begins."""
    folder = _sessions(home, home)
    folder.mkdir(parents=True)
    if content is not None:
        (folder / f"{ID}.jsonl").write_text(content)
    relay = Relay([sys.executable, "-c", _ARGUMENTS, f"{given}={ID}"], home)
    relay.send(FIRST)
    assert relay.line().decode() == f"{started}={ID}\n"
    assert relay.said()["resumed"] is (started == "--resume")
    assert (folder / f"{ID}.jsonl").exists() is (started == "--resume")
    relay.end()


def _sessions(home: Path, cwd: Path) -> Path:
    """Return where the CLI keeps the sessions of a folder; only for names that are not long."""
    return home / ".claude/projects" / re.sub("[^0-9A-Za-z]", "-", str(cwd))


@pytest.mark.parametrize("place", ["", "link", "file"])
def test_a_session_is_found_from_another_folder(home: Path, tmp_path: Path, place: str) -> None:
    """T22: the CLI looks where it starts, and a task may have deleted that folder."""
    before, now = _sessions(home, tmp_path / "gone"), _sessions(home, tmp_path)
    (before / ID).mkdir(parents=True)
    (before / f"{ID}.jsonl").write_text('{"type":"user"}\n')
    if place == "link":
        now.symlink_to(tmp_path / "nowhere")
    elif place == "file":
        now.touch()
    relay = Relay([sys.executable, "-c", _ARGUMENTS, f"--resume={ID}"], home, cwd=tmp_path)
    relay.send(FIRST)
    assert relay.line().decode() == f"--resume={ID}\n"
    assert (now / f"{ID}.jsonl").read_text() == '{"type":"user"}\n'
    assert (now / ID).is_dir()
    assert not list(before.iterdir())
    relay.end()


def test_a_link_in_a_session_s_place_is_none(home: Path, tmp_path: Path) -> None:
    """T7: what a task left is not followed out of its home."""
    folder = home / ".claude/projects/x"
    folder.mkdir(parents=True)
    (tmp_path / "other").write_text('{"type":"user"}\n')
    (folder / f"{ID}.jsonl").symlink_to(tmp_path / "other")
    relay = Relay([sys.executable, "-c", _ARGUMENTS, f"--resume={ID}"], home)
    relay.send(FIRST)
    assert relay.line().decode() == f"--session-id={ID}\n"
    relay.end()


def test_what_the_cli_reads_from_home_is_moved_aside_and_told(home: Path, tmp_path: Path) -> None:
    """T26: settings, rules, hooks, servers and start files that ctui did not write."""
    known = "written by ctui"
    (tmp_path / "outside").mkdir()
    (home / ".claude/agents/deep").mkdir(parents=True)
    (home / ".claude/agents/deep/a.md").write_text("evil")
    (home / ".claude/rules").symlink_to(tmp_path / "outside")
    (home / ".claude/session-env/empty").mkdir(parents=True)
    (home / ".claude/settings.json").write_text(known)
    (home / ".claude.json").write_text('{"projects": {"/w": {"mcpServers": {"x": {}}}}}')
    (home / ".bashrc").mkdir()
    (home / ".bashrc/x").write_text("")
    (home / ".claude/todos.json").write_text("kept")
    guard = [
        *(f".claude/{name}" for name in ("agents", "rules", "session-env", "settings.json")),
        *(".claude.json", ".bashrc", ".profile"),
    ]
    message = {
        "env": {},
        "guard": guard,
        "known": {".claude/settings.json": [hashlib.sha256(known.encode()).hexdigest()]},
        "files": {".claude.json": {"content": "{}"}},
    }
    relay = Relay([sys.executable, "-c", ECHO], home)
    relay.send(json.dumps(message).encode() + b"\n")
    moved = [".claude/agents", ".claude/rules", ".claude.json", ".bashrc"]
    assert relay.said() == {"ctui_relay": "set_aside", "paths": moved}
    assert relay.said()["ctui_relay"] == "started"
    (shelf,) = (home / ".ctui-set-aside").iterdir()
    assert (shelf / ".claude/agents/deep/a.md").read_text() == "evil"
    assert (shelf / ".claude/rules").is_symlink()
    assert (home / ".claude.json").read_text() == "{}"
    assert (home / ".claude/todos.json").read_text() == "kept"
    assert list((tmp_path / "outside").iterdir()) == []
    relay.end()


@pytest.mark.parametrize("place", [".claude", ".ctui-set-aside"])
def test_a_link_on_the_way_does_not_keep_a_task_from_starting(
    home: Path, tmp_path: Path, place: str
) -> None:
    """T26: a neighbour: the folder itself leads elsewhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "settings.json").write_text("evil")
    (home / place).symlink_to(outside)
    (home / ".bashrc").write_text("evil")
    files = {".claude/mcp.json": {"content": "{}"}}
    message = {"env": {}, "guard": [".claude/settings.json", ".bashrc"], "files": files}
    relay = Relay([sys.executable, "-c", ECHO], home)
    relay.send(json.dumps(message).encode() + b"\n")
    said = relay.said()
    assert said["ctui_relay"] == "set_aside"
    assert ".bashrc" in said["paths"]
    assert relay.said()["ctui_relay"] == "started"
    assert (home / ".claude/mcp.json").read_text() == "{}"
    assert [path.name for path in outside.iterdir()] == ["settings.json"]
    relay.end()


def test_the_cli_s_own_state_is_no_alarm(home: Path) -> None:
    """T26: what the CLI writes by itself in every run stays."""
    (home / ".claude.json").write_text('{"numStartups": 3, "projects": {"/w": {"mcpServers": {}}}}')
    relay = Relay([sys.executable, "-c", ECHO], home)
    relay.send(b'{"env": {}, "guard": [".claude.json"]}\n')
    assert relay.said()["ctui_relay"] == "started"
    relay.end()


def test_the_size_of_home_is_told_when_it_changes(home: Path, tmp_path: Path) -> None:
    """T5: bytes and files, without links and without what is linked twice."""
    (tmp_path / "big").write_bytes(b"x" * 10_000_000)
    (home / "link").symlink_to(tmp_path / "big")
    (home / "folder").mkdir()
    (home / "folder/file").write_bytes(b"x" * 1_000_000)
    (home / "folder/again").hardlink_to(home / "folder/file")
    relay = Relay([sys.executable, "-c", ECHO], home)
    relay.send(b'{"env": {}, "measure_seconds": 0.05}\n')
    assert relay.said()["ctui_relay"] == "started"
    first = relay.said()
    assert (first["ctui_relay"], first["files"]) == ("home", 3)
    assert 1_000_000 <= first["bytes"] < 2_000_000
    (home / "more").write_bytes(b"x" * 3_000_000)
    while (later := relay.said())["bytes"] < 4_000_000:
        pass
    assert later["files"] == 4
    relay.end()


def test_a_home_that_a_task_made_huge_takes_no_memory(home: Path) -> None:
    """T5, T26: a neighbour: files of many gigabytes in the place of what the relay reads."""
    folder = home / ".claude/projects/x"
    folder.mkdir(parents=True)
    for path in (folder / f"{ID}.jsonl", home / ".claude/settings.json", home / ".claude.json"):
        with path.open("wb") as file:
            file.truncate(2 << 30)
    message = {"env": {}, "guard": [".claude/settings.json", ".claude.json"]}
    relay = Relay([sys.executable, "-c", _ARGUMENTS, f"--resume={ID}"], home)
    relay.send(json.dumps(message).encode() + b"\n")
    assert relay.said()["paths"] == [".claude/settings.json", ".claude.json"]
    assert relay.line().decode() == f"--session-id={ID}\n"
    relay.process.wait()
    relay.end()


def test_a_flood_goes_out_no_faster_than_it_can_be_stopped(home: Path) -> None:
    """T5: 300 MB on stdout: after a burst the CLI has to wait, and nothing of it is lost."""
    flood = "import sys\nfor _ in range(300):\n    sys.stdout.write('x' * 999_999 + '\\n')"
    relay = Relay([sys.executable, "-c", flood], home)
    relay.send(FIRST)
    began = time.monotonic()
    for _ in range(36):
        assert len(relay.line()) == 1_000_000
    # The burst is 32 MiB, and then come 4 MiB in a second.
    assert 0.3 < time.monotonic() - began < 10
    began = time.monotonic()
    relay.end()
    assert time.monotonic() - began < 5


def test_what_a_cli_said_before_it_ended_is_not_held_back(home: Path) -> None:
    """T5: a neighbour: more than a burst, from a program that is over at once."""
    said = "import sys\nsys.stdout.write(('x' * 99_999 + '\\n') * 400)"
    relay = Relay([sys.executable, "-c", said], home)
    relay.send(FIRST)
    assert [len(relay.line()) for _ in range(400)] == [100_000] * 400
    assert relay.line() == b""
    relay.end()
