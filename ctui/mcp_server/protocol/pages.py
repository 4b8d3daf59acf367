"""Results in pages of at most 40 KB, whatever the size of what they show. Pure.

Clients refuse or cut a result that is larger than their limit, most at 25,000 tokens. A list is
given in pages with cursors. A text that is too long for its page is cut, with a note that says how
the rest is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from ctui.errors import InvalidInput

PAGE_BYTES = 40_000
"""Bytes of a whole result: the structured content, its copy as text, and what frames them."""

ROOM = PAGE_BYTES - 3_000
"""Bytes for what a result shows; the rest is left for its frame, the cursor and a note."""

_WHOLE = PAGE_BYTES - 500
"""Bytes for all of a result but what frames it."""

_STEPS = (
    *((16_000, 2_000, 2_000), (4_000, 2_000, 2_000), (1_000, 1_000, 1_000), (400, 200, 200)),
    *((400, 50, 50), (200, 12, 12), (120, 3, 8), (120, 1, 8), (60, 1, 1)),
)
"""Lengths of a text, of a list in a list, and of a list: tried in this order until it fits."""

_READ_ON = "get_task_output reads it with `of`"

S = TypeVar("S", bound=msgspec.Struct)

Cursor = Annotated[str, Meta(max_length=16_384, description="next_cursor of the page before.")]


def wire_size(value: Any) -> int:
    """Return the bytes of a value in a result: as structure, and again as text."""
    data = msgspec.json.encode(value)
    if len(data) > PAGE_BYTES:
        return 2 * len(data)
    text = data.decode()
    # A client may count a structure that it has written itself, with escapes for all but ASCII.
    escaped = json.dumps(msgspec.json.decode(text)) if not text.isascii() else ""
    return max(len(data) + len(msgspec.json.encode(text)), len(escaped))


def fitted(item: S, room: int = ROOM) -> S:
    """Return the item, with its texts and lists cut until it fits."""
    if wire_size(item) <= room:
        return item
    return msgspec.convert(cut_down(msgspec.to_builtins(item), room), type(item))


def cut_down(value: Any, room: int = _WHOLE) -> Any:
    """Return plain data with texts and lists cut until it fits.

    In a dictionary `cut` names the lists that are not whole.
    """
    if wire_size(value) <= room:
        return value
    found = value
    for limits in _STEPS:
        lost: dict[str, int] = {}
        found = _shortened(value, limits, "", lost)
        if lost and isinstance(found, dict):
            named = (f"{count} more of {name or 'all'}" for name, count in lost.items())
            found["cut"] = "not shown: " + ", ".join(list(named)[:10])
        if wire_size(found) <= room:
            break
    return found


def cut_text(text: str, longest: int, read_on: str = _READ_ON) -> str:
    """Return the beginning of a text, and a note of what is left out."""
    left = len(text) - longest
    return text if left <= 0 else f"{text[:longest]}… [{left:,} more characters: {read_on}]"


def page_of(
    items: Iterable[S], key: Callable[[S], Sequence[Any]], cursor: str, room: int = ROOM
) -> tuple[list[S], str]:
    """Return the items of a page, and the cursor of the next one, which is empty at the end.

    Args:
        items: all of them, in the order of their keys.
        key: strings and numbers that no two items share, and that stay the same.
        cursor: the key of the last item of the page before; that item may be gone.
        room: for all of them; none gets more than a quarter of it.

    Raises:
        InvalidInput: no page gave this cursor.
    """
    page: list[S] = []
    size, last = 0, ""
    after = position(cursor)
    for item in items:
        if _is_before(key(item), after):
            continue
        shown = fitted(item, room // 4)
        size += wire_size(shown) + 2
        here = json.dumps(list(key(item)), separators=(",", ":"))
        if page and size + wire_size(here) > room:
            return page, last
        page.append(shown)
        last = here
    return page, ""


def position(cursor: str) -> tuple[int | str, ...]:
    """Return the key that a cursor stands for; an empty one for the first page.

    Raises:
        InvalidInput: no page gave this cursor.
    """
    try:
        return tuple(msgspec.json.decode(cursor, type=list[int | str])) if cursor else ()
    except msgspec.DecodeError as error:
        raise wrong_cursor() from error


def wrong_cursor() -> InvalidInput:
    return InvalidInput(
        "the cursor is of no page of this list",
        hint="send next_cursor back as it came, or leave it out",
    )


def _is_before(key: Sequence[Any], after: tuple[int | str, ...]) -> bool:
    try:
        return bool(after) and tuple(key) <= after
    except TypeError as error:
        raise wrong_cursor() from error


def _shortened(
    value: Any,
    limits: tuple[int, int, int],
    name: str,
    lost: dict[str, int],
    *,
    inner: bool = False,
) -> Any:
    longest = limits[0]
    match value:
        case str():
            return value if name == "next_cursor" else cut_text(value, longest)
        case dict():
            kept = dict(list(value.items())[: limits[1]]) if len(value) > 100 else value
            return {
                cut_text(str(key), longest): _shortened(part, limits, str(key), lost, inner=inner)
                for key, part in kept.items()
            }
        case list() | tuple():
            most = limits[1] if inner else limits[2]
            if len(value) > most:
                lost[name] = lost.get(name, 0) + len(value) - most
            return [_shortened(part, limits, name, lost, inner=True) for part in value[:most]]
    return value
