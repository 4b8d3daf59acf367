"""Claude Code's own login on this machine: read as it is, and refused where it is not ours."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from ctui.claude.login.platform_login import keychain_service, platform_login
from ctui.errors import LoginRequired, Unavailable

ACCESS = "sk-ant-oat01-access-abcdefgh"
REFRESH = "sk-ant-ort01-refresh-abcdefgh"
HOUR = 3600 * 1000


def now() -> int:
    """Milliseconds, as the CLI writes them."""
    return time.time_ns() // 1_000_000


def kept(expires: object = None, access: object = ACCESS) -> dict[str, Any]:
    tokens = {"accessToken": access, "refreshToken": REFRESH, "scopes": ["user:inference"]}
    return {"claudeAiOauth": tokens if expires is None else {**tokens, "expiresAt": expires}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "claude"
    folder.mkdir()
    return folder / ".credentials.json"


def write(file: Path, value: object) -> dict[str, str]:
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    file.chmod(0o600)
    return {"CLAUDE_CONFIG_DIR": str(file.parent)}


def test_the_access_token_is_taken_with_its_end_and_nothing_else(file: Path) -> None:
    end = now() + 6 * HOUR
    found = platform_login(write(file, kept(end)))
    assert found is not None
    assert found.credential.environment() == {"CLAUDE_CODE_OAUTH_TOKEN": ACCESS}
    assert found.expires == end * 1_000_000
    assert found.where == str(file)
    assert REFRESH not in repr(found) + str(found)


def test_the_file_is_below_the_home_where_no_other_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / ".claude").mkdir()
    write(tmp_path / ".claude" / ".credentials.json", kept())
    found = platform_login({"HOME": str(tmp_path)})
    assert found is not None
    assert found.expires is None


def test_where_there_is_none_there_is_none(tmp_path: Path, file: Path) -> None:
    assert platform_login({}) is None
    assert platform_login({"HOME": str(tmp_path / "nowhere")}) is None
    assert platform_login({"CLAUDE_CONFIG_DIR": str(file.parent)}) is None
    nothing: list[dict[str, Any]] = [{}, {"claudeAiOauth": None}, kept(access=""), {"mcpOAuth": {}}]
    for empty in nothing:
        assert platform_login(write(file, empty)) is None


@pytest.mark.parametrize("ago", [-HOUR, -1, 30_000, 0])
def test_an_expired_login_says_so_and_what_renews_it(file: Path, ago: int) -> None:
    end = 0 if ago == 0 else now() + ago
    with pytest.raises(LoginRequired, match="expired") as caught:
        platform_login(write(file, kept(end)))
    assert "run `claude` once" in caught.value.hint
    assert "claude setup-token" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "7",
        '{"claudeAiOauth": []}',
        '{"claudeAiOauth": {"accessToken": 7}}',
        json.dumps(kept(access=f"{ACCESS} and more")),
        json.dumps(kept(access=f"{ACCESS}\x1b[A")),
        json.dumps(kept("tomorrow")),
        "[" * 50_000,
        '{"claudeAiOauth": ' * 2_000,
    ],
)
def test_nonsense_is_named_and_not_quoted(file: Path, content: str) -> None:
    with pytest.raises(Unavailable, match="no login that can be read") as caught:
        platform_login(write(file, content))
    assert ACCESS not in caught.value.message + caught.value.hint


def test_an_end_beyond_all_times_is_one(file: Path) -> None:
    found = platform_login(write(file, kept(10**17)))
    assert found is not None
    assert found.expires == 2**63 - 1


def test_a_file_that_is_none_is_not_waited_for(file: Path) -> None:
    os.mkfifo(file)
    with pytest.raises(Unavailable, match="no regular file"):
        platform_login({"CLAUDE_CONFIG_DIR": str(file.parent)})
    file.unlink()
    file.mkdir()
    with pytest.raises(Unavailable, match="no regular file"):
        platform_login({"CLAUDE_CONFIG_DIR": str(file.parent)})


def test_a_huge_file_is_not_read(file: Path) -> None:
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(Unavailable, match="larger than 64 KB"):
        platform_login({"CLAUDE_CONFIG_DIR": str(file.parent)})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_is_no_login_also_behind_a_link(file: Path, tmp_path: Path) -> None:
    environ = write(file, kept())
    os.chown(file, 12345, 12345)
    with pytest.raises(Unavailable, match="another user"):
        platform_login(environ)
    elsewhere = file.rename(tmp_path / "elsewhere")
    file.symlink_to(elsewhere)
    with pytest.raises(Unavailable, match="another user"):
        platform_login(environ)


def test_a_link_to_a_file_of_ones_own_is_followed(file: Path, tmp_path: Path) -> None:
    environ = write(file, kept())
    file.symlink_to(file.rename(tmp_path / "elsewhere"))
    assert platform_login(environ) is not None


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(file: Path) -> None:
    environ = write(file, kept())
    file.chmod(0)
    with pytest.raises(Unavailable, match="Permission denied"):
        platform_login(environ)


def program(folder: Path, script: str) -> str:
    """A program that stands where macOS has `security`."""
    path = folder / "security"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(stat.S_IRWXU)
    return str(path)


def test_the_keychain_is_asked_as_claude_code_asks_it(tmp_path: Path) -> None:
    said = tmp_path / "said"
    security = program(tmp_path, f"echo \"$@\" > {said}; echo '{json.dumps(kept())}'")
    found = platform_login({"USER": "ann", "HOME": str(tmp_path)}, security)
    assert found is not None
    assert found.where == "the keychain"
    assert said.read_text() == "find-generic-password -a ann -w -s Claude Code-credentials\n"
    assert keychain_service({"CLAUDE_CONFIG_DIR": "/x"}) == "Claude Code-credentials-b3d1db31"


def test_without_an_entry_in_the_keychain_the_file_counts(tmp_path: Path, file: Path) -> None:
    security = program(tmp_path, "echo 'could not be found' >&2; exit 44")
    found = platform_login({**write(file, kept()), "USER": "ann"}, security)
    assert found is not None
    assert found.where == str(file)


def test_a_keychain_that_nobody_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctui.claude.login.platform_login._PATIENCE_WITH_PERSON", 0.2)
    security = program(tmp_path, "exec sleep 60")
    with pytest.raises(Unavailable, match="nobody answered"):
        platform_login({"USER": "ann"}, security)
