"""Imports of a task's refs where some of them cannot be taken: each holds back only itself.

One fetch of all is tried first. Where git refuses it, half of the refs are tried at a time, until
those remain that are refused alone; git's word about each is what a person is told.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from ctui.errors import CtuiError, ExternalFailure
from ctui.git.process.command import GitTimeout
from ctui.text import one_line, sanitise

_TRIES = 150
_SECONDS = 300
_TOLD = 5
_FORBIDDEN = re.compile(r"^error: object ([0-9a-f]{40,64}): \w+: (.+)$", re.MULTILINE)
_MISSING = re.compile(
    r"(?:unable to read|[Cc]ould not read|missing (?:blob|tree|commit|tag)) ([0-9a-f]{40,64})"
)
_NOT_TRIED = "not looked at: too many others are refused"

Fetch = Callable[[Mapping[str, str]], Awaitable[None]]
"""Fetches some refs, and raises CtuiError if git takes not all of them."""


async def fetch_each(refs: Mapping[str, str], fetch: Fetch, *, first: str) -> dict[str, str]:
    """Fetch what can be fetched.

    Args:
        refs: name -> commit.
        fetch: of several, as one.
        first: the ref that is tried before others where not all can be.

    Returns:
        those that were held back: name -> why, for a person.

    Raises:
        GitTimeout: the refs are too large to be fetched in time, whichever they are.
    """
    try:
        await fetch(refs)
    except GitTimeout:
        raise
    except CtuiError as error:
        if len(refs) == 1:
            return {name: _reason(error) for name in refs}
    else:
        return {}
    deadline = asyncio.get_running_loop().time() + _SECONDS
    own = [first] if first in refs else []
    waiting = [group for group in (own, sorted(set(refs) - set(own))) if group]
    held: dict[str, str] = {}
    for _ in range(_TRIES):
        if not waiting or asyncio.get_running_loop().time() > deadline:
            break
        names = waiting.pop(0)
        try:
            await fetch({name: refs[name] for name in names})
        except CtuiError as error:
            if len(names) == 1:
                held[names[0]] = _reason(error)
            else:
                middle = len(names) // 2
                waiting += [names[:middle], names[middle:]]
    return held | {name: _NOT_TRIED for names in waiting for name in names}


def told(held: Mapping[str, str]) -> str:
    """Return the sentence about refs that were held back, or "" where there are none."""
    if not held:
        return ""
    names = sorted(held, key=lambda name: (held[name] == _NOT_TRIED, name))
    each = "; ".join(f"{sanitise(name)} ({held[name]})" for name in names[:_TOLD])
    more = f"; and {len(held) - _TOLD} more" if len(held) > _TOLD else ""
    return f"{_count(len(held))} not imported: {each}{more}"


def _count(number: int) -> str:
    return "1 ref of the task is" if number == 1 else f"{number} refs of the task are"


def _reason(error: CtuiError) -> str:
    said: Sequence[str] = ()
    if isinstance(error, ExternalFailure):
        if found := _FORBIDDEN.search(error.stderr):
            said = (f"git forbids the object {found[1][:9]}", found[2])
        elif found := _MISSING.search(error.stderr):
            said = (f"the object {found[1][:9]} is missing or damaged",)
    return one_line(": ".join(said) or error.message, 200)
