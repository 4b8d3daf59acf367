"""What the commands say of the login, whatever the machine's keyring does."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.claude import keyrings
from tests.cli.commands import run

TOKEN = "sk-ant-oat01-abcdefghijklmnop"


def ctui(*arguments: str, given: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    return run(Path.cwd(), *arguments, given=given, **environ)


def login_check(**environ: str) -> dict[str, Any]:
    checks = json.loads(ctui("doctor", "--json", **environ).stdout)
    found: dict[str, Any] = next(check for check in checks if check["name"] == "login")
    return found


def keep_platform_login(seconds: float) -> Path:
    folder = Path(os.environ["CLAUDE_CONFIG_DIR"])
    folder.mkdir(exist_ok=True)
    end = int((time.time() + seconds) * 1000)
    file = folder / ".credentials.json"
    file.write_text(json.dumps({"claudeAiOauth": {"accessToken": TOKEN, "expiresAt": end}}))
    return file


def test_doctor_shows_the_kind_the_place_and_the_end() -> None:
    file = keep_platform_login(6 * 3600 + 300)
    check = login_check()
    assert check["ok"]
    assert check["found"] == f"Claude token from Claude Code ({file}), expires in 6 h"
    assert check["brief"] == "6 h"
    assert login_check(ANTHROPIC_API_KEY=TOKEN)["found"] == "API key from ANTHROPIC_API_KEY"


def test_doctor_says_that_it_has_expired_and_what_renews_it() -> None:
    keep_platform_login(-10)
    check = login_check()
    assert not check["ok"]
    assert "has expired" in check["found"]
    assert "run `claude` once" in check["mend"]


def test_setup_says_what_tasks_use_from_now_on() -> None:
    done = ctui("setup", "--no-image", given=TOKEN)
    assert done.returncode == 0
    assert "tasks use the Claude token from " in done.stdout
    done = ctui("setup", "--no-image", given=TOKEN, ANTHROPIC_API_KEY="sk-ant-api03-abcdefgh")
    assert "tasks use the API key from ANTHROPIC_API_KEY" in done.stdout
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "body", [keyrings.HANGING_AT_THE_CHOICE, keyrings.raising("ValueError('\\x1b]0;x')")]
)
def test_a_keyring_that_does_not_work_costs_seconds_and_a_line(tmp_path: Path, body: str) -> None:
    environ = keyrings.keyring_environment(tmp_path / "keyring", body)
    began = time.monotonic()
    done = ctui("doctor", **environ)
    assert time.monotonic() - began < 20
    assert "NO  login    Claude Code has no login here; the keyring " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr
