"""Starts of tasks where files lie in plain text, and the settings that allow them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctui.client.client import Client
from ctui.client.tasks.new_task import NewTask
from ctui.client.tasks.plain_files import look_at_files
from ctui.client.tasks.tasks import start_task
from ctui.config import Config, load_config
from ctui.config.own_sections import GitConfig
from ctui.errors import InvalidInput, Refused
from ctui.git.exchange.imports import import_work
from ctui.git.private.private import create_private
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.worktrees.owner import give_to_tasks
from tests.conftest import git
from tests.filters.conftest import (
    ENCRYPTED,
    NOTEBOOK,
    SECRET,
    Filtered,
    Setup,
    place_in,
    with_nbstripout,
    with_openssl,
)


async def look(repository: Path, *plaintext: str, filters: tuple[str, ...] = ()) -> None:
    """Look at the person's own checkout, as the start of a task does."""
    await look_at_files(repository / ".git", repository, GitConfig(plaintext, filters))


@ENCRYPTED
async def test_the_persons_own_checkout_is_refused_by_path(repository: Path, setup: Setup) -> None:
    """G1: a task sees no plain text of an encrypted file unless the person allows the path."""
    await look(repository)
    setup(repository)
    with pytest.raises(Refused, match=r"would see secret\.env without the filter .*crypt") as found:
        await look(repository)
    assert "git.plaintext" in found.value.hint
    await look(repository, "secret.env")
    await look(repository, "**/*.env")
    with pytest.raises(Refused):
        await look(repository, "*.key", "conf/*.env", "secret")


