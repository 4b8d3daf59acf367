"""Clients that were written for another server of this API: only the address and token differ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.conftest import Served

pytestmark = pytest.mark.engine

_CLIENTS = Path(__file__).parent / "clients"
_BASE_URL = "https://{user}.dev.example.com"


def _client(name: str, folder: Path, **changed: str) -> Path:
    text = (_CLIENTS / name).read_text()
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    return path


def _run(*command: str, **environ: str) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_client(served: Served, repository: Path, tmp_path: Path) -> None:
    client = _client(
        "poll.py.txt",
        tmp_path,
        **{
            _BASE_URL: served.url,
            "your-bearer-token": served.token,
            "/home/dev/myproject": str(repository),
        },
    )
    said = _run(sys.executable, str(client)).splitlines()
    assert said[0].startswith("Task created: ")
    assert said[0].endswith("status: running")
    assert "Status: completed" in said
    assert "__CLAUDE_EXIT_CODE_0__" in said
    assert said[-1] == "Follow-up sent, status: running"
    task = said[0].removeprefix("Task created: ").partition(",")[0]
    finished = served.until(task, "completed")
    assert finished["workdir"] == str(repository)
    # Somebody who polls sees no end before the follow-up was heard.
    assert finished["turns"] == 2


def test_the_bash_client(served: Served, tmp_path: Path) -> None:
    client = _client("poll.sh", tmp_path, **{_BASE_URL: served.url})
    said = _run("bash", str(client), CLAUDE_API_TOKEN=served.token).splitlines()
    assert said[0].startswith("Task created: ")
    status = [line for line in said if line.startswith("Status: ")]
    assert status[-1] == "Status: completed"
    output = said[said.index(status[-1]) + 1 :]
    assert output[-1] == "__CLAUDE_EXIT_CODE_0__"
    kinds = [json.loads(line)["type"] for line in output[:-1]]
    assert kinds[0] == "system"
    assert kinds[-1] == "result"
    assert {"user", "assistant"} < set(kinds)
    assert not {kind for kind in kinds if kind.startswith("control")}
