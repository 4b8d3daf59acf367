"""Login, logout, the page and its socket, as routes of a larger application."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qs

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from ctui.errors import CtuiError
from ctui.web.browser.attempts import Attempts, TooMany
from ctui.web.browser.connection import CODE_FULL, Connection
from ctui.web.browser.messages import Ended
from ctui.web.browser.pages import (
    HEADERS,
    dashboard_page,
    login_page,
    notice_page,
    static_files,
)
from ctui.web.browser.sessions import LIFETIME, Session, Sessions
from ctui.web.browser.terminal import Terminal, program_environment

MOST = 8
"""Dashboards that are open at the same time: each is a process."""

_LONGEST_FORM = 4096
_FOREIGN = "Another site's page sent this."
_NONE: Mapping[str, str] = {}
_NOT_STARTED = 127
"""The exit code of what could not be started, as a shell has it."""


class Dashboards:
    """Everything that the routes share."""

    def __init__(
        self,
        check_token: Callable[[str], bool],
        command: Sequence[str],
        folder: Path,
        *,
        title: str,
        environ: Mapping[str, str] | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        """Prepare dashboards of which none runs yet.

        Args:
            check_token: whether a token is the right one now, in constant time.
            command: the program of a page, which draws on its terminal.
            folder: where it starts. Not one whose files could be taken for modules.
            title: what the page is called; a repository's name.
            environ: of the server; what a program needs of it is given on.
            sessions: who is logged in.
        """
        self._command = tuple(command)
        self._folder = folder
        self._title = title
        self._environ = program_environment(os.environ if environ is None else environ)
        self._sessions = sessions or Sessions(check_token)
        self._attempts = Attempts()
        self._files = static_files()
        self._open = 0

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self._page, methods=["GET"]),
            Route("/login", self._ask_token, methods=["GET"]),
            Route("/login", self._log_in, methods=["POST"]),
            Route("/logout", self._log_out, methods=["POST"]),
            Route("/browser/{name}", self._file, methods=["GET"]),
            WebSocketRoute("/browser/socket", self._socket),
        ]

    async def _page(self, request: Request) -> Response:
        if self._session(request) is None:
            return RedirectResponse("/login", status_code=303, headers=dict(HEADERS))
        if self._open >= MOST:
            return notice_page(
                "Too many dashboards", f"{MOST} are open: close one, then reload.", status=429
            )
        return dashboard_page(self._title)

    async def _ask_token(self, _request: Request) -> Response:
        return login_page()

    async def _log_in(self, request: Request) -> Response:
        if not _from_here(request):
            return _answer(403, error=_FOREIGN)
        token = await _token_of(request)
        if token is None:
            return _answer(400, error="That is not a token.")
        address = request.client.host if request.client else ""
        try:
            made = await self._attempts.attempt(address, lambda: self._sessions.open(token))
        except TooMany:
            later = {"Retry-After": "5"}
            return _answer(429, later, error="Too many attempts: wait a little.")
        if made is None:
            return _answer(401, error="That token is wrong.")
        return _answer(200, _cookie(request, made.cookie, LIFETIME), key=made.key)

    async def _log_out(self, request: Request) -> Response:
        if not _from_here(request):
            return _answer(403, error=_FOREIGN)
        self._sessions.close(request.cookies.get(_cookie_name(request), ""))
        return _answer(200, _cookie(request, "", 0))

    async def _file(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        return found or notice_page("Not found", "There is nothing here.", status=404)

    async def _socket(self, socket: WebSocket) -> None:
        if not _from_here(socket):
            await socket.send_denial_response(_answer(403, error=_FOREIGN))
            return
        session = self._session(socket)
        if session is None:
            await socket.send_denial_response(_answer(401, error="Log in first."))
            return
        await socket.accept()
        connection = Connection(socket)
        if self._open >= MOST:
            await connection.close(CODE_FULL)
            return
        self._open += 1
        try:
            await self._serve(connection, session)
        finally:
            self._open -= 1

    async def _serve(self, connection: Connection, session: Session) -> None:
        size = await connection.hello(session)
        if size is None:
            return
        try:
            terminal = await Terminal.start(self._command, self._folder, self._environ, size)
        except CtuiError:
            await connection.say(Ended(_NOT_STARTED))
            await connection.close(1011)
            return
        try:
            await connection.run(terminal, session, self._sessions.holds)
        finally:
            await terminal.end()
            terminal.close()

    def _session(self, connection: HTTPConnection) -> Session | None:
        return self._sessions.find(connection.cookies.get(_cookie_name(connection), ""))


def browser_routes(
    check_token: Callable[[str], bool],
    command: Sequence[str],
    folder: Path,
    *,
    title: str,
    environ: Mapping[str, str] | None = None,
) -> list[BaseRoute]:
    """Return the routes of the dashboard at `/`; see `Dashboards` for what is given."""
    made = Dashboards(check_token, command, folder, title=title, environ=environ)
    return made.routes()


async def _token_of(request: Request) -> str | None:
    """Return the field `token` of a form, or None if there is none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            return None
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=4)
    except ValueError:
        return None
    return fields.get("token", [""])[0].strip() or None


def _from_here(connection: HTTPConnection) -> bool:
    """Return True if a page of this very server sent it, which a browser always says.

    The server's own names are the application's to check: `Host` is believed here.
    """
    return _origin(connection).partition("://")[2] == connection.headers.get("host", "")


def _origin(connection: HTTPConnection) -> str:
    origin = connection.headers.get("origin", "")
    return origin.lower() if origin.startswith(("http://", "https://")) else ""


def _cookie_name(connection: HTTPConnection) -> str:
    """Return a name for each port: a host's cookies belong to all of its ports."""
    _, port = connection.scope.get("server") or ("", 0)
    return f"ctui-{port}"


def _cookie(request: Request, value: str, seconds: int) -> dict[str, str]:
    # What the page was loaded by tells of TLS, also where a proxy of the person ends it.
    secure = "; Secure" if _origin(request).startswith("https:") else ""
    flags = f"Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{secure}"
    return {"Set-Cookie": f"{_cookie_name(request)}={value}; {flags}"}


def _answer(status: int, headers: Mapping[str, str] = _NONE, **said: str) -> Response:
    """Return a response for a script of ours."""
    return JSONResponse(said, status, {**HEADERS, **headers})