async def test_a_glob_stays_in_its_folder(repository: Path) -> None:
    with_openssl(repository)
    for name in ("conf/a.key", "conf/deep/b.key"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(SECRET)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Keys")
    with pytest.raises(Refused, match=r"would see conf/deep/b\.key without"):
        await look(repository, "secret.env", "conf/*.key")
    await look(repository, "secret.env", "conf/**/*.key")


async def test_a_file_that_is_not_added_yet_counts(repository: Path) -> None:
    """A neighbour of G1: it would be encrypted when it is added."""
    with_openssl(repository)
    (repository / "new.key").write_text(SECRET)
    with pytest.raises(Refused, match=r"new\.key"):
        await look(repository, "secret.env")
    (repository / ".gitignore").write_text("*.key\n")
    await look(repository, "secret.env")


async def test_attributes_that_are_not_added_yet_count(repository: Path) -> None:
    """A neighbour of G1: the folder has the file, and no commit or index has its attributes."""
    (repository / "conf").mkdir()
    (repository / "conf" / "new.key").write_text(SECRET)
    await look(repository)
    (repository / "conf" / ".gitattributes").write_text("*.key filter=crypt\n")
    with pytest.raises(Refused, match=r"conf/new\.key"):
        await look(repository)
    (repository / ".git" / "info" / "exclude").write_text(".gitattributes\n")
    with pytest.raises(Refused, match=r"conf/new\.key"):
        await look(repository)


async def test_a_filter_that_hides_nothing_can_be_named(repository: Path) -> None:
    with_nbstripout(repository)
    with pytest.raises(Refused, match=r"note\.ipynb"):
        await look(repository)
    await look(repository, filters=("nbstripout",))
    with pytest.raises(Refused, match=r"note\.ipynb"):
        await look(repository, filters=("crypt",))


@ENCRYPTED
async def test_a_worktree_that_git_made_is_refused(
    repository: Path, tmp_path: Path, setup: Setup
) -> None:
    setup(repository)
    if setup is not with_openssl:
        pytest.skip("git-crypt cannot make one")
    git(repository, "worktree", "add", "-q", str(tmp_path / "own"))
    metadata = repository / ".git" / "worktrees" / "own"
    with pytest.raises(Refused, match=r"secret\.env"):
        await look_at_files(metadata, tmp_path / "own", GitConfig())
    place = await place_in(repository, tmp_path)
    await look_at_files(Path(place.record.metadata), place.path, GitConfig())


async def test_nothing_is_started_and_nothing_is_left(repository: Path, paths: Paths) -> None:
    if os.geteuid() == 0:
        pytest.skip("root cannot start a task in its own checkout")
    with_openssl(repository)
    found = open_repository(repository)
    with pytest.raises(Refused, match=r"secret\.env"):
        await start_task(Client(paths), found, NewTask(prompt="go", in_checkout=True))


async def test_a_start_in_an_existing_worktree_is_refused(
    repository: Path, tmp_path: Path, paths: Paths
) -> None:
    with_openssl(repository)
    git(repository, "worktree", "add", "-q", str(tmp_path / "own"))
    give_to_tasks(tmp_path / "own")  # one of root's is refused for that
    found = open_repository(repository)
    with pytest.raises(Refused, match=r"secret\.env"):
        await start_task(Client(paths), found, NewTask(prompt="go", worktree="own"))


def test_a_repository_allows_nothing(repository: Path, paths: Paths) -> None:
    """The exceptions are the person's own: what a repository says is refused."""
    (repository / ".ctui.toml").write_text('[git]\nplaintext = ["**"]\n')
    with pytest.raises(InvalidInput, match="a repository may only set"):
        load_config(paths, {}, repository)
    paths.config_file.parent.mkdir(parents=True, exist_ok=True)
    paths.config_file.write_text('[git]\nplaintext = "a"\nfilters = ["b", "c"]\n')
    config = load_config(paths, {})
    assert (config.git.plaintext_globs, config.git.filter_names) == (("a",), ("b", "c"))
    assert Config().git.plaintext_globs == ()


async def test_what_may_be_seen_may_still_not_be_committed(
    repository: Path, tmp_path: Path
) -> None:
    """G1: in an allowed checkout `git add -A` leaves the plain text out, and a commit is held."""
    with_openssl(repository)
    found, folder = open_repository(repository), tmp_path / "task"
    folder.mkdir()
    owner = (os.getuid(), os.getgid())
    base = git(repository, "rev-parse", "main")
    private = await create_private(found, None, folder, "main", base, owner)

    def in_task(*arguments: str) -> str:
        where = (f"--git-dir={private.git_dir}", f"--work-tree={repository}")
        return git(repository, *where, *arguments)

    (repository / "secret.env").write_text("CHANGED=plain\n")
    (repository / "a.txt").write_text("edited\n")
    in_task("add", "-A")
    in_task("commit", "-q", "-a", "-m", "Work")
    result = await import_work(private, "t1", "main", base)
    assert (result.problem, len(result.refs)) == ("", 1)
    in_task("update-index", "--no-skip-worktree", "secret.env")
    in_task("commit", "-q", "-a", "-m", "Leak")
    assert "secret.env of" in (await import_work(private, "t1", "main", base)).problem


async def test_a_named_filter_runs_in_the_task(repository: Path, tmp_path: Path) -> None:
    """G4: with the filter named, a changed notebook is stripped where the task commits it."""
    with_nbstripout(repository)
    place = await place_in(repository, tmp_path, filters=("nbstripout",))
    place.edit("note.ipynb", NOTEBOOK.replace("kept", "changed"))
    place.task_commits()
    result = await place.bring()
    assert (result.problem, result.branch) == ("", "advanced")
    stored = place.stored("ctui/work:note.ipynb")
    assert b"print('changed')" in stored
    assert b"stdout" not in stored
    assert place.in_task("config", "--get-regexp", "filter").count("\n") == 1


async def test_a_named_filter_without_its_program_says_so_in_the_task(
    repository: Path, tmp_path: Path
) -> None:
    """A neighbour of G4: what cannot be filtered is not added."""
    with_nbstripout(repository)
    git(repository, "config", "filter.nbstripout.clean", "/not/in/the/image")
    place = await place_in(repository, tmp_path, filters=("nbstripout",))
    place.edit("note.ipynb", NOTEBOOK.replace("kept", "changed"))
    with pytest.raises(Exception, match="returned non-zero") as found:
        place.in_task("add", "-A")
    assert "clean filter 'nbstripout' failed" in str(getattr(found.value, "stderr", ""))


async def test_a_filter_that_is_not_named_holds_back_the_one_path(
    repository: Path, tmp_path: Path
) -> None:
    """G4: other work comes home; a changed notebook is named."""
    with_nbstripout(repository)
    place: Filtered = await place_in(repository, tmp_path)
    place.edit("a.txt", "edited\n")
    place.task_commits()
    assert (await place.bring()).branch == "advanced"
    place.edit("note.ipynb", NOTEBOOK.replace("kept", "changed"))
    place.task_commits()
    problem = (await place.bring()).problem
    assert "note.ipynb of" in problem
    assert "git.filters" in problem
