"""The way home of a task's work, from a directory that lies."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ctui.git.exchange.imports import ImportResult
from tests.conftest import git
from tests.git.conftest import BRANCH, Place


async def test_nothing_done_means_nothing_imported(place: Place) -> None:
    assert await place.bring() == ImportResult()


async def test_the_fingerprint_changes_with_every_ref(place: Place) -> None:
    seen = {place.private.fingerprint()}
    steps: list[Callable[[], object]] = [
        lambda: place.commit("a"),
        lambda: place.in_task("branch", "side"),
        lambda: place.in_task("pack-refs", "--all"),
        lambda: place.in_task("checkout", "-q", "--detach"),
    ]
    for number, step in enumerate(steps):
        step()
        seen.add(place.private.fingerprint())
        assert len(seen) == number + 2


async def test_commits_on_a_detached_head_and_packed_refs_come_home(place: Place) -> None:
    place.in_task("checkout", "-q", "--detach")
    tip = place.commit("detached")
    place.in_task("branch", "side")
    place.in_task("pack-refs", "--all")
    place.in_task("gc", "-q")
    result = await place.bring()
    assert {ref.name: ref.commit for ref in result.refs} == {
        "refs/ctui/t1/head": tip,
        "refs/ctui/t1/heads/side": tip,
    }
    git(place.repository, "fsck", "--strict")


async def test_a_branch_renamed_below_its_old_name_comes_home_and_the_old_tip_stays(
    place: Place,
) -> None:
    place.in_task("checkout", "-q", "-b", "side")
    first = place.commit("one")
    await place.bring()
    place.in_task("branch", "-m", "side", "side/more")
    second = place.commit("two")

    result = await place.bring()

    assert result.problem == ""
    assert place.host("rev-parse", "refs/ctui/t1/heads/side/more") == second
    assert place.host("rev-parse", f"refs/ctui/t1/gone/{first}") == first

    place.in_task("branch", "-m", "side/more", "side")
    assert (await place.bring()).problem == ""
    assert place.host("rev-parse", "refs/ctui/t1/heads/side") == second


async def test_a_ref_that_the_task_deleted_stays_imported(place: Place) -> None:
    place.in_task("branch", "side")
    place.in_task("checkout", "-q", "side")
    tip = place.commit("side-work")
    await place.bring()
    place.in_task("checkout", "-q", BRANCH)
    place.in_task("branch", "-D", "side")
    await place.bring()
    assert git(place.repository, "rev-parse", "refs/ctui/t1/heads/side") == tip


async def test_objects_of_another_repository_cannot_be_pulled_in(
    place: Place, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    git(secret, "init", "-q")
    (secret / "password").write_text("hunter2")
    git(secret, "add", ".")
    git(secret, "commit", "-q", "-m", "Secret")
    oid = git(secret, "rev-parse", "HEAD")
    alternates = place.git_dir / "objects" / "info" / "alternates"
    alternates.write_text(alternates.read_text() + f"{secret}/.git/objects\n")
    (place.git_dir / "refs" / "heads" / "leak").write_text(f"{oid}\n")
    result = await place.bring()
    assert result.problem
    with pytest.raises(subprocess.CalledProcessError):
        git(place.repository, "cat-file", "-e", oid)


Trick = Callable[[Path, Path], None]
"""Gets the task's git directory and a folder outside of it."""


def _fifo(*parts: str) -> Trick:
    def trick(git_dir: Path, _outside: Path) -> None:
        path = git_dir.joinpath(*parts)
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return trick


def _link(name: str, target: str) -> Trick:
    def trick(git_dir: Path, outside: Path) -> None:
        path = git_dir / name
        if path.exists():
            path.rename(git_dir / "moved-away")
        path.symlink_to(outside / target)

    return trick


def _nonsense_pack(git_dir: Path, _outside: Path) -> None:
    pack = git_dir / "objects" / "pack" / f"pack-{'a' * 40}.pack"
    pack.write_bytes(b"PACK" * 99)
    pack.with_suffix(".idx").write_bytes(b"\xfftOc" * 99)


