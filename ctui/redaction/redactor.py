"""Filter of known secrets wherever they turn up: a task can print its own environment."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ctui.redaction.forms import ANCHOR, SEPARATORS, forms, squeeze

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

MARK = "[redacted]"
_MARK = MARK.encode()
_DFA_BYTES = 1 << 16
"""Bytes of all anchors up to which the fastest automaton is small enough."""


class _Known(NamedTuple):
    """Everything that is looked for; replaced as a whole, so that threads need no lock."""

    forms: tuple[bytes, ...]
    automaton: BytesAhoCorasick | None
    beginnings: frozenset[bytes]
    """All that an anchor can begin with, without the anchors themselves."""


_NOTHING = _Known((), None, frozenset())


class Span(NamedTuple):
    """A part of a text that is a secret, or its beginning."""

    start: int
    end: int
    rest: bytes
    """Rest of the form, where the text ends before it does."""


class Redactor:
    """Known secrets. Any thread may add one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._known = _NOTHING
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Redact this secret too, from now on."""
        if secret in self._secrets or not (new := forms(secret)):
            return
        self._secrets |= {secret}
        self._known = _known(new.union(self._known.forms))

    @property
    def longest(self) -> int:
        """Return the bytes of the longest secret."""
        return max((len(secret.encode("utf-8", "replace")) for secret in self._secrets), default=0)

    def redact(self, data: bytes) -> bytes:
        """Return a line or a text without any known secret; the same object where there is none."""
        if self._known.automaton is None:
            return data
        found = self.spans(data)
        if not found:
            return data
        if data.startswith(b"{") and (line := self._as_json(data)) is not None:
            return line
        return without(data, found)

    def redact_text(self, text: str) -> str:
        """Return a text without any known secret."""
        data = text.encode("utf-8", "surrogatepass")
        found = self.spans(data)
        return without(data, found).decode("utf-8", "surrogatepass") if found else text

    def spans(self, data: bytes) -> list[Span]:
        """Return where the secrets are, in order and apart from each other."""
        known = self._known
        if known.automaton is None:
            return []
        squeezed = squeeze(data)
        hits = known.automaton.find_matches_as_indexes(squeezed, overlapping=True)
        if not hits:
            return []
        merged: list[Span] = []
        for index, start, end in sorted(hits, key=lambda hit: hit[1]):
            last = merged[-1] if merged else Span(-1, -1, b"")
            if last.start < start and end <= last.end:
                continue  # of a secret that repeats itself each place is one
            form = known.forms[index]
            same = end + _common(squeezed, end, form, end - start)
            span = Span(start, same, form[same - start :] if same == len(squeezed) else b"")
            if start < last.end:
                longer = max(merged.pop(), span, key=lambda one: (one.end, len(one.rest)))
                span = Span(last.start, longer.end, longer.rest)
            merged.append(span)
        place = _Places(data)
        return [Span(place.start(start), place.end(end), rest) for start, end, rest in merged]

    def unfinished(self, data: bytes) -> int:
        """Return where a secret may begin that ends behind this text; its length if none does."""
        squeezed = squeeze(data)
        first = max(0, len(squeezed) - ANCHOR + 1)
        for start in range(first, len(squeezed)):
            if squeezed[start:] in self._known.beginnings:
                return _Places(data).start(start)
        return len(data)

    def without_rest(self, data: bytes, rest: bytes) -> tuple[bytes, bytes]:
        """Cut off what goes on with a secret that began before.

        Args:
            data: what comes next.
            rest: what still belongs to the secret, squeezed.

        Returns:
            what is behind it, and what still belongs to it behind this text.
        """
        squeezed = squeeze(data)
        same = _common(squeezed, 0, rest, 0)
        if same == len(squeezed):
            return b"", rest[same:]
        return (data[_Places(data).end(same) :] if same else data), b""

    def _as_json(self, line: bytes) -> bytes | None:
        """Redact the texts of a JSON line, so that it stays one; None if that cannot be done."""
        try:
            value = self._inside(json.loads(line))
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        except (ValueError, RecursionError):
            return None
        return text.encode("utf-8", "surrogatepass")

    def _inside(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.redact_text(value)
        if isinstance(value, dict):
            return {self.redact_text(key): self._inside(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._inside(inner) for inner in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            written = json.dumps(value)
            return value if self.redact_text(written) == written else MARK
        return value


def without(data: bytes, spans: Iterable[Span]) -> bytes:
    """Return the bytes with a mark in place of each span."""
    return b"".join(_pieces(data, spans))


def _pieces(data: bytes, spans: Iterable[Span]) -> Iterator[bytes]:
    position = 0
    for span in spans:
        yield data[position : span.start]
        yield _MARK
        position = span.end
    yield data[position:]


class _Places:
    """Places in a text of places in what is left of it without separators."""

    def __init__(self, data: bytes) -> None:
        self._at: list[int] = []
        self._removed: list[int] = [0]
        for match in SEPARATORS.finditer(data):
            self._at.append(match.start() - self._removed[-1])
            self._removed.append(self._removed[-1] + match.end() - match.start())

    def start(self, squeezed: int) -> int:
        return squeezed + self._removed[bisect_right(self._at, squeezed)]

    def end(self, squeezed: int) -> int:
        return self.start(squeezed - 1) + 1


def _known(all_forms: Iterable[bytes]) -> _Known:
    # Loaded when there is a secret: no front end that only shows a list needs it.
    from ahocorasick_rs import BytesAhoCorasick, Implementation

    found = tuple(sorted(all_forms))
    anchors = [form[:ANCHOR] for form in found]
    small = sum(map(len, anchors)) <= _DFA_BYTES
    kind = Implementation.DFA if small else Implementation.ContiguousNFA
    beginnings = frozenset(anchor[:end] for anchor in anchors for end in range(1, len(anchor)))
    return _Known(found, BytesAhoCorasick(anchors, implementation=kind), beginnings)


def _common(text: bytes, place: int, form: bytes, begin: int) -> int:
    """Return how many bytes of the text from a place on are those of a form; by halving."""
    low, high = 0, min(len(text) - place, len(form) - begin)
    while low < high:
        middle = (low + high + 1) // 2
        if text[place + low : place + middle] == form[begin + low : begin + middle]:
            low = middle
        else:
            high = middle - 1
    return low
