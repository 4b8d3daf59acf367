"""The ASGI application: the API, the document, and whatever other packages add to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from ctui.errors import CtuiError
from ctui.web import asks_api, events, tasks_api
from ctui.web.auth import TokenRequired, Tokens
from ctui.web.endpoint import PREFIX, Endpoint
from ctui.web.failure import failed, failure_of
from ctui.web.guard import Guard
from ctui.web.openapi import document
from ctui.web.service import Service
from ctui.web.shapes import Event

ENDPOINTS: tuple[Endpoint, ...] = (
    *tasks_api.ENDPOINTS,
    *asks_api.ENDPOINTS,
    *events.ENDPOINTS,
)

_GUARDED = ("/api",)
_TOKEN_PATHS = ("/auth/token", "/auth/token/regenerate")


class Part(NamedTuple):
    """Routes of another package that are served on the same address."""

    routes: Sequence[BaseRoute]
    behind_token: Sequence[str] = ()
    """Paths, with all below them, that need the token; elsewhere it checks its own callers."""
    lifespan: Callable[[], AbstractAsyncContextManager[None]] | None = None
    """Entered before the first request, left after the last."""


def create_app(
    service: Service, tokens: Tokens, *, names: Iterable[str], parts: Sequence[Part] = ()
) -> ASGIApp:
    """Put everything together.

    Args:
        service: what the API works on; it runs as long as the application.
        tokens: who may use the API.
        names: by which clients reach this server, beside its own addresses.
        parts: further routes, behind the same guard.
    """
    guarded = (*_GUARDED, *(path for part in parts for path in part.behind_token))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(service.running())
            for part in parts:
                if part.lifespan is not None:
                    await stack.enter_async_context(part.lifespan())
            yield

    paths = dict.fromkeys(endpoint.path for endpoint in ENDPOINTS)
    routes: list[BaseRoute] = [_route(service, path) for path in paths]
    routes += [Route(PREFIX + path, _no_token_here) for path in _TOKEN_PATHS]
    routes.append(Route("/openapi.json", _document()))
    for part in parts:
        routes += part.routes
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={
            CtuiError: _failure,
            HTTPException: _http_failure,
            Exception: _mistake,
        },
    )
    app.router.redirect_slashes = False
    return Guard(TokenRequired(app, tokens, guarded), names)


def _route(service: Service, path: str) -> Route:
    """Return one path with all its methods, so that a wrong one hears which are right."""
    found = [endpoint for endpoint in ENDPOINTS if endpoint.path == path]
    handlers = {endpoint.method: endpoint.handler for endpoint in found}
    if "GET" in handlers and found[0].gives is not Event:
        handlers["HEAD"] = handlers["GET"]

    async def handle(request: Request) -> Response:
        handler = handlers.get(request.method)
        if handler is None:  # HEAD, which comes with every GET, and a stream has no end
            raise HTTPException(405)
        return await handler(service, request)

    return Route(PREFIX + path, handle, methods=list(handlers))


def _document() -> Callable[[Request], Response]:
    content = msgspec.json.format(msgspec.json.encode(document(ENDPOINTS)), indent=2)

    def give(_request: Request) -> Response:
        return Response(content, media_type="application/json")

    return give


def _no_token_here(_request: Request) -> Response:
    """Refuse: who has the token does not need it, and who has none must not get it."""
    return failed(
        401,
        "the token is not given out over HTTP",
        hint="`ctui serve token show` and `ctui serve token regenerate`",
        headers={"WWW-Authenticate": 'Bearer realm="ctui"'},
    )


def _failure(_request: Request, error: Exception) -> Response:
    return failure_of(error) if isinstance(error, CtuiError) else _mistake(_request, error)


def _http_failure(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return _mistake(_request, error)
    hint = "see /openapi.json" if error.status_code in {404, 405} else ""
    phrase = HTTPStatus(error.status_code).phrase.lower()
    return failed(error.status_code, phrase, hint=hint, headers=error.headers)


def _mistake(_request: Request, error: Exception) -> Response:
    return failed(500, f"ctui made a mistake: {type(error).__name__}")
