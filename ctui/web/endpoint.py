"""A path of the API: what it takes and gives, said once for the server and for the document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ctui.errors import InvalidInput
from ctui.text import one_line
from ctui.web.service import Service

T = TypeVar("T")

PREFIX = "/api/claude"

Handler = Callable[[Service, Request], Awaitable[Response]]


class Parameter(NamedTuple):
    """A parameter of a request beside its path and body."""

    name: str
    place: str
    """`query` or `header`."""
    schema: dict[str, Any]
    about: str


class Endpoint(NamedTuple):
    """One method of one path. The handler's docstring is its description."""

    method: str
    path: str
    """Below `PREFIX`."""
    handler: Handler
    gives: type[msgspec.Struct] | None
    """The response, or each event of a stream; None for text."""
    media: str = "application/json"
    status: int = 200
    takes: type[msgspec.Struct] | None = None
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    """Those that are its own; every path also has the ones of `openapi.EVERYWHERE`."""


async def body_of(request: Request, kind: type[T]) -> T:
    """Return the request's body.

    Raises:
        InvalidInput: it is no JSON, or not of that shape; says where.
    """
    given = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if given.lower() != "application/json":
        raise InvalidInput(
            f"the body is {one_line(given, 60)!r}", hint="send Content-Type: application/json"
        )
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.ValidationError as error:
        raise InvalidInput(_plain(str(error)), hint="see /openapi.json") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"the body is not JSON: {error}", hint="send an object") from error


def whole_number(request: Request, name: str, least: int, most: int) -> int | None:
    """Return a query parameter that is a number, or None if it is not there.

    Raises:
        InvalidInput: it is something else.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise InvalidInput(
            f"{name} is {one_line(text, 40)!r}", hint=f"give a number from {least} to {most}"
        )
    return int(text)


def _plain(message: str) -> str:
    missing = message.partition("missing required field `")[2]
    if missing:
        return f"{missing.partition('`')[0]} is required"
    unknown = message.partition("contains unknown field `")[2]
    if unknown:
        return f"{unknown.partition('`')[0]} is no field of this request"
    blank = "matching regex" in message and message.endswith("`$.prompt`")
    return "prompt is required" if blank else message
