"""Trees of any content, made without a checkout: no file system limits their names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pygit2

from ctui.worktrees.review.comparison import Trees
from ctui.worktrees.review.hunks import Patch

FILE, LINK, SUBMODULE = 0o100644, 0o120000, 0o160000


class Entry(NamedTuple):
    """A file, link or submodule; of a submodule the data is the object id in hex."""

    data: bytes
    mode: int = FILE


Content = Mapping[bytes, Entry]
"""Entries by path."""


def trees(folder: Path, old: Content, new: Content) -> Trees:
    """Write two trees into the repository at a folder."""
    repository = pygit2.init_repository(str(folder), bare=True)
    return Trees(folder, write_tree(repository, old), write_tree(repository, new))


def write_tree(repository: pygit2.Repository, content: Content) -> str:
    """Write a tree as git stores it, and return its id."""
    entries: dict[bytes, bytes] = {}
    folders: dict[bytes, dict[bytes, Entry]] = {}
    for path, entry in content.items():
        name, slash, rest = path.partition(b"/")
        if slash:
            folders.setdefault(name, {})[rest] = entry
            continue
        submodule = entry.mode == SUBMODULE
        oid = entry.data.decode() if submodule else str(repository.create_blob(entry.data))
        entries[name] = b"%o %s\0%s" % (entry.mode, name, bytes.fromhex(oid))
    for name, inside in folders.items():
        oid = write_tree(repository, inside)
        entries[name + b"/"] = b"40000 %s\0%s" % (name, bytes.fromhex(oid))
    data = b"".join(entry for _, entry in sorted(entries.items()))
    return str(repository.odb.write(pygit2.enums.ObjectType.TREE, data))


def applied(old: bytes, patch: Patch) -> bytes:
    """Return what a patch makes of a file; raises AssertionError where it does not fit."""
    rest = old.split(b"\n")
    ended = not rest[-1]
    if ended:
        rest.pop()
    before = [(line, ended or number < len(rest) - 1) for number, line in enumerate(rest)]
    found: list[tuple[bytes, bool]] = []
    place = 0
    for hunk in patch.hunks:
        olds = sum(line.mark != "+" for line in hunk.lines)
        start = hunk.old_start - 1 if olds else hunk.old_start
        found += before[place:start]
        place = start
        for line in hunk.lines:
            if line.mark != "+":
                assert before[place] == (line.text, line.ended)
                place += 1
            if line.mark != "-":
                found.append((line.text, line.ended))
    found += before[place:]
    return b"".join(line + (b"\n" if has_end else b"") for line, has_end in found)
