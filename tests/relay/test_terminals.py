"""The server of terminals that runs in a sandbox: what it answers, to any request."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ctui.paths import resource

FOLDER = resource("docker") / "terminal"


class Client:
    """The CLI's end of the server."""

    def __init__(self, folder: Path) -> None:
        argv = [sys.executable, "-I", "-S", str(folder / "server.py")]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._count = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._count += 1
        said = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": params}
        self.say(json.dumps(said).encode())
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert answer["id"] == self._count
        return answer

    def say(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    def call(self, tool: str, **given: Any) -> tuple[str, bool]:
        result = self.ask("tools/call", name=f"terminal_{tool}", arguments=given)["result"]
        return result["content"][0]["text"], result.get("isError", False)

    def end(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.close()
        code = self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    shutil.copytree(FOLDER, tmp_path / "terminal")
    found = find_spec("pyte")
    assert found is not None
    assert found.submodule_search_locations
    shutil.copytree(found.submodule_search_locations[0], tmp_path / "terminal/pyte")
    made = Client(tmp_path / "terminal")
    yield made
    assert made.end() == 0


def test_a_program_is_driven_by_text_and_keys(client: Client) -> None:
    """It asks on its terminal and is answered; the screen is what a person would see; it ends."""
    names = {tool["name"] for tool in client.ask("tools/list")["result"]["tools"]}
    assert names == {f"terminal_{what}" for what in ("open", "send", "snapshot", "close")}
    shown, _ = client.call(
        "open", command='printf "\\033[2;3Hname? "; read name; echo "hi $name"; exit 3', columns=40
    )
    assert shown == "terminal 1\n\n  name?\n[cursor in line 2, column 9]"
    shown, failed = client.call("send", terminal="1", text="you", keys=["backspace", "enter"])
    assert not failed
    waited, _ = client.call("snapshot", terminal="1", wait_for="hi yo")
    assert "  name? yo\nhi yo\n" in waited
    end, _ = client.call("snapshot", terminal="1")
    assert end.endswith("[the program has ended with exit code 3]")
    assert client.call("send", terminal="1", text="x") == (
        "the program has ended with exit code 3",
        True,
    )
    assert client.call("close", terminal="1")[1] is False
    assert client.call("close", terminal="1") == ("there is no such terminal; open: none", True)


def test_a_program_that_does_not_read_or_end_is_no_trouble(client: Client) -> None:
    """Its input waits; a flood is taken; what ignores a hang-up is killed; four are the most."""
    client.call("open", command="stty raw -echo; trap '' HUP INT TERM; sleep 600")
    _, failed = client.call("send", terminal="1", text="x" * 8000)
    assert not failed
    shown, _ = client.call("open", command="seq 1 200000", rows=3)
    assert client.call("snapshot", terminal="2", wait_for="200000", seconds=30)[1] is False
    ended, _ = client.call("close", terminal="1")
    assert "exit code 137" in ended
    for number in range(4):
        shown, failed = client.call("open", command="cat")
        assert failed == (number == 3), shown


@pytest.mark.parametrize(
    ("tool", "given", "words"),
    [
        ("open", {"rows": 0}, "rows is a number"),
        ("open", {"columns": True}, "columns is a number"),
        ("open", {"command": 7}, "command is a text"),
        ("open", {"command": "x" * 9000}, "command is a text"),
        ("send", {"terminal": "9"}, "there is no such terminal"),
        ("send", {}, "there is no such terminal"),
        ("swim", {}, "there is no such tool"),
    ],
)
def test_a_wrong_request_is_said_to_the_model(
    client: Client, tool: str, given: dict[str, Any], words: str
) -> None:
    """And the server goes on, also behind lines that are no request."""
    client.say(b"\xff{")
    client.say(b"[]")
    client.say(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
    said, failed = client.call(tool, **given)
    assert failed
    assert words in said
    assert client.ask("ping")["result"] == {}
    assert client.ask("resources/list")["error"]["code"] == -32601
