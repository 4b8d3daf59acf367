"""Answers of the gateway's own, in the API's form.

Only these: 400 ends a turn at once with the text as it is; 404 and 413 as the API says them; 503
with retry-after has the CLI wait and try again. A 401 or 403 would end a turn as if the person had
no login, and after three 529 it is lost: these are never made here.
"""

from __future__ import annotations

import msgspec

_KINDS = {
    400: "invalid_request_error",
    404: "not_found_error",
    413: "request_too_large",
    503: "api_error",
}


class Answer(Exception):
    """An answer of the gateway's own, in place of the API's."""

    def __init__(self, status: int, text: str, *, retry_after: int = 0) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.retry_after = retry_after

    @property
    def body(self) -> bytes:
        return error_body(self.status, self.text)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        found = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self.body)).encode()),
        ]
        if self.retry_after:
            found.append((b"retry-after", str(self.retry_after).encode()))
        return found


def wait(text: str, seconds: int) -> Answer:
    """Return the answer that has the CLI try again after so many seconds."""
    return Answer(503, text, retry_after=seconds)


def error_body(status: int, text: str) -> bytes:
    """Return the API's error object."""
    error = {"type": _KINDS.get(status, "api_error"), "message": f"ctui: {text}"}
    return msgspec.json.encode({"type": "error", "error": error})