def _huge_packed_refs(git_dir: Path, _outside: Path) -> None:
    os.truncate(git_dir / "packed-refs", 1 << 40)


def _names_that_leave(git_dir: Path, _outside: Path) -> None:
    lines = f"{'1' * 40} refs/heads/../../../evil\n{'1' * 40} refs/heads/x.lock\n"
    (git_dir / "packed-refs").write_text(lines)


def _no_directory(git_dir: Path, _outside: Path) -> None:
    git_dir.rename(git_dir.with_name("moved"))


HOSTILE: dict[str, Trick] = {
    "a fifo as a ref": _fifo("refs", "heads", "fifo"),
    "a fifo as HEAD": _fifo("HEAD"),
    "a fifo as packed-refs": _fifo("packed-refs"),
    "a fifo as an object": _fifo("objects", "ab", "c" * 38),
    "a link as refs": _link("refs", ""),
    "a link as a ref": _link("refs/heads/link", "password"),
    "a link as objects": _link("objects", ""),
    "a link as a pack": _link(f"objects/pack/pack-{'a' * 40}.pack", "password"),
    "a pack of nonsense": _nonsense_pack,
    "a huge packed-refs": _huge_packed_refs,
    "names that leave": _names_that_leave,
    "a loop of folders": _link("refs/heads/loop", "../task/git/refs/heads"),
    "no directory": _no_directory,
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_directory_neither_hangs_nor_leads_out(
    place: Place, tmp_path: Path, name: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "password").write_text("1" * 40)
    place.commit("new")
    refs = git(place.repository, "for-each-ref")
    HOSTILE[name](place.git_dir, outside)
    result = await place.bring()
    allowed = {"refs/ctui/t1/heads/ctui/work", "refs/heads/ctui/work"}
    after = git(place.repository, "for-each-ref", "--format=%(refname)").splitlines()
    before = [line.split()[-1] for line in refs.splitlines()]
    assert set(after) - set(before) <= allowed
    assert result.branch in {"advanced", "unchanged"} or result.problem
    git(place.repository, "fsck", "--strict")


async def test_refs_whose_names_are_no_text_come_home_by_names_that_are(place: Place) -> None:
    """A ref is a file that the task names; git takes any byte."""
    tips = {"n%E9me": place.commit("one"), "n%FFme": place.commit("two")}
    for byte, tip in zip((b"\xe9", b"\xff"), tips.values(), strict=True):
        path = place.git_dir / "refs" / "heads" / os.fsdecode(b"n" + byte + b"me")
        path.write_text(f"{tip}\n")
    for _ in range(2):
        result = await place.bring()
        assert result.problem == ""
        for name, tip in tips.items():
            assert place.host("rev-parse", f"refs/ctui/t1/heads/{name}") == tip
        place.in_task("pack-refs", "--all")


async def test_settings_of_the_task_run_nothing_here(place: Place, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    for key in ("core.fsmonitor", "core.sshCommand", "uploadpack.packObjectsHook", "core.pager"):
        place.in_task("config", key, f"touch {marker}")
    place.in_task("config", "filter.x.clean", f"touch {marker}")
    place.in_task("config", "filter.x.smudge", f"touch {marker}")
    (Path(place.record.path) / ".gitattributes").write_text("* filter=x\n")
    hook = place.git_dir / "hooks" / "reference-transaction"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    tip = place.host("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "x")
    (place.git_dir / "refs/heads/ctui").mkdir(exist_ok=True)
    (place.git_dir / "refs/heads/ctui/work").write_text(f"{tip}\n")
    marker.unlink(missing_ok=True)
    assert (await place.bring()).branch == "advanced"
    assert not marker.exists()


async def test_a_new_gitlink_is_told(place: Place) -> None:
    place.in_task("update-index", "--add", "--cacheinfo", f"160000,{'2' * 40},nested")
    place.in_task("commit", "-q", "-m", "Link")
    assert (await place.bring()).gitlinks == ("nested",)
