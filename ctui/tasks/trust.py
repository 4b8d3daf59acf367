"""A repository's own Claude settings: what trusting them lets in, and whether the person has.

A run that is trusted reads `.claude/` of its worktree and of the folders in it: permissions, hooks,
agents, commands and skills. Trust for good is bound to the content that these files have in the
commit that a task starts from; of anything else the person has seen nothing. What a hook's command
runs may be a file elsewhere in the repository, as with a grant.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from ctui.errors import CtuiError, Refused
from ctui.git.repository.repository import Repository
from ctui.tasks.model import Task
from ctui.tasks.store import Store

if TYPE_CHECKING:
    import pygit2

COVERED = (".claude", ".mcp.json")
_FILES_LIMIT = 5_000
_BYTES_LIMIT = 64 << 20

TrustState = Literal["nothing", "trusted", "changed", "untrusted"]


class RepositorySettings(NamedTuple):
    """Claude settings that a commit has: the names of their files, and a digest."""

    files: tuple[str, ...]
    digest: str
    """SHA-256 over names, modes and contents; empty where there are none."""

    @property
    def words(self) -> str:
        """Return the files' names, of more than three only the first, as a person reads them."""
        more = f" and {len(self.files) - 3} more" if len(self.files) > 3 else ""
        return ", ".join(self.files[:3]) + more


def settings_at(repository: Repository, commit: str | None) -> RepositorySettings:
    """Return the settings that a commit has. Call it in a thread.

    Raises:
        Refused: they are too large to be looked at.
        NotFound: there is no such commit.
    """
    import pygit2

    if commit is None:
        return RepositorySettings((), "")
    found = repository.git[repository.resolve(commit)].peel(pygit2.Tree)
    digest = hashlib.sha256()
    files: list[str] = []
    left = _BYTES_LIMIT
    for path, entry in _walk(found):
        content = entry.data if isinstance(entry, pygit2.Blob) else str(entry.id).encode()
        left -= len(content)
        if len(files) == _FILES_LIMIT or left < 0:
            raise Refused(
                f"the Claude settings of {commit[:12]} are too large to be trusted for good",
                hint="`ctui run --trust` trusts them for one task",
            )
        files.append(path)
        inner = hashlib.sha256(content).hexdigest()
        digest.update(f"{entry.filemode:o} {inner} {path}\n".encode("utf-8", "surrogateescape"))
    return RepositorySettings(tuple(files), digest.hexdigest() if files else "")


def trust_state(store: Store, repository: str, settings: RepositorySettings) -> TrustState:
    """Return what the person's trust for good says of these settings.

    `changed` means that other settings of this repository were trusted, or by an older ctui, which
    did not bind trust to content.
    """
    if not settings.files:
        return "nothing"
    if store.trust.covers(repository, settings.digest):
        return "trusted"
    return "changed" if store.trust.list(repository) else "untrusted"


async def is_trusted(store: Store, repository: Repository, task: Task) -> bool:
    """Tell if a run of this task uses the repository's own settings.

    Either `--trust` was said for this task, or what its base commit has is trusted for good.
    """
    if task.options.trusted:
        return True
    if not store.trust.list(task.repository):
        return False
    try:
        settings = await asyncio.to_thread(settings_at, repository, task.base)
    except CtuiError:
        return False
    return trust_state(store, task.repository, settings) == "trusted"


def _walk(tree: pygit2.Tree) -> Iterator[tuple[str, pygit2.Object]]:
    """Yield what is no folder of the covered names and below them, in the order of git's trees.

    They count in every folder: the CLI reads them where it starts, and where it works.
    """
    import pygit2

    waiting: list[tuple[str, pygit2.Object, bool]] = [("", tree, False)]
    while waiting:
        path, found, covered = waiting.pop()
        if isinstance(found, pygit2.Tree):
            prefix = f"{path}/" if path else ""
            waiting += [
                (f"{prefix}{entry.name}", entry, covered or entry.name in COVERED)
                for entry in reversed(list(found))
            ]
        elif covered:
            yield path, found
