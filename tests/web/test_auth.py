"""The file that keeps the token."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from ctui.errors import Refused
from ctui.paths import Paths
from ctui.web.auth import TokenRequired, Tokens, bearer


def test_it_is_made_once_and_only_its_owner_can_read_it(paths: Paths) -> None:
    tokens = Tokens(paths)
    token = tokens.current()
    assert len(token) >= 40
    assert tokens.current() == Tokens(paths).current() == token
    assert tokens.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tokens.path.parent.iterdir()] == [tokens.path.name]


def test_of_many_who_make_it_at_once_all_have_the_same(paths: Paths) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(Tokens(paths).current())) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 1


def test_what_is_checked(paths: Paths) -> None:
    tokens = Tokens(paths)
    assert not tokens.check("")
    before = tokens.current()
    assert tokens.check(before)
    for wrong in ("", before[:-1], before + "x", before.swapcase(), "ä", "\0", "\ud800"):
        assert not tokens.check(wrong)
    after = tokens.regenerate()
    assert (tokens.check(before), tokens.check(after)) == (False, True)


def _others_can_read(path: Path) -> None:
    path.chmod(0o640)


def _a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def _empty(path: Path) -> None:
    path.write_text("\n")


@pytest.mark.parametrize("spoil", [_others_can_read, _a_link, _a_folder, _a_pipe, _empty])
def test_a_file_that_is_not_as_it_should_be_opens_nothing(
    paths: Paths, spoil: object, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = Tokens(paths)
    token = tokens.current()
    assert callable(spoil)
    spoil(tokens.path)
    assert not tokens.check(token)
    assert not tokens.check("")
    assert token not in caplog.text
    with pytest.raises(Refused) as raised:
        tokens.current()
    assert "regenerate" in raised.value.hint
    if spoil is not _a_folder:
        assert tokens.check(tokens.regenerate())


def test_a_new_one_does_not_follow_a_link(paths: Paths, tmp_path: Path) -> None:
    tokens = Tokens(paths)
    tokens.current()
    victim = tmp_path / "victim"
    victim.write_text("mine")
    tokens.path.unlink()
    tokens.path.symlink_to(victim)
    with pytest.raises(Refused):
        tokens.current()
    tokens.regenerate()
    assert victim.read_text() == "mine"
    assert not tokens.path.is_symlink()


@pytest.mark.parametrize(
    ("header", "token"),
    [
        (b"Bearer abc", "abc"),
        (b"bearer abc", "abc"),
        (b"Bearer  abc ", "abc"),
        (b"Basic abc", ""),
        (b"abc", ""),
        (b"Bearer", ""),
    ],
)
def test_the_header(header: bytes, token: str) -> None:
    assert bearer([(b"host", b"x"), (b"authorization", header)]) == token
    assert bearer([(b"cookie", b"Bearer abc")]) == ""


async def test_a_stream_ends_with_the_token_that_opened_it(paths: Paths) -> None:
    tokens = Tokens(paths)
    opened = tokens.current()
    sent: list[bytes] = []

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        tokens.regenerate()
        await send({"type": "http.response.body", "body": b"secret", "more_body": True})

    async def send(message: Message) -> None:
        sent.append(message.get("body", b""))

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "path": "/api/claude/tasks",
        "headers": [(b"authorization", f"Bearer {opened}".encode())],
    }
    with pytest.raises(HTTPException):
        await TokenRequired(stream, tokens)(scope, receive, send)
    assert sent == [b"", b"one"]
