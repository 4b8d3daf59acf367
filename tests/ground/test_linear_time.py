"""Time that hostile text takes: it grows as the text does, in every regular expression of ctui.

The driver has one loop for all tasks. What takes the square of a text's length stops all of them,
and a text of a task can be megabytes long.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from time import thread_time
from typing import Any

import pytest

import ctui
from ctui.claude.protocol.api_failure import failure_text, is_login_rejected
from ctui.tasks.session.limits import reset_time
from ctui.text import one_line, sanitise

_SHORT, _LONG = 500, 8000
_MOST = 4 * _LONG // _SHORT
"""Ratio of the times of a long and a short text; squared it would be 256."""
_AT_ONCE = 0.003
"""Seconds of a long text that are not worth a second look; the square takes many more."""
_GENERIC = ["a", "0", " ", "\n", "/", ".", "a ", "\\", '"']
_WALKED_PAST = re.compile(r"^ctui\.(demo|.*__main__|__main__)")
"""The demonstration's own model, and what runs when it is imported."""


def _grows_too_fast(work: Callable[[str], object], piece: str, head: str = "") -> str:
    """Return what is wrong with the time that `work` takes for a row of pieces; "" for nothing."""

    def seconds(size: int, times: int) -> float:
        text = head + piece * (size // len(piece))
        found: list[float] = []
        for _ in range(times):
            begin = thread_time()
            work(text)
            found.append(thread_time() - begin)
        return min(found)

    if seconds(_LONG, 1) < _AT_ONCE:
        return ""
    ratio = seconds(_LONG, 3) / max(seconds(_SHORT, 20), 1e-7)
    return f"{head!r} + {piece!r}*n: {ratio:.0f} times as long" if ratio > _MOST else ""


def _text(pattern: re.Pattern[Any]) -> str:
    found = pattern.pattern
    return found.decode("latin-1") if isinstance(found, bytes) else str(found)


def _patterns() -> Iterator[tuple[str, re.Pattern[Any], Callable[[Any], object]]]:
    """Yield each compiled pattern of ctui with what is done with it."""
    for module_info in pkgutil.walk_packages(ctui.__path__, "ctui."):
        if _WALKED_PAST.match(module_info.name):
            continue
        module = importlib.import_module(module_info.name)
        source = inspect.getsource(module)
        for name, pattern in vars(module).items():
            ours = isinstance(pattern, re.Pattern) and f"{name} = re.compile(" in source
            if not ours or not set("*+{").intersection(_text(pattern)):
                continue  # what repeats nothing is linear
            anywhere = re.search(rf"\b{name}\.(search|sub|finditer|findall|split)\b", source)
            work = pattern.findall if anywhere else pattern.match
            yield f"{module_info.name}.{name}", pattern, work


_PATTERNS = {name: (pattern, work) for name, pattern, work in _patterns()}


def _pieces_of(pattern: str) -> list[str]:
    """Return what a pattern speaks of: its literal parts, its words and its marks."""
    parts = [part for part in re.split(r"\\.|[\[\](){}|?*+^$.]", pattern) if len(part) > 1]
    words = re.findall(r"[A-Za-z_]{2,}(?: [a-z]+)*", pattern)
    marks = [mark for mark in re.findall(r"[^\w\s]", pattern) if mark not in "?+*()|^$"]
    spaced = [f"{word} " for word in words]
    return list(dict.fromkeys([*parts[:10], *words[:10], *spaced[:10], *marks[:10], *_GENERIC]))


def test_there_are_patterns_to_look_at() -> None:
    assert len(_PATTERNS) > 40
    assert "ctui.text_cleaning._ESCAPE_SEQUENCE" in _PATTERNS


@pytest.mark.parametrize("name", _PATTERNS)
def test_a_pattern_takes_linear_time(name: str) -> None:
    pattern, work = _PATTERNS[name]
    is_bytes = isinstance(pattern.pattern, bytes)

    def match(text: str) -> object:
        return work(text.encode() if is_bytes else text)

    pieces = _pieces_of(_text(pattern))
    heads = ["", *(piece for piece in pieces if not piece.strip().isalnum())][:8]
    for piece in pieces:
        for head in heads:
            assert not _grows_too_fast(match, piece, head)


_HOSTILE = (
    *("\x9d", "\x90", "\x98", "\x9e", "\x9f", "\x9b", "\x1b", "\x1b]", "\x1bP", "\x1b[", "\x9b0"),
    *("\x1b[0;", "\x9d0;a", "\x1b]\x9d", "\x9c", "\x07", "\r", "\u2028", "\u202e", "\u200b"),
    *(
        "token ",
        "token invalid",
        "token\n",
        "limit",
        "limit|",
        "resets ",
        "resets 3 ",
        "resets at ",
    ),
)


@pytest.mark.parametrize(
    "work",
    [
        sanitise,
        lambda text: one_line(text, _LONG),
        lambda text: reset_time(text, 10**18),
        lambda text: is_login_rejected(403, text),
        lambda text: failure_text(403, text),
    ],
    ids=["sanitise", "one_line", "reset_time", "is_login_rejected", "failure_text"],
)
def test_hostile_text_takes_linear_time(work: Callable[[str], object]) -> None:
    for piece in (*_HOSTILE, *_GENERIC):
        for head in ("", "\x1b]", "resets 3"):
            assert not _grows_too_fast(work, piece, head)


def test_a_megabyte_in_the_place_of_a_failures_reason_is_not_read_to_its_end() -> None:
    """S21: the CLI says it at the beginning."""
    late = "x" * (1 << 20)
    assert not is_login_rejected(403, f"{late} token was revoked")
    assert reset_time(f"{late} limit|1767225600", 1767225000 * 10**9) is None
