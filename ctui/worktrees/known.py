"""Worktrees by name: those that ctui made, and all others of the repository."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ctui.errors import Conflict, NotFound
from ctui.git.repository.repository import Repository
from ctui.text import one_line
from ctui.worktrees.identity import text_of
from ctui.worktrees.model import WorktreeRecord

_HEAD = "ref: refs/heads/"


class KnownWorktree(NamedTuple):
    """Names of a worktree, known without reading its files."""

    name: str
    metadata: Path
    path: Path
    branch: str | None
    record: WorktreeRecord | None


def known_worktrees(
    repository: Repository, records: Mapping[str, WorktreeRecord]
) -> list[KnownWorktree]:
    """Return every linked worktree, sorted by name.

    Args:
        repository: its main checkout is not in the list.
        records: by metadata folder, of those that ctui made or adopted.
    """
    folder = repository.common_dir / "worktrees"
    found = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    known = [_known(metadata, records.get(str(metadata))) for metadata in found]
    return sorted(known, key=lambda worktree: worktree.name)


def find_worktree(known: Iterable[KnownWorktree], name: str) -> KnownWorktree:
    """Return the worktree that a person means by a name, a branch or a path.

    Raises:
        NotFound: there is none.
        Conflict: there are several; a path tells them apart.
    """
    listed = list(known)
    path = Path(name).resolve()
    for meant in (
        [worktree for worktree in listed if worktree.name == name],
        [worktree for worktree in listed if worktree.path.resolve() == path],
        [worktree for worktree in listed if worktree.branch == name],
    ):
        if len(meant) > 1:
            paths = ", ".join(str(worktree.path) for worktree in meant)
            raise Conflict(f"several worktrees are called {name}", hint=f"name one of {paths}")
        if meant:
            return meant[0]
    raise NotFound(
        f"there is no worktree {one_line(repr(name), 80)}", hint="`ctui worktree list` shows them"
    )


def _known(metadata: Path, record: WorktreeRecord | None) -> KnownWorktree:
    head = text_of(metadata / "HEAD")
    return KnownWorktree(
        record.name if record else metadata.name,
        metadata,
        Path(record.path) if record else (metadata / text_of(metadata / "gitdir")).parent,
        head.removeprefix(_HEAD) if head.startswith(_HEAD) else None,
        record,
    )
