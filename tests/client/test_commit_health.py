"""Who commits, and what cannot be signed, is said by the doctor and where a task begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.client.health.commit_health import commit_check, commit_notes
from ctui.git.repository.repository import open_repository
from tests.conftest import git

SIGNED = "[user]\n\tname = Ada\n\temail = ada@example.org\n[commit]\n\tgpgSign = true\n"


async def test_a_repository_says_who_commits_in_it(repository: Path, home: Path) -> None:
    assert home.is_dir()
    commits = await commit_check(repository)
    assert commits is not None
    assert (commits.ok, commits.found, commits.mend) == (True, "by Ada ada@example.org", "")
    assert await commit_notes(open_repository(repository)) == []


async def test_outside_of_a_repository_nothing_is_said(tmp_path: Path) -> None:
    assert await commit_check(tmp_path) is None


async def test_nobody_is_a_remark(repository: Path, home: Path) -> None:
    (home / ".gitconfig").write_text("")
    commits = await commit_check(repository)
    assert commits is not None
    assert commits.found == "git does not know who you are"
    assert "git config --global user.name" in commits.mend


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("[gpg]\n\tprogram = /nowhere/gpg\n", "it is not installed"),
        ("[gpg]\n\tformat = ssh\n", "by which ssh key"),
        ("[gpg]\n\tformat = ssh\n[user]\n\tsigningKey = /nowhere\n", "there is no key /nowhere"),
        ("[gpg]\n\tformat = pq\n", "with which ctui cannot sign"),
    ],
)
async def test_what_cannot_be_signed_is_said_before_the_landing(
    repository: Path, home: Path, more: str, reason: str
) -> None:
    """G19: at the start of a task and by the doctor, not only when everything is done."""
    (home / ".gitconfig").write_text(SIGNED + more)
    commits = await commit_check(repository)
    assert commits is not None
    assert reason in commits.mend
    [note] = await commit_notes(open_repository(repository))
    assert reason in note


async def test_what_can_be_signed_is_said_with_the_program(repository: Path, home: Path) -> None:
    (home / ".gitconfig").write_text(SIGNED + "[gpg]\n\tprogram = true\n")
    commits = await commit_check(repository)
    assert commits is not None
    assert (commits.found, commits.mend) == ("by Ada ada@example.org, signed by true", "")
    git(repository, "config", "commit.gpgSign", "false")
    commits = await commit_check(repository)
    assert commits is not None
    assert commits.found == "by Ada ada@example.org"
