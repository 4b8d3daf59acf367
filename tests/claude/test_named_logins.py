"""Logins with a name: kept apart, asked for once, and missed in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ctui.claude.login import keyring_store, named
from ctui.claude.login.credentials import Credential, stored_credential
from ctui.claude.login.named import NamedSearch, named_logins, remove_named, store_named
from ctui.client.tasks.chosen_login import chosen_login
from ctui.config import ClaudeConfig
from ctui.errors import CtuiError, InvalidInput, LoginRequired, NotFound, Unavailable
from ctui.paths import Paths

WORK = Credential("oauth", "sk-ant-oat01-of-work")
HOME = Credential("api-key", "sk-ant-api03-of-home")


def test_each_is_kept_by_its_name(paths: Paths) -> None:
    """Two beside the one without a name; no file of names has a value; a removed one is gone."""
    store_named(paths, "work", WORK)
    store_named(paths, "home", HOME)
    assert stored_credential(paths) is None
    search = NamedSearch(paths)
    assert (search.find("work"), search.find("home")) == (WORK, HOME)
    text = (paths.config / "logins.json").read_text()
    assert "of-work" not in text
    assert (paths.config / "logins" / "work").stat().st_mode & 0o777 == 0o600
    store_named(paths, "work", HOME)
    assert search.find("work") == HOME
    remove_named(paths, "work")
    assert list(named_logins(paths)) == ["home"]
    assert not (paths.config / "logins" / "work").exists()
    with pytest.raises(LoginRequired, match="there is no login work any more") as caught:
        search.find("work")
    assert "ctui login --login work" in caught.value.hint
    with pytest.raises(NotFound):
        remove_named(paths, "work")


def test_a_keyring_is_asked_once_and_again_for_one_that_was_rejected(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its accounts are apart from the other login's; what it does not have is said."""
    kept: dict[str, str] = {}
    asked: list[str] = []

    def read(account: str) -> str | None:
        asked.append(account)
        return kept.get(account)

    def write(account: str, secret: str) -> bool:
        kept[account] = secret
        return True

    monkeypatch.setattr(keyring_store, "read", read)
    monkeypatch.setattr(keyring_store, "write", write)
    monkeypatch.setattr(keyring_store, "forget", lambda account: bool(kept.pop(account, "")))
    assert store_named(paths, "work", WORK).place == "keyring"
    search = NamedSearch(paths)
    assert [search.find("work") for _ in range(3)] == [WORK] * 3
    assert len(asked) == 1
    assert asked[0].endswith(":work")
    assert search.find("work", but=WORK.value) == WORK
    assert len(asked) == 2
    kept.clear()
    with pytest.raises(LoginRequired, match="the keyring does not have it"):
        search.find("work", but=WORK.value)

    def locked(_account: str) -> str | None:
        raise Unavailable("the keyring is locked")

    monkeypatch.setattr(keyring_store, "read", locked)
    with pytest.raises(LoginRequired, match="is locked"):
        search.find("work", but=WORK.value)


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "list", "default", "x" * 33, "a/b"])
def test_a_name_that_is_none_is_refused(paths: Paths, name: str) -> None:
    """Also the words of commands; nothing is written."""
    with pytest.raises(InvalidInput, match="cannot be a login's name"):
        store_named(paths, name, WORK)
    assert not (paths.config / "logins.json").exists()


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"a": {"name": "a"}}', b"\xff", b"x" * (1 << 17)])
def test_a_damaged_file_of_names_is_said(paths: Paths, text: bytes) -> None:
    """In one line, with what to do."""
    paths.config.mkdir(parents=True)
    (paths.config / "logins.json").write_bytes(text)
    with pytest.raises(CtuiError, match=r"logins\.json") as caught:
        named_logins(paths)
    assert "\n" not in caught.value.one_line()
    with pytest.raises(LoginRequired):
        NamedSearch(paths).find("work")


@pytest.mark.parametrize(
    ("setting", "where", "wanted", "chosen"),
    [
        ((), "a/b", "", ""),
        ("home", "a/b", "", "home"),
        (("home", "work=~/a"), "a/b", "", "work"),
        (("home", "work = ~/a", "home=~/a/b"), "a/b", "", "home"),
        (("work=~/a",), "elsewhere", "", ""),
        (("work=~/a",), "a/b", "home", "home"),
        (("work=~/a",), "ab", "", ""),
    ],
)
def test_the_settings_say_it_for_a_repository(
    paths: Paths,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    setting: Any,
    where: str,
    wanted: str,
    chosen: str,
) -> None:
    """The deepest folder counts, and the command's word before all."""
    monkeypatch.setenv("HOME", str(tmp_path))
    store_named(paths, "home", HOME)
    store_named(paths, "work", WORK)
    config = ClaudeConfig(login=setting)
    assert chosen_login(paths, config, tmp_path / where, wanted) == chosen


def test_one_that_is_not_there_starts_no_task(paths: Paths, tmp_path: Path) -> None:
    """One line names it."""
    with pytest.raises(NotFound, match="there is no login gone"):
        chosen_login(paths, ClaudeConfig(), tmp_path, "gone")
    assert named.NAME.fullmatch("gone")
