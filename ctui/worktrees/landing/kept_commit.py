"""A ref on a landing's commit, which no branch has before it is finished."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ctui.errors import Conflict
from ctui.git.repository.opening import open_trusted
from ctui.git.repository.repository import Repository
from ctui.text import one_line

PREFIX = "refs/ctui/landing-"


@contextmanager
def kept_commit(repository: Repository, name: str, commit: str) -> Iterator[None]:
    """Keep a commit from being collected, however long its check takes.

    Args:
        repository: that has it.
        name: of the ref; nobody else has it meanwhile, so that what a killed process left under it
            is replaced.
        commit: its id.

    Raises:
        Conflict: there can be no ref on it.
    """
    import pygit2

    ref = f"{PREFIX}{name}"
    (repository.common_dir / f"{ref}.lock").unlink(missing_ok=True)
    try:
        open_trusted(repository.common_dir).references.create(ref, commit, force=True)
    except (ValueError, OSError, pygit2.GitError) as error:
        said = one_line(str(error), 200)
        raise Conflict(f"{ref} cannot be made: {said}", hint="can you write there?") from error
    try:
        yield
    finally:
        with suppress(KeyError, OSError, pygit2.GitError):
            open_trusted(repository.common_dir).references.delete(ref)
