"""Landings and commits in repositories with filters."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.errors import Refused
from ctui.git.repository.repository import Repository, open_repository
from ctui.worktrees.landing.checkouts import Checkout, linked_checkout
from ctui.worktrees.landing.commit import commit_all
from ctui.worktrees.landing.land import Landed, land
from ctui.worktrees.landing.publish import push
from ctui.worktrees.landing.update import carry_out, plan_update
from tests.conftest import git
from tests.filters.conftest import (
    ENCRYPTED,
    NOTEBOOK,
    SECRET,
    Filtered,
    Setup,
    commit,
    place_in,
    with_git_crypt,
    with_nbstripout,
    with_openssl,
)
from tests.worktrees.landing import snapshot


@pytest.fixture(autouse=True)
def identity(repository: Path) -> None:
    git(repository, "config", "user.name", "The Person")
    git(repository, "config", "user.email", "person@example.org")


def opened(place: Filtered) -> tuple[Repository, Checkout]:
    found = open_repository(place.repository)
    return found, linked_checkout(found, Path(place.record.metadata), place.record)


async def landed(place: Filtered, **options: object) -> Landed:
    repository, checkout = opened(place)
    return await land(repository, checkout, **options)  # type: ignore[arg-type]


async def refused(place: Filtered, match: str, **options: object) -> Refused:
    """Return why a landing is refused, whether it is tried or only asked for."""
    before = snapshot(place.repository)
    with pytest.raises(Refused, match=match) as asked:
        await landed(place, dry_run=True, **options)
    with pytest.raises(Refused, match=match) as tried:
        await landed(place, **options)
    assert tried.value.one_line() == asked.value.one_line()
    assert snapshot(place.repository) == before
    return tried.value


@ENCRYPTED
@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_other_work_lands_and_the_checkout_keeps_its_plain_text(
    repository: Path, tmp_path: Path, setup: Setup, method: str
) -> None:
    """G1: what a dry run says would land does land."""
    setup(repository)
    stored = git(repository, "rev-parse", "main:secret.env")
    place = await place_in(repository, tmp_path)
    place.edit("a.txt", "edited\n")
    place.task_commits()
    await place.bring()
    assert not (await landed(place, method=method, dry_run=True)).checkout_moved
    assert (repository / "a.txt").read_text() == "a\n"
    assert (await landed(place, method=method)).checkout_moved
    assert (repository / "a.txt").read_text() == "edited\n"
    assert (repository / "secret.env").read_text() == SECRET
    assert git(repository, "rev-parse", "main:secret.env") == stored
    assert git(repository, "status", "--porcelain") == ""


@ENCRYPTED
async def test_an_encrypted_change_lands_as_plain_text_in_the_checkout(
    repository: Path, tmp_path: Path, setup: Setup
) -> None:
    """A neighbour of G1: the person's own filter writes it, as after `git merge`."""
    setup(repository)
    place = await place_in(repository, tmp_path)
    place.edit("secret.env", "NEW=secret\n")
    git(place.path, "commit", "-q", "-a", "-m", "New secret")
    (place.path / "secret.env").unlink()
    git(place.path, "checkout", "-q", "--", "secret.env")
    (repository / "secret.env").touch()
    await landed(place, dry_run=True)
    await landed(place)
    assert (repository / "secret.env").read_text() == "NEW=secret\n"
    assert b"secret" not in place.stored("main:secret.env")
    assert git(repository, "status", "--porcelain") == ""


@ENCRYPTED
async def test_a_filter_that_a_task_took_away_does_not_land(
    repository: Path, tmp_path: Path, setup: Setup
) -> None:
    """G1: the next `git add` in the checkout would commit the plain text."""
    setup(repository)
    place = await place_in(repository, tmp_path)
    place.edit(".gitattributes", "# nothing\n")
    place.task_commits()
    assert (await place.bring()).problem == ""
    error = await refused(place, r"it takes the filter .*crypt from secret\.env")
    assert "--allow-filters" not in error.hint
    assert "merge" not in error.hint
    await refused(place, r"secret\.env", filters=True)


