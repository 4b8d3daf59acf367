"""Reasons for which an environment that is built should be built again, in a few words."""

from __future__ import annotations

from collections.abc import Mapping

from ctui.environments.records import Environment
from ctui.text import one_line

_AGAIN = "ctui env build"


def old_reason(record: Environment, made_with: str) -> str:
    """Return why tasks cannot start in an environment any more; "" if they can.

    Args:
        record: of the environment.
        made_with: the tag of ctui's own image today.
    """
    if record.state == "ready" and record.made_with != made_with:
        return f"old, of another ctui or [image]: {_AGAIN}"
    return ""


def moved_bases(record: Environment, now: Mapping[str, str | None]) -> list[str]:
    """Return the images underneath that are others by now, given what the engine has."""
    return [ref for ref, known in record.bases.items() if now.get(ref) not in {None, known}]


def note(
    record: Environment, made_with: str, now: Mapping[str, str | None], *, of_head: bool
) -> str:
    """Return a few words on an environment that `ctui env build` would build anew; else ""."""
    if record.state != "ready":
        return ""
    if not of_head:
        return f"stale, HEAD has another: {_AGAIN}"
    if old := old_reason(record, made_with):
        return old
    if moved := moved_bases(record, now):
        return f"its base {one_line(moved[0], 60)} moved on: {_AGAIN}"
    return ""
