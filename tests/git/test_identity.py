"""Commits of a task and of ctui name whom the person's own `git commit` would name there."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.git.commits.identity import Unknown, identity
from ctui.git.repository.repository import open_repository
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.commit import commit_all
from ctui.worktrees.landing.land import land
from tests.git.people import (
    as_person,
    commit_inside,
    configure,
    included,
    inside,
    placed,
    private_of,
    work_identity,
)

pytestmark = pytest.mark.usefixtures("home")

AMELIE = "Amélie <amelie@work.example>"
ADA = "Ada <ada@example.org>"


@pytest.fixture(autouse=True)
def owned(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's worktrees belong to another uid; its own git takes them only by this."""
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(home / "system"))
    (home / "system").write_text("[safe]\n\tdirectory = *\n")


def _conditions(repository: Path) -> dict[str, str]:
    return {
        "the remote's address": "hasconfig:remote.*.url:git@work.example:*/**",
        "the repository's folder": f"gitdir:{repository}/",
        "the worktree's own metadata": f"gitdir:{repository}/.git/worktrees/work",
        "the branch": "onbranch:ctui/**",
    }


def _ident(folder: Path, who: str = "AUTHOR") -> str:
    return as_person(folder, "var", f"GIT_{who}_IDENT").rpartition(">")[0] + ">"


@pytest.mark.parametrize("which", list(_conditions(Path())))
async def test_a_task_commits_as_the_persons_conditional_includes_say(
    repository: Path, tmp_path: Path, home: Path, which: str
) -> None:
    """G13: a task's commits carried the address outside of the condition."""
    configure(home, included(_conditions(repository)[which]))
    work_identity(home)
    as_person(repository, "remote", "add", "origin", "git@work.example:a/b.git")
    place = await placed(repository, tmp_path)
    assert _ident(Path(place.record.path)) == AMELIE

    commit_inside(place, "a")

    assert inside(place, "log", "-1", "--format=%an <%ae> %cn <%ce>") == f"{AMELIE} {AMELIE}"


async def test_a_condition_that_does_not_hold_changes_nothing(
    repository: Path, tmp_path: Path, home: Path
) -> None:
    configure(home, included("hasconfig:remote.*.url:git@work.example:*/**"))
    work_identity(home)
    place = await placed(repository, tmp_path)
    commit_inside(place, "a")
    assert inside(place, "log", "-1", "--format=%an <%ae>") == ADA


async def test_the_settings_of_one_worktree_count_there_alone(
    repository: Path, tmp_path: Path
) -> None:
    """G13: `git config --worktree user.email`."""
    place = await placed(repository, tmp_path)
    worktree = Path(place.record.path)
    as_person(repository, "config", "extensions.worktreeConfig", "true")
    as_person(worktree, "config", "--worktree", "user.email", "amelie@work.example")
    again = await private_of(
        repository, tmp_path / "again", place.record.metadata, "ctui/work", place.record.base
    )
    own = await private_of(repository, tmp_path / "own", None, "main", place.record.base)
    address = ["config", "--file"]
    assert as_person(tmp_path, *address, str(again.git_dir / "config"), "user.email") == (
        "amelie@work.example"
    )
    assert as_person(tmp_path, *address, str(own.git_dir / "config"), "user.email") == (
        "ada@example.org"
    )


async def test_author_and_committer_can_be_two(
    repository: Path, tmp_path: Path, home: Path
) -> None:
    """G13: `author.email` and `committer.email`, which git takes before `user.email`."""
    configure(
        home,
        "[user]\n\tname = Ada\n\temail = ada@example.org\n[author]\n\temail = pen@example.org\n"
        '[committer]\n\tname = "A \\"bot\\" \\\\ #1"\n',
    )
    place = await placed(repository, tmp_path)
    commit_inside(place, "a")
    assert inside(place, "log", "-1", "--format=%an <%ae>|%cn <%ce>") == (
        'Ada <pen@example.org>|A "bot" \\ #1 <ada@example.org>'
    )


async def test_what_the_shell_says_counts(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G13, G16: `GIT_AUTHOR_EMAIL`, another `GIT_CONFIG_GLOBAL`, and `EMAIL` where no other is."""
    other = tmp_path / "other.config"
    other.write_text("[user]\n\tname = Other\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(other))
    git_dir = repository / ".git"
    with pytest.raises(Unknown):
        await identity(git_dir, repository)
    monkeypatch.setenv("EMAIL", "mail@example.org")
    assert (await identity(git_dir, repository)).author.startswith(b"Other <mail@example.org> ")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "author@example.org")
    who = await identity(git_dir, repository)
    assert who.author.startswith(b"Other <author@example.org> ")
    assert who.committer.startswith(b"Other <mail@example.org> ")
    other.write_text("[user]\n\tname = Other\n\temail = set@example.org\n")
    assert (await identity(git_dir, repository)).committer.startswith(b"Other <set@example.org> ")


async def test_nobody_is_named_where_nobody_is_known(
    repository: Path, tmp_path: Path, home: Path
) -> None:
    configure(home, "[core]\n\tautocrlf = input\n")
    place = await placed(repository, tmp_path)
    commit_inside(place, "a")
    assert inside(place, "log", "-1", "--format=%an <%ae>") == "Claude Code <claude@localhost>"
    assert inside(place, "config", "core.autocrlf") == "input"


async def test_commits_of_ctui_name_the_person_of_their_checkout(
    repository: Path, tmp_path: Path, home: Path
) -> None:
    """G13: the commit of a worktree is made there, the landing where its target is checked out."""
    configure(home, included("onbranch:ctui/**"))
    work_identity(home)
    place = await placed(repository, tmp_path)
    found = open_repository(repository)
    checkout = linked_checkout(found, Path(place.record.metadata), place.record)
    (Path(place.record.path) / "a").write_text("a")
    made = await commit_all(checkout, "Add a")
    assert made is not None
    assert as_person(repository, "log", "-1", "--format=%an <%ae>", made.after) == AMELIE

    landed = await land(found, checkout)
    assert as_person(repository, "log", "-1", "--format=%an <%ae>", landed.after) == ADA


async def test_a_name_with_a_newline_cannot_write_settings(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", 'x"\n[core]\n\tsshCommand = "evil')
    place = await placed(repository, tmp_path)
    listed = inside(place, "config", "--file", str(place.git_dir / "config"), "--list")
    assert "core.sshcommand" not in listed
