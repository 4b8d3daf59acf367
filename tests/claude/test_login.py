"""Which login counts, and that it is asked for once however many want it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from ctui.claude.credentials import Credential, forget_credential, store_credential
from ctui.claude.login import LoginSearch, describe, time_left
from ctui.claude.login_record import WINDOW, LoginRecord, read_record, write_record
from ctui.errors import LoginRequired
from ctui.paths import Paths
from tests.claude import keyrings

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


# -- keyrings that work, and ask

_TWENTY_AT_ONCE = """
    from concurrent.futures import ThreadPoolExecutor
    from ctui.claude.login import LoginSearch
    from ctui.paths import Paths
    search = LoginSearch(Paths.from_environment(), {})
    with ThreadPoolExecutor(20) as pool:
        print({done.result().value for done in [pool.submit(search.find) for _ in range(20)]})
    print(search.find().value)
"""


def stored_in_a_keyring(tmp_path: Path, seconds: str = "0") -> tuple[dict[str, str], Path]:
    folder = tmp_path / "keyring"
    environment = keyrings.keyring_environment(folder, keyrings.WORKING)
    keyrings.run(
        environment,
        f"""
        from ctui.claude.credentials import Credential, store_credential
        from ctui.paths import Paths
        store_credential(Paths.from_environment(), Credential.parse({STORED!r}))
        """,
    )
    (folder / "asked").unlink()
    return {**environment, "KEYRING_SECONDS": seconds}, folder


def test_threads_that_want_it_at_once_ask_once(tmp_path: Path) -> None:
    environment, folder = stored_in_a_keyring(tmp_path, "0.3")
    said = keyrings.run(environment, _TWENTY_AT_ONCE)
    assert said.splitlines() == [f"{{'{STORED}'}}", STORED]
    assert len(keyrings.asked(folder)) == 2


def test_processes_take_turns_and_who_only_shows_it_takes_the_record(tmp_path: Path) -> None:
    environment, folder = stored_in_a_keyring(tmp_path, "0.2")
    begin = """
        from ctui.claude.login import LoginSearch, describe
        from ctui.paths import Paths
        search = LoginSearch(Paths.from_environment(), {})
    """
    want = [keyrings.start(environment, begin + "    print(search.find().value)") for _ in range(4)]
    assert [process.communicate(timeout=40) for process in want] == [(f"{STORED}\n", "")] * 4
    questions = keyrings.asked(folder)
    assert len(questions) == 8
    for begun, ended in zip(questions[::2], questions[1::2], strict=True):
        assert (begun[0], ended[0], begun[1:]) == ("+", "-", ended[1:])

    (folder / "asked").unlink()
    Paths.from_environment().state.joinpath("login.json").unlink()
    show = begin + "    print(describe(search.state()))"
    processes = [keyrings.start(environment, show) for _ in range(6)]
    said = [process.communicate(timeout=40) for process in processes]
    assert said == [("Claude token from the keyring\n", "")] * 6
    assert len(keyrings.asked(folder)) == 2


def test_another_login_counts_at_once_in_every_process(tmp_path: Path) -> None:
    environment, _ = stored_in_a_keyring(tmp_path)
    said = keyrings.run(
        environment,
        f"""
        from ctui.claude.credentials import Credential, forget_credential, store_credential
        from ctui.claude.login import LoginSearch
        from ctui.paths import Paths
        paths = Paths.from_environment()
        driver, setup = LoginSearch(paths, {{}}), LoginSearch(paths, {{}})
        driver.find(), driver.find()
        store_credential(paths, Credential.parse({STORED!r} + "-new"))
        print(driver.find().value, setup.state().kind)
        forget_credential(paths)
        try:
            driver.find()
        except Exception as error:
            print(error)
        """,
    )
    assert said.splitlines() == [f"{STORED}-new oauth", "Claude Code has no login here"]


def test_who_waits_for_a_turn_gives_up(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    monkeypatch.setattr("ctui.claude.login._TURN_SECONDS", 0.2)
    paths.state.mkdir(parents=True)
    with (
        FileLock(paths.state / "login.lock"),
        pytest.raises(LoginRequired, match="asking for the login") as caught,
    ):
        LoginSearch(paths, {}).find()
    assert caught.value.hint


def test_who_waited_while_it_failed_does_not_ask_again(
    paths: Paths, environ: dict[str, str]
) -> None:
    from filelock import FileLock

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
        with FileLock(paths.state / "login.lock"):
            jobs = [pool.submit(ask) for _ in range(8)]
            begun.wait()
        for job in jobs:
            job.result(timeout=10)
    assert failed == ["Claude Code's own login on this machine has expired"] * 8


def test_a_secret_of_an_mcp_server_is_found_where_keyring_stores_it(tmp_path: Path) -> None:
    environment = keyrings.keyring_environment(tmp_path / "keyring", keyrings.WORKING)
    subprocess.run(
        [sys.executable, "-m", "keyring", "set", "ctui", "mcp:files"],
        env=environment,
        input="a-secret",
        text=True,
        check=True,
    )
    said = keyrings.run(
        environment,
        """
        from ctui.claude import vault
        from ctui.claude.mcp_secrets import resolve
        print(resolve("<${keyring:files}>", "here", {}, vault.read))
        """,
    )
    assert said == "('<a-secret>', ['a-secret'])\n"


# -- keyrings that do not work

_LOOK_AND_STORE = f"""
    import time
    from ctui.claude import vault
    from ctui.claude.credentials import Credential, forget_credential, store_credential
    from ctui.claude.login import LoginSearch
    from ctui.errors import CtuiError
    from ctui.paths import Paths
    vault._PATIENCE = vault._PATIENCE_WITH_PERSON = 1.0
    paths = Paths.from_environment()
    began = time.monotonic()
    def say(ask):
        try:
            print(ask())
        except CtuiError as error:
            print(error.message)
    say(LoginSearch(paths, {{}}).find)
    say(lambda: store_credential(paths, Credential.parse({STORED!r})))
    say(lambda: LoginSearch(paths, {{}}).find().value)
    say(lambda: forget_credential(paths))
    assert time.monotonic() - began < 5
"""


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (keyrings.raising("OSError(5, 'secret of the platform')"), "cannot be used (OSError)"),
        (keyrings.raising("RuntimeError('\\x1b[2J')"), "cannot be used (RuntimeError)"),
        (keyrings.raising("KeyboardInterrupt"), "cannot be used (KeyboardInterrupt)"),
        (keyrings.raising("SystemExit(3)"), "cannot be used (SystemExit)"),
        (keyrings.raising("keyring.errors.KeyringLocked('no')"), "cannot be used (KeyringLocked)"),
        (keyrings.HANGING, "does not answer within 1 s"),
        (keyrings.HANGING_AT_THE_CHOICE, "does not answer within 1 s"),
    ],
)
def test_a_keyring_that_does_not_work_costs_a_moment_and_a_line(
    tmp_path: Path, paths: Paths, body: str, complaint: str
) -> None:
    environment = keyrings.keyring_environment(tmp_path / "keyring", body)
    said = keyrings.run(environment, _LOOK_AND_STORE).splitlines()
    assert said == [
        f"Claude Code has no login here; the keyring {complaint}",
        f"{paths.config}/credential (mode 0600, not encrypted: the keyring {complaint})",
        STORED,
        f"the keyring {complaint}: a login in it is still there",
    ]
