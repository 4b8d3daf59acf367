"""Which login counts, and who waits for it."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from ctui.claude.login.credentials import Credential, forget_credential, store_credential
from ctui.claude.login.login import LoginSearch, describe, time_left
from ctui.claude.login.login_record import WINDOW, LoginRecord, read_record, write_record
from ctui.errors import LoginRequired
from ctui.file_lock import FileLock
from ctui.paths import Paths

ENVIRONMENT = "sk-ant-api03-environment"
STORED = "sk-ant-oat01-stored-abcdef"
CLAUDE = "sk-ant-oat01-claude-abcdef"
SECOND = 1_000_000_000


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"CLAUDE_CONFIG_DIR": str(tmp_path / "claude")}


def keep_platform_login(environ: dict[str, str], token: str, seconds: float = 6 * 3600) -> None:
    file = Path(environ["CLAUDE_CONFIG_DIR"]) / ".credentials.json"
    file.parent.mkdir(exist_ok=True)
    end = int((time.time() + seconds) * 1000)
    file.write_text(json.dumps({"claudeAiOauth": {"accessToken": token, "expiresAt": end}}))


def test_the_environment_comes_first_then_what_is_stored_then_claudes_own(
    paths: Paths, environ: dict[str, str]
) -> None:
    keep_platform_login(environ, CLAUDE)
    assert LoginSearch(paths, environ).find().value == CLAUDE
    store_credential(paths, Credential.parse(STORED))
    assert LoginSearch(paths, environ).find().value == STORED
    search = LoginSearch(paths, {**environ, "ANTHROPIC_API_KEY": ENVIRONMENT})
    assert search.find().value == ENVIRONMENT
    assert search.kept().value == STORED
    forget_credential(paths)
    assert search.kept().value == CLAUDE


def test_without_any_login_it_is_said_what_to_do(paths: Paths, environ: dict[str, str]) -> None:
    with pytest.raises(LoginRequired, match=r"^Claude Code has no login here$") as caught:
        LoginSearch(paths, environ).find()
    assert "ctui setup" in caught.value.hint


def test_what_is_shown_says_the_kind_the_place_and_the_end(
    paths: Paths, environ: dict[str, str]
) -> None:
    keep_platform_login(environ, CLAUDE, seconds=6 * 3600 + 30)
    record = LoginSearch(paths, environ).state()
    file = f"{environ['CLAUDE_CONFIG_DIR']}/.credentials.json"
    assert describe(record) == f"Claude token from Claude Code ({file}), expires in 6 h"
    store_credential(paths, Credential.parse(STORED))
    record = LoginSearch(paths, environ).state()
    assert describe(record) == f"Claude token from {paths.config}/credential"
    record = LoginSearch(paths, {"ANTHROPIC_API_KEY": ENVIRONMENT}).state()
    assert describe(record) == "API key from ANTHROPIC_API_KEY"


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5, "0 min"), (150, "2 min"), (7300, "2 h"), (50 * 3600, "2 d")]
)
def test_a_short_time_is_left(seconds: int, text: str) -> None:
    end = time.time_ns() + seconds * SECOND
    assert time_left(LoginRecord(0, "", "oauth", "claude", "", end)) == text


def test_an_expired_login_is_expired_though_it_was_looked_at_a_moment_ago(
    paths: Paths, environ: dict[str, str]
) -> None:
    keep_platform_login(environ, CLAUDE)
    search = LoginSearch(paths, environ)
    record = search.state()
    keep_platform_login(environ, CLAUDE, seconds=-10)
    write_record(paths, msgspec.structs.replace(record, expires=time.time_ns() - SECOND))
    for ask in (search.state, search.find):
        with pytest.raises(LoginRequired, match="expired") as caught:
            ask()
        assert "run `claude` once" in caught.value.hint


def test_the_disk_has_times_and_a_hash(paths: Paths, environ: dict[str, str]) -> None:
    keep_platform_login(environ, CLAUDE)
    LoginSearch(paths, environ).find()
    files = [path for path in paths.state.rglob("*") if path.is_file()]
    assert (paths.state / "login.json") in files
    for path in files:
        assert CLAUDE[-12:] not in path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600
    record = read_record(paths)
    assert record is not None
    assert abs(record.looked - time.time_ns()) < 60 * SECOND


@pytest.mark.parametrize("content", ["", "nonsense", "{}", '{"looked": "now"}', '{"a":' * 700])
def test_a_damaged_record_is_none(paths: Paths, environ: dict[str, str], content: str) -> None:
    keep_platform_login(environ, CLAUDE)
    LoginSearch(paths, environ).find()
    (paths.state / "login.json").write_text(content)
    assert read_record(paths) is None
    assert LoginSearch(paths, environ).state().place == "claude"


def test_five_minutes_are_the_window_in_both_directions() -> None:
    record = LoginRecord(0, "", "oauth", "keyring", "the keyring")
    for away in (WINDOW - 1, 1 - WINDOW):
        assert record.counts(away)
    for away in (WINDOW, -WINDOW):
        assert not record.counts(away)


def test_a_rejected_login_is_looked_for_again_and_another_one_is_taken(
    paths: Paths, environ: dict[str, str]
) -> None:
    keep_platform_login(environ, CLAUDE)
    search = LoginSearch(paths, environ)
    assert search.find().value == CLAUDE
    assert search.find(but=CLAUDE).value == CLAUDE
    keep_platform_login(environ, CLAUDE + "-renewed")
    assert search.find(but=CLAUDE).value == CLAUDE + "-renewed"
    assert search.find().value == CLAUDE + "-renewed"


def test_who_waits_for_a_turn_gives_up(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctui.claude.login.login._TURN_SECONDS", 0.2)
    paths.state.mkdir(parents=True)
    lock = FileLock(paths.state / "login.lock")
    assert lock.acquire(0)
    with lock, pytest.raises(LoginRequired, match="asking for the login") as caught:
        LoginSearch(paths, {}).find()
    assert caught.value.hint


def test_who_waited_while_it_failed_does_not_ask_again(
    paths: Paths, environ: dict[str, str]
) -> None:
    keep_platform_login(environ, CLAUDE, seconds=-10)
    search = LoginSearch(paths, environ)
    paths.state.mkdir(parents=True)
    failed: list[str] = []
    begun = threading.Barrier(9)

    def ask() -> None:
        begun.wait()
        with pytest.raises(LoginRequired) as caught:
            search.find()
        failed.append(caught.value.message)

    with ThreadPoolExecutor(8) as pool:
        lock = FileLock(paths.state / "login.lock")
        assert lock.acquire(0)
        with lock:
            jobs = [pool.submit(ask) for _ in range(8)]
            begun.wait()
        for job in jobs:
            job.result(timeout=10)
    assert failed == ["Claude Code's own login on this machine has expired"] * 8
