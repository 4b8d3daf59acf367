"""Messages of a page. The server sends the program's output, and `Ended` at its end."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

LONGEST = 1 << 16
"""Bytes of one message. A page divides what is pasted."""

Columns = Annotated[int, msgspec.Meta(ge=2, le=1000)]
Rows = Annotated[int, msgspec.Meta(ge=1, le=500)]


class Hello(msgspec.Struct, tag="hello", frozen=True, forbid_unknown_fields=True):
    """The first message."""

    key: Annotated[str, msgspec.Meta(max_length=100)]
    """Of the session, beside its cookie."""
    columns: Columns
    rows: Rows


class Typed(msgspec.Struct, tag="typed", frozen=True, forbid_unknown_fields=True):
    """Keys, mouse, what is pasted: as a terminal sends them."""

    text: str


class Resized(msgspec.Struct, tag="resized", frozen=True, forbid_unknown_fields=True):
    """Message that the page has another size."""

    columns: Columns
    rows: Rows


class Seen(msgspec.Struct, tag="seen", frozen=True, forbid_unknown_fields=True):
    """Message that so much of the output is on the screen."""

    bytes: Annotated[int, msgspec.Meta(ge=0, le=1 << 24)]


Message: TypeAlias = Hello | Typed | Resized | Seen


class Ended(msgspec.Struct, tag="ended", frozen=True):
    """Message that the program has ended."""

    code: int


_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def parse(text: str) -> Message | None:
    """Return a message, or None if the text is none."""
    if len(text) > LONGEST:
        return None
    try:
        return _decoder.decode(text.encode())
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
