"""Names of encrypted files that are no text, or look like something else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctui.client.tasks.plain_files import look_at_files
from ctui.config.own_sections import GitConfig
from ctui.errors import Refused
from ctui.git.repository.repository import open_repository
from ctui.worktrees.landing.checkouts import linked_checkout
from ctui.worktrees.landing.commit import commit_all
from ctui.worktrees.landing.land import land
from tests.conftest import git
from tests.filters.conftest import SECRET, place_in, with_openssl

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "name",
    [
        b"\xff\xfe.key",
        b"two\nlines.key",
        b"-b.key",
        b":(top).key",
        b"a*b.key",
        b"d\xc3\xa9/\x1b[2J.key",
    ],
)
async def test_no_name_hides_an_encrypted_file(
    repository: Path, tmp_path: Path, name: bytes
) -> None:
    """G1: seen at the start, at the import, at a commit and at a landing, and said safely."""
    with_openssl(repository)
    git(repository, "config", "user.name", "The Person")
    git(repository, "config", "user.email", "person@example.org")
    file = os.fsdecode(name)
    (repository / file).parent.mkdir(exist_ok=True)
    (repository / file).write_text(SECRET)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Key")
    with pytest.raises(Refused, match="without the filter crypt") as seen:
        await look_at_files(repository / ".git", repository, GitConfig("secret.env"))
    place = await place_in(repository, tmp_path)
    assert SECRET.encode() not in (place.path / file).read_bytes()
    place.edit("a.txt", "edited\n")
    place.task_commits()
    assert (await place.bring()).problem == ""
    found = open_repository(repository)
    checkout = linked_checkout(found, Path(place.record.metadata), place.record)
    await land(found, checkout)
    assert (repository / file).read_text() == SECRET
    (place.path / file).write_text(SECRET)
    with pytest.raises(Refused, match="filter attribute applies") as refused:
        await commit_all(checkout, "Leak")
    place.task_commits()
    problem = (await place.bring()).problem
    assert "did not go through the filter crypt" in problem
    for text in (problem, seen.value.one_line(), refused.value.one_line()):
        assert "\x1b" not in text
        assert "\n" not in text