async def test_a_filter_that_a_task_chose_needs_a_word(repository: Path, tmp_path: Path) -> None:
    """G1: the hint names an option that exists."""
    with_openssl(repository)
    place = await place_in(repository, tmp_path)
    place.edit("deep/.gitattributes", "* filter=crypt\n")
    place.edit("deep/new.txt", place.stored("main:secret.env"))
    place.edit("deep/.gitattributes", "new.txt filter=crypt\n")
    place.task_commits()
    await place.bring()
    error = await refused(place, r"a filter of yours would run for deep/new\.txt")
    assert "--allow-filters" in error.hint
    await landed(place, filters=True)
    assert (repository / "deep" / "new.txt").read_text() == SECRET


async def test_a_dry_run_looks_at_the_checkout(repository: Path, tmp_path: Path) -> None:
    """G1: it refuses what the real one refuses, and leaves nothing behind."""
    place = await place_in(repository, tmp_path)
    place.edit("hello.txt", "edited\n")
    place.task_commits()
    await place.bring()
    (repository / "hello.txt").write_text("mine\n")
    await refused(place, "uncommitted changes in .*: hello.txt")
    names = {path.name for path in (repository / ".git").iterdir()}
    assert not {name for name in names if "transition" in name and "lock" not in name}
    assert "index.lock" not in names


async def test_unchanged_files_of_a_filter_never_block(repository: Path, tmp_path: Path) -> None:
    """G4: committed by ctui, and landed, without any setting."""
    with_nbstripout(repository)
    place = await place_in(repository, tmp_path)
    place.edit("a.txt", "edited\n")
    (place.path / "note.ipynb").touch()
    _, checkout = opened(place)
    assert await commit_all(checkout, "By hand")
    await landed(place, dry_run=True)
    await landed(place)
    assert (repository / "a.txt").read_text() == "edited\n"


async def test_a_changed_file_of_a_filter_is_named(repository: Path, tmp_path: Path) -> None:
    """G4: and where the filter is named, the task is who commits it."""
    with_nbstripout(repository)
    place = await place_in(repository, tmp_path)
    place.edit("note.ipynb", NOTEBOOK)
    place.edit("a.txt", "edited\n")
    _, checkout = opened(place)
    with pytest.raises(Refused, match=r"applies to note\.ipynb$") as found:
        await commit_all(checkout, "By hand")
    assert "git.filters" in found.value.hint
    with pytest.raises(Refused, match=r"applies to note\.ipynb$") as found:
        await commit_all(checkout, "By hand", run_filters=("nbstripout",))
    assert "ctui task send" in found.value.hint


async def test_what_a_named_filter_strips_is_no_uncommitted_work(
    repository: Path, tmp_path: Path
) -> None:
    """G4: the notebook in the worktree has outputs, the commit has none, and it lands."""
    with_nbstripout(repository)
    place = await place_in(repository, tmp_path, filters=("nbstripout",))
    place.edit("note.ipynb", NOTEBOOK.replace("kept", "changed"))
    place.task_commits()
    assert (await place.bring()).branch == "advanced"
    await refused(place, r"uncommitted changes: note\.ipynb")
    await landed(place, run_filters=("nbstripout",))
    assert "changed" in (repository / "note.ipynb").read_text()
    assert git(repository, "status", "--porcelain") == ""


@ENCRYPTED
async def test_ctui_commits_no_plain_text(repository: Path, tmp_path: Path, setup: Setup) -> None:
    """G1: neither with the attribute nor after a task took it away."""
    setup(repository)
    place = await place_in(repository, tmp_path)
    place.edit("secret.env", "LEAK=plain\n")
    _, checkout = opened(place)
    for attributes in (None, "# nothing\n"):
        if attributes:
            place.edit(".gitattributes", attributes)
        with pytest.raises(Refused, match=r"secret\.env") as found:
            await commit_all(checkout, "Leak")
        assert "by hand" not in found.value.hint
    assert git(repository, "rev-parse", "ctui/work") == place.record.base


