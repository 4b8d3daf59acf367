"""The token that clients show, and the file that keeps it."""

from __future__ import annotations

import hmac
import logging
import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ctui.errors import CtuiError, NotFound, Refused, Unavailable
from ctui.files import create_file, replace_file
from ctui.paths import Paths, private_folder
from ctui.web.failure import failed

log = logging.getLogger(__name__)

_BYTES = 36
_LONGEST = 512
_HINT = "`ctui serve token regenerate` makes a new one"


class Tokens:
    """The one token of a user's `ctui serve`. Read anew each time: a new one is in force at once.

    Kept in `serve-token` in the state folder, 0600.
    """

    def __init__(self, paths: Paths) -> None:
        self.path = paths.state / "serve-token"

    def current(self) -> str:
        """Return the token, made now if there is none.

        Raises:
            Refused: the file is not one that only its owner can read.
            Unavailable: it cannot be read or written.
        """
        with suppress(NotFound):
            return self._read()
        private_folder(self.path.parent)
        try:
            create_file(self.path, _new_token())
        except FileExistsError:
            pass  # another process was first
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return self._read()

    def regenerate(self) -> str:
        """Return a new token; the old one is void from now on.

        Raises:
            Unavailable: it cannot be written.
        """
        private_folder(self.path.parent)
        try:
            replace_file(self.path, _new_token())
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return self._read()

    def check(self, value: str) -> bool:
        """Return True if this is the token, found out in a time that tells nothing of it."""
        try:
            token = self._read()
        except CtuiError as error:
            log.warning("nobody is let in: %s", error.message)
            return False
        return hmac.compare_digest(value.encode("utf-8", "replace"), token.encode())

    def _read(self) -> str:
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise NotFound(f"there is no token in {self.path}", hint=_HINT) from error
        except OSError as error:
            raise Refused(f"{self.path} cannot be read: {error.strerror}", hint=_HINT) from error
        try:
            status = os.fstat(file)
            ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
            if not ours or status.st_mode & 0o077:
                raise Refused(f"others can read or write {self.path}", hint=_HINT)
            token = os.read(file, _LONGEST).decode("ascii", "replace").strip()
        finally:
            os.close(file)
        if not token:
            raise Refused(f"{self.path} is empty", hint=_HINT)
        return token


def _new_token() -> bytes:
    return f"{secrets.token_urlsafe(_BYTES)}\n".encode()


class TokenRequired:
    """ASGI layer that lets nobody in without the token in the header `Authorization`.

    Args of the constructor: what is behind it, the tokens, and the paths that it is about, which
    are all if none is named.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens, below: tuple[str, ...] = ("/",)) -> None:
        self._app = app
        self._tokens = tokens
        self._below = below

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guarded = scope["type"] in {"http", "websocket"} and scope["path"].startswith(self._below)
        if not guarded:
            await self._app(scope, receive, send)
            return
        shown = bearer(scope["headers"])
        if not self._tokens.check(shown):
            refusal = failed(
                401,
                "the bearer token is missing or wrong",
                hint="send `Authorization: Bearer TOKEN`; `ctui serve token show` prints it",
                headers={"WWW-Authenticate": 'Bearer realm="ctui"'},
            )
            await refusal(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            # A stream may be older than the token that counts by now.
            if message.get("more_body") and not self._tokens.check(shown):
                raise HTTPException(401)
            await send(message)

        await self._app(scope, receive, send_on)


def bearer(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the token in the headers, or "". A token in the URL never counts."""
    for name, value in headers:
        if name == b"authorization":
            scheme, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if scheme.lower() == "bearer" else ""
    return ""


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"{path} cannot be written: {error.strerror}", hint="make its folder writable for you"
    )
