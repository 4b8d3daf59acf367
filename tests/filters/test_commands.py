"""What the commands say and do in a repository with filters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import ctui, refused
from tests.conftest import git
from tests.filters.conftest import NOTEBOOK, SECRET, with_git_crypt, with_openssl


@pytest.mark.usefixtures("home")
def test_a_git_crypt_repository_from_create_to_land(repository: Path) -> None:
    """G2: the commands that a person types."""
    with_git_crypt(repository)
    made = ctui(repository, "worktree", "create", "work")
    assert "extensions.worktreeConfig is now set" in made.stderr
    assert "files of the filter git-crypt are in the worktree as they are stored" in made.stderr
    path = Path(made.stdout.strip())
    (path / "a.txt").write_text("edited\n")
    ctui(repository, "worktree", "commit", "work", "-m", "Edit")
    ctui(repository, "worktree", "land", "work")
    assert (repository / "secret.env").read_text() == SECRET
    again = ctui(repository, "worktree", "create", "again")
    assert "extensions" not in again.stderr


@pytest.mark.usefixtures("home")
def test_the_option_that_the_hint_names_is_there(repository: Path) -> None:
    """G4: hints name options that exist."""
    with_openssl(repository)
    path = Path(ctui(repository, "worktree", "create", "work").stdout.strip())
    (path / ".gitattributes").write_text(
        "secret.env filter=crypt\n*.key filter=crypt\nn filter=crypt"
    )
    (path / "n").write_bytes((path / "secret.env").read_bytes())
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "Choose a filter")
    for options in ((), ("--dry-run",)):
        line = refused(repository, "worktree", "land", "work", *options)
        assert "a filter of yours would run for n" in line
        assert "--allow-filters" in line
    ctui(repository, "worktree", "land", "work", "--allow-filters")
    assert (repository / "n").read_text() == SECRET


@pytest.mark.usefixtures("home")
def test_a_changed_notebook_is_named(repository: Path) -> None:
    """G4: the one path, and the setting."""
    git(repository, "config", "filter.nbstripout.clean", "cat")
    (repository / ".gitattributes").write_text("*.ipynb filter=nbstripout\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Attributes")
    path = Path(ctui(repository, "worktree", "create", "work").stdout.strip())
    (path / "note.ipynb").write_text(NOTEBOOK)
    line = refused(repository, "worktree", "commit", "work", "-m", "Note")
    assert "note.ipynb" in line
    assert "git.filters" in line
