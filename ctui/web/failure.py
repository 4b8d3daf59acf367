"""Errors as responses: always JSON with one clear line and a hint, never a traceback."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from ctui.errors import (
    Conflict,
    CtuiError,
    ExternalFailure,
    InvalidInput,
    NotFound,
    Refused,
    Unavailable,
)
from ctui.text import one_line
from ctui.web.shapes import Failure

_STATUS: tuple[tuple[type[CtuiError], int], ...] = (
    (InvalidInput, 400),
    (NotFound, 404),
    (Conflict, 409),
    (Refused, 403),
    (Unavailable, 503),
    (ExternalFailure, 500),
)
_WIDTH = 500


def failed(
    status: int, error: str, *, hint: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response that says what is wrong, in a line that no terminal acts on."""
    body = Failure(one_line(error, _WIDTH), one_line(hint, _WIDTH))
    return as_json(body, status=status, headers=headers)


def failure_of(error: CtuiError) -> Response:
    """Return the response that an error becomes."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    return failed(status, error.message, hint=error.hint)


def as_json(
    value: msgspec.Struct, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        msgspec.json.encode(value),
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/json",
    )
