"""Commands while the engine hangs: they say so, and end."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import ctui, refused


@pytest.fixture
def hung(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A socket whose owner was stopped."""
    path = tmp_path / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        yield path


def test_doctor_names_an_engine_that_hangs(repository: Path, hung: Path) -> None:
    """S14: it does not wait for it like everybody else."""
    done = ctui(repository, "doctor", "--json", code=1)
    engine = next(check for check in json.loads(done.stdout) if check["name"] == "engine")
    assert not engine["ok"]
    assert "does not answer" in engine["found"]
    assert str(hung) in engine["found"]
    assert "restart" in engine["mend"]


@pytest.mark.parametrize("command", [["run", "go"], ["volume", "list"], ["image", "build"]])
@pytest.mark.usefixtures("hung")
def test_every_command_says_that_the_engine_hangs(repository: Path, command: list[str]) -> None:
    """S14: also one whose driver has to ask the engine first."""
    said = refused(repository, *command, ANTHROPIC_API_KEY="sk-ant-api-nobody-1")
    assert "does not answer" in said
