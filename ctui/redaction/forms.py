r"""Forms in which a secret can turn up in a text, and what is left out of a text to find them.

White space, backslashes and the `n` of `\n` are left out of both (`squeeze`). So a secret is found
at any depth of JSON in JSON, with newlines of either kind, and in what base64, xxd and od print in
lines and groups.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 8
"""Bytes of a squeezed secret: what is shorter would be found in every other line."""
ANCHOR = 64
"""Bytes of a form that are enough to know it: what follows goes as far as it is the same."""

SEPARATORS = re.compile(rb"(?:\\+n?|[ \t-\r]+)+")
_SINGLE = b" \t\n\v\f\r\\"

_SAFE = ("", "/", "!~*'()", ";,/?:@&=+$!~*'()#")
"""Characters that quote(), a path, encodeURIComponent() and encodeURI() leave as they are."""

_WORD = re.compile(r"[A-Za-z]?[a-z_-]{0,18}|[A-Z_-]{1,19}|[0-9]{1,20}")
_COMMON = re.compile(
    r"(?:pass(?:w[o0]rd|wd|wort)|change_?me|secret|admin|default|example|letmein|welcome|qwerty"
    r"|abc)[0-9!.]{0,4}",
    re.IGNORECASE,
)
_LEAST_DISTINCT = 4


def squeeze(data: bytes) -> bytes:
    """Return the bytes without separators."""
    # As SEPARATORS says it, thirty times as fast.
    return data.replace(b"\\n", b"").translate(None, _SINGLE)


def weakness(secret: str) -> str:
    """Return why a secret cannot be taken out of a text without taking ordinary words; or ""."""
    if len(squeeze(secret.encode("utf-8", "replace"))) < SHORTEST:
        return f"it is shorter than {SHORTEST} bytes"
    if len(set(secret)) < _LEAST_DISTINCT:
        return f"it has fewer than {_LEAST_DISTINCT} different characters"
    if _WORD.fullmatch(secret) or _COMMON.fullmatch(secret):
        return "it is an ordinary word or number"
    return ""


def forms(secret: str) -> frozenset[bytes]:
    """Return the secret squeezed: plain, and as JSON, URLs, hex and base64 write it.

    One that is too short has none.
    """
    data = secret.encode("utf-8", "surrogatepass")
    if len(squeeze(data)) < SHORTEST:
        return frozenset()
    found = {squeeze(form) for form in (data, *_json(secret), *_url(data), *_hex(data))}
    found.update(_base64(data))
    # Behind a backslash the first letter is taken for a newline's.
    found.update([form[1:] for form in found if form.startswith(b"n")])
    return frozenset(found)


def _json(secret: str) -> Iterator[bytes]:
    for ascii_only in (False, True):
        text = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        encoded = text.encode("utf-8", "surrogatepass")
        yield encoded
        # As programs write it that think of HTML: Go, and PHP.
        yield re.sub(rb"[<>&]", lambda match: b"u%04x" % match[0][0], encoded)
        yield re.sub(rb"[<>&]", lambda match: b"u%04X" % match[0][0], encoded)
    upper = re.sub(rb"u[0-9a-f]{4}", lambda match: b"u" + match[0][1:].upper(), encoded)
    yield upper
    # .NET
    yield re.sub(rb"[<>&'\"+`]", lambda match: b"u%04X" % match[0][0], upper)


def _url(data: bytes) -> Iterator[bytes]:
    for text in (*(quote(data, safe=safe) for safe in _SAFE), quote_plus(data)):
        yield text.encode()
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text).encode()


def _hex(data: bytes) -> Iterator[bytes]:
    yield data.hex().encode()
    yield data.hex().upper().encode()


def _base64(data: bytes) -> Iterator[bytes]:
    """Yield what base64 makes of the secret wherever it begins, without what its neighbours make.

    Six bits are a character: the first and the last one may have bits of other bytes.
    """
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data)
        inner = encoded[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))
