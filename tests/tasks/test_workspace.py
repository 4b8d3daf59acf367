"""The workspace on this machine, beside a task that lies about it."""

from __future__ import annotations

from pathlib import Path

from ctui.paths import Paths
from ctui.tasks.model import Task
from ctui.tasks.store import Store
from ctui.tasks.workspace import LocalWorkspace
from tests.conftest import git


async def test_whatever_fails_in_an_import_is_its_result(repository: Path, tmp_path: Path) -> None:
    """No error of an import may be raised: the sandbox is removed behind it."""
    paths = Paths(*(tmp_path / name for name in Paths._fields))
    folder = paths.task("one")
    (folder / "git").mkdir(parents=True)
    (folder / "seed-refs").touch()
    (folder / "git" / "HEAD").write_text(git(repository, "rev-parse", "HEAD"))
    store = Store(":memory:")
    # A base that no call of the system takes stands for all that was not thought of.
    task = Task(
        id="one",
        repository=str(repository / ".git"),
        worktree=str(tmp_path),
        metadata=None,
        branch=None,
        base="no\0commit",
        session="s",
        prompt="go",
    )
    work = await LocalWorkspace(paths, store).collect(task)
    store.close()
    assert work is not None
    assert "its commits cannot be imported: ValueError" in work.problem
