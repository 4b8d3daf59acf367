"""Commands that run at each start, beside the CLI, with small programs in the CLI's place."""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path

import pytest

from ctui.paths import resource
from tests.relay.test_relay import ECHO, Relay


@pytest.fixture
def relay(tmp_path: Path) -> Relay:
    return Relay([sys.executable, "-c", ECHO], tmp_path)


def begin(relay: Relay, folder: Path, *commands: str) -> None:
    message = {"env": {"WORD": "hello", "TMPDIR": str(folder)}, "start": commands}
    relay.send(json.dumps(message).encode() + b"\n")


def test_one_that_cannot_start_leaves_nothing_open(tmp_path: Path) -> None:
    """A command that is longer than the kernel takes."""
    file = resource("docker") / "relay" / "start_commands.py"
    start = runpy.run_path(str(file))["_run"]
    told: list[dict[str, object]] = []
    before = len(list(Path("/proc/self/fd").iterdir()))
    start(["x" * (1 << 22)], {"TMPDIR": str(tmp_path)}, lambda _, **said: told.append(said))
    assert len(told) == 1
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def said_but_of_home(relay: Relay) -> dict[str, object]:
    while (one := relay.said())["ctui_relay"] == "home":
        pass
    return one


def test_they_run_in_order_with_the_task_s_variables_beside_the_cli(
    relay: Relay, tmp_path: Path
) -> None:
    pipe = tmp_path / "told"
    begin(relay, tmp_path, f'echo "$WORD" > {tmp_path}/one', f"mkfifo {pipe}; cat {pipe}", "false")
    relay.send(b'{"n": 1}\n')
    assert relay.line() == b'{"n": 1}\n'  # the CLI answers while the second one waits
    assert relay.said()["ctui_relay"] == "started"
    while not pipe.exists():
        pass
    assert (tmp_path / "one").read_text() == "hello\n"
    pipe.write_text("what it printed\n")
    said = said_but_of_home(relay)
    log = tmp_path / "ctui-start.log"
    reason = f"false (its output: {log})"
    assert said == {"ctui_relay": "start_failed", "code": 1, "reason": reason}
    assert log.read_text() == "what it printed\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert relay.end() == 143


def test_the_first_that_fails_is_the_last(relay: Relay, tmp_path: Path) -> None:
    begin(relay, tmp_path, "echo oops >&2; exit 7", f"touch {tmp_path}/two")
    said = [said_but_of_home(relay), said_but_of_home(relay)]
    (failed,) = [one for one in said if one["ctui_relay"] == "start_failed"]
    assert failed["code"] == 7
    assert (tmp_path / "ctui-start.log").read_text() == "oops\n"
    assert not (tmp_path / "two").exists()
    relay.end()


def test_a_pipe_in_the_log_s_place_stops_nothing(relay: Relay, tmp_path: Path) -> None:
    """A folder that outlives runs is named by `TMPDIR`, and the task has a pipe there."""
    os.mkfifo(tmp_path / "ctui-start.log")
    begin(relay, tmp_path, "true")
    said = [said_but_of_home(relay), said_but_of_home(relay)]
    assert {one["ctui_relay"] for one in said} == {"started", "start_failed"}
    relay.send(b'{"n": 1}\n')
    assert relay.line() == b'{"n": 1}\n'
    relay.end()


def test_what_one_leaves_running_holds_up_nothing(relay: Relay, tmp_path: Path) -> None:
    """A server that a command starts keeps the files that it was given open."""
    begin(relay, tmp_path, "sleep 60 & echo $! > left", "exit 3")
    said = [said_but_of_home(relay), said_but_of_home(relay)]
    assert 3 in [one.get("code") for one in said]
    relay.send(b'{"n": 1}\n')
    assert relay.line() == b'{"n": 1}\n'
    relay.end()


@pytest.mark.parametrize("forged", ["", "x", "9 1", "-5 0", "1", "1 2 3", "9" * 100])
def test_what_a_task_writes_in_between_harms_nothing(
    relay: Relay, tmp_path: Path, forged: str
) -> None:
    """The script is a process of the task's user, and so is whoever reaches its files."""
    begin(relay, tmp_path, f"printf '{forged}' > /proc/$PPID/fd/3; kill -9 $PPID")
    relay.send(b'{"n": 1}\n')
    assert relay.line() == b'{"n": 1}\n'
    assert relay.end() == 143
