"""Carried folders stay out of the trash only where a restore copies exactly them again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from ctui.client.cleaning.environment_removal import needed_by_trash, unused
from ctui.environments.build.left_out import Carried, bring_back, is_untouched, note_carried
from ctui.environments.records import Records
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.worktrees.trash.entries import TrashEntry, records
from tests.cli.commands import ctui, refused
from tests.environments.test_choice import put
from tests.environments.test_consent import TABLE, as_built


def filled(folder: Path) -> Path:
    """Fill a folder as a package manager does."""
    (folder / "a/deep").mkdir(parents=True)
    (folder / "a/deep/index.js").write_text("one")
    (folder / "b.js").write_text("two")
    (folder / ".bin").mkdir()
    (folder / ".bin/run").symlink_to("../b.js")
    (folder / "b.js").chmod(0o755)
    return folder


def copied(source: Path, target: Path) -> int:
    """Copy as a carry does; the time at which all of it was there."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
    at = time.time_ns()
    probe = target.parent / "probe"
    while not probe.exists() or probe.stat().st_ctime_ns <= at:  # files' clock moves in steps
        probe.write_text("")
    probe.unlink()
    return at


def relink(link: Path, target: str) -> None:
    link.unlink()
    link.symlink_to(target)


def replace_by_link(folder: Path) -> None:
    folder.rename(folder.parent.parent / "moved")
    folder.symlink_to("../moved")


def rewrite_and_set_the_time_back(folder: Path) -> None:
    file = folder / "b.js"
    before = file.stat()
    file.write_text("TWO")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a new file": lambda folder: (folder / "mine").write_text("x"),
    "a new folder": lambda folder: (folder / "a/mine").mkdir(),
    "a file less": lambda folder: (folder / "a/deep/index.js").unlink(),
    "a folder less": lambda folder: shutil.rmtree(folder / "a"),
    "another content": lambda folder: (folder / "b.js").write_text("TWO"),
    "another content of the same time": rewrite_and_set_the_time_back,
    "another mode": lambda folder: (folder / "b.js").chmod(0o700),
    "a link that leads elsewhere": lambda folder: relink(folder / ".bin/run", "../x.js"),
    "a folder that is a link": lambda folder: replace_by_link(folder / "a"),
}


def test_what_was_copied_is_known_again(tmp_path: Path) -> None:
    at = copied(filled(tmp_path / "kept"), tmp_path / "there")
    assert is_untouched(tmp_path / "there", tmp_path / "kept", at)


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_keeps_it(tmp_path: Path, change: str) -> None:
    """Whatever a task has done in it, nothing of that is lost."""
    at = copied(filled(tmp_path / "kept"), tmp_path / "there")
    CHANGES[change](tmp_path / "there")
    assert not is_untouched(tmp_path / "there", tmp_path / "kept", at)


def removed(repository: Path) -> TrashEntry:
    """Remove the worktree, and return its entry."""
    ctui(repository, "worktree", "remove", "one")
    [record] = records(open_repository(repository))
    return record.entry


def state(folder: Path) -> list[tuple[str, int, int, bytes]]:
    return [
        (
            str(path.relative_to(folder)),
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    ]


def test_a_removal_leaves_it_out_and_a_restore_brings_it_back(
    paths: Paths, repository: Path
) -> None:
    """Part 2: left out of the trash and rebuilt at a restore; what was changed goes along."""
    put(repository, {**TABLE, ".gitignore": "node_modules/\n.venv/\n"})
    environment = as_built(paths, repository)
    kept = Records(paths).carried(environment.id)
    made = json.loads(ctui(repository, "worktree", "create", "one", "--json").stdout)
    worktree, metadata = Path(made["path"]), Path(made["metadata"])
    for name in ("node_modules", ".venv"):
        filled(kept / name)
        copied(kept / name, worktree / name)
    note_carried(metadata, environment.id, ("node_modules", ".venv", "target"))
    (worktree / ".venv/mine").write_text("of the task")
    before = {name: state(worktree / name) for name in ("node_modules", ".venv")}

    entry = removed(repository)
    place = Path(entry.place or "")
    assert not (place / "node_modules").exists()
    assert state(place / ".venv") == before[".venv"]
    assert not list(place.glob(".ctui-left-out-*"))
    # As long as it is in the trash, nobody removes what it is copied from.
    assert needed_by_trash(str(repository / ".git")) == {environment.id}
    assert unused(paths, 0, time.time_ns() + 10**18) == []
    said = refused(repository, "env", "remove", environment.id)
    assert "a worktree in the trash has folders" in said

    ctui(repository, "worktree", "restore", entry.id)
    assert {name: state(worktree / name) for name in before} == before
    assert needed_by_trash(str(repository / ".git")) == set()
    # And again, from what was restored.
    entry = removed(repository)
    assert not (Path(entry.place or "") / "node_modules").exists()
    shutil.rmtree(kept)
    done = ctui(repository, "worktree", "restore", entry.id)
    assert "node_modules came from an environment that is gone" in done.stdout + done.stderr
    assert state(worktree / ".venv") == before[".venv"]


@pytest.mark.parametrize("renamed", [True, False])
async def test_a_restore_ends_what_a_crash_cut_off(tmp_path: Path, renamed: bool) -> None:
    """At either side of the one rename; what is there as a whole is not replaced."""
    metadata, worktree, kept = (tmp_path / name for name in ("metadata", "worktree", "kept"))
    metadata.mkdir()
    worktree.mkdir()
    filled(kept / "node_modules")
    name = ".ctui-left-out-0"
    left = filled(worktree / (name if renamed else "node_modules"))
    (left / "b.js").unlink()
    carried = Carried("e", 0, ("node_modules",), left_out=("node_modules",), erasing=(name,))
    (metadata / "ctui-carried.json").write_bytes(msgspec.json.encode(carried))
    assert await bring_back(metadata, worktree, lambda _: kept) == []
    assert not (worktree / name).exists()
    assert (worktree / "node_modules/b.js").exists() == renamed
