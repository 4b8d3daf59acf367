"""Stream for `git fast-import` that turns one tree into another, and names the result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from ctui.worktrees.snapshots.contents import Mode
from ctui.worktrees.snapshots.model import Facts

_WHO = b"ctui <ctui@localhost>"


class Entry(NamedTuple):
    """A file of a tree."""

    path: bytes
    mode: Mode
    blob: str


def blob_id(data: bytes) -> str:
    """Return the id that git gives a file's content (gitformat: `blob SIZE NUL content`)."""
    return hashlib.sha1(b"blob %d\0%s" % (len(data), data), usedforsecurity=False).hexdigest()


def blob(data: bytes) -> bytes:
    """Return the command that stores the content of a file."""
    return b"blob\ndata %d\n%s\n" % (len(data), data)


def commit(
    ref: str,
    facts: Facts,
    tree: str | None,
    gone: Iterable[bytes],
    there: Iterable[Entry],
) -> bytes:
    """Return the command that makes a commit without a parent.

    Args:
        ref: that names it.
        facts: its message.
        tree: what it begins with; None is nothing.
        gone: paths that it does not have.
        there: files that it has; their blobs are stored.
    """
    message = msgspec.json.encode(facts)
    lines = [
        # Without it, what the ref names now would be the parent.
        b"reset %s\ncommit %s\n" % (ref.encode(), ref.encode()),
        b"committer %s %d +0000\n" % (_WHO, facts.at // 1_000_000_000),
        b"data %d\n%s\n" % (len(message), message),
    ]
    if tree is not None:
        lines.append(b'M 040000 %s ""\n' % tree.encode())
    lines += [b"D %s\n" % _quoted(path) for path in gone]
    lines += [b"M %s %s %s\n" % (one.mode, one.blob.encode(), _quoted(one.path)) for one in there]
    return b"".join([*lines, b"\n"])


def _quoted(path: bytes) -> bytes:
    for plain, written in ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n")):
        path = path.replace(plain, written)
    return b'"%s"' % path
