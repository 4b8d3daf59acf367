"""The relay as a plain process, with small programs in the CLI's place."""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
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

    def __init__(self, child: Sequence[str], home: Path, launcher: str = "") -> None:
        python = [sys.executable, "-I", "-S", *(["-c", launcher] if launcher else [])]
        self.process = subprocess.Popen(
            [*python, str(resource("docker") / "relay"), *child],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
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
    while "handlers" not in _state(relay):
        pass
    assert relay.end() == 143


def _state(relay: Relay) -> str:
    """Whether the kernel says that SIGTERM is caught (proc(5), SigCgt)."""
    status = Path(f"/proc/{relay.process.pid}/status").read_text()
    caught = int(status.split("SigCgt:")[1].split()[0], 16)
    return "handlers" if caught & (1 << (signal.SIGTERM - 1)) else ""


def test_orphans_are_collected(home: Path) -> None:
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


def test_a_line_without_an_end_is_dropped_and_the_next_is_not() -> None:
    relay = runpy.run_path(str(resource("docker") / "relay"))
    lines = relay["Lines"]()
    for _ in range(65):
        assert lines.feed(b"x" * (1 << 20)) == []
    assert lines.feed(b'x\n{"a": 1}\n{') == [b'{"a": 1}']
    assert lines.feed(b"}\n") == [b"{}"]
