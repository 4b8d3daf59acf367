"""Plain data of a snapshot."""

from __future__ import annotations

from urllib.parse import quote_from_bytes, unquote_to_bytes

import msgspec


class LeftOut(msgspec.Struct, frozen=True):
    """Something of a worktree that is not in its snapshot."""

    path: str
    """As `shown` writes it."""
    why: str


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A worktree at one moment: all its files but ignored ones, byte for byte."""

    id: str
    """Commit of the snapshots' repository; it has no parent."""
    tree: str
    at: int
    """Nanoseconds since the epoch."""
    empty_folders: tuple[str, ...] = ()
    """As `shown` writes them: a tree of git has none."""
    left_out: tuple[LeftOut, ...] = ()
    """The first of them; `left_out_count` counts all."""
    left_out_count: int = 0


class Facts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Message of a snapshot's commit, as JSON: what its tree cannot say."""

    at: int
    empty_folders: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    left_out_count: int = 0


def shown(path: bytes) -> str:
    """Return a path as plain ASCII, from which `path_of` returns the same bytes."""
    return quote_from_bytes(path, safe="/ +-_.~@,()[]=!$&'")


def path_of(text: str) -> bytes:
    """Return the path that `shown` wrote."""
    return unquote_to_bytes(text)
