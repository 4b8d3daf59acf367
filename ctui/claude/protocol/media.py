"""Images and documents beside the text of a message, as the API takes them."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from ctui.claude.protocol.fields import JsonObject

LARGEST = 10 << 20
"""Bytes of one; the CLI makes an image smaller where the API wants that."""
LARGEST_OF_ALL = 11 << 20
"""Bytes of all of a message: in base64 they are a line that every reader is made for."""
MOST = 20

_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": "application/pdf",
}
MEDIA_TYPES = frozenset({*_BEGINNINGS.values(), "image/webp"})
HEAD = 12
"""Bytes of a file that say what it is."""


def media_type(head: bytes) -> str:
    """Return the type of a file by its beginning, whatever its name says; "" for all others."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    found = (kind for beginning, kind in _BEGINNINGS.items() if head.startswith(beginning))
    return next(found, "")


def fitting(sizes: Iterable[int]) -> list[bool]:
    """Return which of some media, in this order, fit into one message."""
    left, count, fits = LARGEST_OF_ALL, 0, []
    for size in sizes:
        fit = size <= min(left, LARGEST) and count < MOST
        if fit:
            left, count = left - size, count + 1
        fits.append(fit)
    return fits


def media_block(name: str, data: bytes) -> JsonObject:
    """Return the content block of an image or document."""
    kind = media_type(data[:HEAD])
    source = {"type": "base64", "media_type": kind, "data": base64.b64encode(data).decode()}
    if kind.startswith("image/"):
        return {"type": "image", "source": source}
    return {"type": "document", "source": source, "title": name}