async def test_raw_bytes_that_came_in_otherwise_are_not_passed_on(
    repository: Path, tmp_path: Path
) -> None:
    """G1: commits from before an upgrade, say; of git-crypt it can be seen."""
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", str(remote))
    git(repository, "remote", "add", "origin", str(remote))
    with_git_crypt(repository)
    found = open_repository(repository)
    await push(found, "main")
    place = await place_in(repository, tmp_path)
    blob = git(repository, "hash-object", "-w", "--no-filters", "secret.env")
    git(place.path, "update-index", "--cacheinfo", f"100644,{blob},secret.env")
    git(place.path, "commit", "-q", "-m", "Leak")
    git(place.path, "checkout", "-q", "--", "secret.env")
    await refused(place, r"secret\.env of .* did not go through the filter git-crypt")
    with pytest.raises(Refused, match="did not go through the filter git-crypt") as error:
        await push(found, "ctui/work")
    assert "git rebase" in error.value.one_line()
    assert git(remote, "for-each-ref").count("\n") == 0


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_a_filter_that_came_after_the_work_counts(
    repository: Path, tmp_path: Path, method: str
) -> None:
    """G1: what a task committed before the target had the filter never went through it."""
    place = await place_in(repository, tmp_path)
    place.edit("new.key", SECRET)
    place.edit("other.txt", "other\n")
    place.task_commits()
    await place.bring()
    with_openssl(repository)
    refusal = await refused(
        place, r"new.key of \w+ did not go through the filter crypt", method=method
    )
    assert "take it out of the branch" in refusal.message
    # A merge of the new attributes leaves the old bytes as they are.
    repository_, checkout = opened(place)
    await carry_out(repository_, checkout, await plan_update(repository_, checkout))
    await refused(place, "new.key", method="merge")
    # By force: its bytes are not those that the filter would make, so it may count as changed.
    git(place.path, "rm", "-q", "--force", "new.key")
    git(place.path, "commit", "-q", "-m", "Without it")
    await landed(place, method="squash")
    assert (repository / "other.txt").read_text() == "other\n"


async def test_a_pointer_needs_no_filter(repository: Path, tmp_path: Path) -> None:
    """G3: work that began before the target had Git LFS, and brings a pointer all the same."""
    place = await place_in(repository, tmp_path)
    place.edit("big.bin", b"\0" * 5000)
    place.edit("small.bin", POINTER)
    place.task_commits()
    await place.bring()
    for name, value in (
        ("clean", "cat"),
        ("smudge", "cat"),
        ("process", ""),
        ("required", "false"),
    ):
        git(repository, "config", f"filter.lfs.{name}", value)
    commit(repository, **{".gitattributes": "*.bin filter=lfs\n"})
    await refused(place, "big.bin of .* is no Git LFS pointer")
    place.in_task("rm", "-q", "big.bin")
    place.in_task("commit", "-q", "-m", "Only the pointer")
    await place.bring()
    await landed(place, method="squash")


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize 9999999999\n"


async def test_another_server_of_git_lfs_needs_a_word(repository: Path, tmp_path: Path) -> None:
    """G3: after the landing the person's next push would send their files there."""
    git(repository, "config", "filter.lfs.clean", "cat")
    git(repository, "config", "filter.lfs.smudge", "cat")
    git(repository, "config", "filter.lfs.process", "")
    place = await place_in(repository, tmp_path)
    place.edit(".lfsconfig", "[lfs]\n\turl = https://elsewhere.example\n")
    place.task_commits()
    await place.bring()
    refusal = await refused(place, "it changes .lfsconfig")
    assert "--allow-filters" in refusal.hint
    await landed(place, filters=True)
    assert (repository / ".lfsconfig").exists()


async def test_a_worktree_of_the_target_stays_as_stored(repository: Path, tmp_path: Path) -> None:
    """A neighbour of G1: a task may work in the target's worktree, and sees no plain text."""
    place = await place_in(repository, tmp_path)
    target = await place_in(repository, tmp_path, name="target")
    with_openssl(repository)
    git(place.path, "-c", "filter.crypt.smudge=cat", "reset", "-q", "--hard", "main")
    into = {"target": "ctui/target", "as_stored": [target.path], "filters": True}
    await landed(place, **into, dry_run=True)
    await landed(place, **into)
    assert (target.path / "secret.env").read_bytes() == target.stored("main:secret.env")
