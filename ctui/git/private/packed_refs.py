"""Refs of a repository as one file, which a task's git directory begins with (git-pack-refs(1))."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ctui.git.private.isolation import REFS_HEADER
from ctui.git.repository.opening import open_trusted
from ctui.git.repository.repository import Repository

_PREFIXES = (b"refs/heads/", b"refs/remotes/", b"refs/tags/")


def tip_in(refs: bytes, branch: str | None) -> str | None:
    """Return the commit of a branch in packed refs, or None if it is not in them."""
    ref = re.escape(f"refs/heads/{branch}".encode())
    found = re.search(rb"^([0-9a-f]{40}) " + ref + rb"$", refs, re.MULTILINE)
    return found.group(1).decode() if found else None


def packed(refs: Mapping[bytes, bytes]) -> bytes:
    """Return refs by their names as git-pack-refs(1) writes them."""
    return REFS_HEADER + lines_of(refs)


def lines_of(refs: Mapping[bytes, bytes]) -> bytes:
    """Return a line for each ref, sorted by name."""
    return b"".join(b"%s %s\n" % (refs[name], name) for name in sorted(refs))


def current_refs(repository: Repository) -> dict[bytes, bytes]:
    """Return the objects that branches, remote branches and tags name."""
    import pygit2

    lines: dict[bytes, bytes] = {}
    for reference in open_trusted(repository.common_dir).references.iterator():
        name = reference.raw_name
        if reference.type is not pygit2.enums.ReferenceType.DIRECT:
            continue
        if name.startswith(_PREFIXES):
            lines[name] = str(reference.target).encode()
    return lines
