"""That a keyring is asked once however many want a login, and one that is broken costs a moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ctui.paths import Paths
from tests.claude import keyrings

STORED = "sk-ant-oat01-stored-abcdef"


_TWENTY_AT_ONCE = """
    from concurrent.futures import ThreadPoolExecutor
    from ctui.claude.login.login import LoginSearch
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
        from ctui.claude.login.credentials import Credential, store_credential
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
        from ctui.claude.login.login import LoginSearch, describe
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
        from ctui.claude.login.credentials import Credential, forget_credential, store_credential
        from ctui.claude.login.login import LoginSearch
        from ctui.paths import Paths
        paths = Paths.from_environment()
        driver, setup = LoginSearch(paths, {{}}), LoginSearch(paths, {{}})
        driver.find(), driver.find()
        store_credential(paths, Credential.parse({STORED!r} + "-new"))
        print(driver.find().value, setup.state().kind)
        print(forget_credential(paths), forget_credential(paths))
        try:
            driver.find()
        except Exception as error:
            print(error)
        """,
    )
    assert said.splitlines() == [
        f"{STORED}-new oauth",
        "True False",
        "Claude Code has no login here",
    ]


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
        from ctui.claude.login import keyring_store
        from ctui.claude.mcp.mcp_secrets import resolve
        print(resolve("<${keyring:files}>", "here", {}, keyring_store.read))
        """,
    )
    assert said == "('<a-secret>', ['a-secret'])\n"


_LOOK_AND_STORE = f"""
    import time
    from ctui.claude.login import keyring_store
    from ctui.claude.login.credentials import Credential, forget_credential, store_credential
    from ctui.claude.login.login import LoginSearch
    from ctui.errors import CtuiError
    from ctui.paths import Paths
    keyring_store._PATIENCE = keyring_store._PATIENCE_WITH_PERSON = 1.0
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
