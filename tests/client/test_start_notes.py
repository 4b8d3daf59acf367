"""What a new task will not find is said where it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.client.tasks.new_task import NewTask
from ctui.client.tasks.start_notes import start_notes
from ctui.git.repository.repository import open_repository
from tests.conftest import git

_NEW = NewTask(prompt="go")


async def notes(repository: Path, new: NewTask = _NEW, *, trusted: bool = False) -> list[str]:
    base = git(repository, "rev-parse", "HEAD")
    return await start_notes(open_repository(repository), new, base, trusted=trusted)


async def test_a_clean_checkout_needs_no_word(repository: Path) -> None:
    """T21: nothing is said where nothing is missing."""
    assert await notes(repository) == []


async def test_uncommitted_work_and_an_ignored_env_are_named(repository: Path) -> None:
    """T21: with the option that changes it; other ignored files are nobody's loss."""
    (repository / ".gitignore").write_text(".env*\nbuild/\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Ignore")
    (repository / ".env.local").write_text("A=1\n")
    (repository / "build").mkdir()
    (repository / "build" / "out").write_text("x")
    (repository / "hello.txt").write_text("changed\n")
    (repository / "new\x1b[2J name.txt").write_text("x")
    git(repository, "mv", "hello.txt", "moved.txt")
    changed, ignored = await notes(repository)
    assert "moved.txt, new name.txt" in changed
    assert "hello.txt" not in changed
    assert "\x1b" not in changed
    assert "--workspace-dir" in changed
    assert ".env.local" in ignored
    assert "build" not in ignored
    assert await notes(repository, NewTask(prompt="go", in_checkout=True)) == []
    assert await notes(repository, NewTask(prompt="go", worktree="other")) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("See @docs/style.md and @README.md.\n", "@docs/style.md, @README.md"),
        ("@~/.claude/me.md\n", "@~/.claude/me.md"),
        ("Mail ada@example.org, or ask @ada.\n", ""),
        ("`@docs/style.md`\n```\n@docs/other.md\n```\n", ""),
    ],
)
async def test_imports_are_named_unless_the_repository_is_trusted(
    repository: Path, text: str, named: str
) -> None:
    """T21: without trust the task gets CLAUDE.md as a text, and the CLI follows no import."""
    (repository / "CLAUDE.md").write_text(text)
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Guide")
    found = await notes(repository)
    assert len(found) == bool(named)
    assert named in "".join(found)
    assert await notes(repository, trusted=True) == []
