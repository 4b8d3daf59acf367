"""What a proof leaves behind: nothing but what saves the next one."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ctui.git.repository.repository import Repository, Target
from ctui.worktrees.model import Proof, Verdict, Work
from ctui.worktrees.proof.prover import Prover
from ctui.worktrees.proof.scratch import scratch_repository
from ctui.worktrees.proof.verdicts import VerdictCache
from tests.worktrees.story import Story


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path / "repository")


def test_nothing_is_left_of_a_killed_proof(story: Story, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from ctui.git.repository.repository import Repository\n"
        "from ctui.worktrees.proof.scratch import scratch_repository\n"
        "folder, cache = map(Path, sys.argv[1:])\n"
        "with scratch_repository(Repository(folder / '.git', folder), cache):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", code, str(story.folder), str(cache)]
    assert subprocess.run(command, check=False).returncode == -9
    assert len(list(cache.glob("scratch-*"))) == 1
    with scratch_repository(story.repository(), cache) as mine:
        assert list(cache.glob("scratch-*")) == [mine.path]
        with scratch_repository(story.repository(), cache) as another:
            assert mine.path.is_dir()
            assert stat.S_IMODE(another.path.stat().st_mode) == 0o700
    assert not list(cache.glob("scratch-*"))


def test_a_damaged_cache_is_as_good_as_none(story: Story, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    story.two()
    story.squash("b")
    expected = story.prove(cache)
    file = cache / "verdicts.db"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    whole = file.read_bytes()
    for damage in (b"", b"not a database at all" * 400, whole[: len(whole) // 2], whole[::-1]):
        file.write_bytes(damage)
        assert story.prove(cache) == expected
    # The last one was thrown away, and the file is of use again.
    shutil.rmtree(story.folder / ".git" / "objects")
    assert story.prove(cache) == expected


def test_the_cache_keeps_the_newest(tmp_path: Path) -> None:
    cache = VerdictCache(tmp_path, limit=3)
    proofs = {bytes([number]): Proof(Verdict("merged", str(number))) for number in range(5)}
    for key, proof in proofs.items():
        cache.keep({key: proof})
    assert cache.find(proofs) == {key: proofs[key] for key in list(proofs)[2:]}


def test_several_use_the_cache_at_once(tmp_path: Path) -> None:
    proofs = {number.to_bytes(2): Proof(Verdict("merged", str(number))) for number in range(200)}

    def keep(part: list[bytes]) -> None:
        for key in part:
            VerdictCache(tmp_path).keep({key: proofs[key]})

    keys = list(proofs)
    threads = [threading.Thread(target=keep, args=[keys[start::4]]) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert VerdictCache(tmp_path).find(keys) == proofs


def test_an_older_git_only_knows_fewer_renames(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real git, but it says that it is 2.31 and refuses what that one did not know."""
    tool = tmp_path / "bin" / "git"
    tool.parent.mkdir()
    tool.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exec echo git version 2.31.0\n'
        'case "$*" in *merge-tree*) echo "$*" >> "$0.asked"; exit 129;; esac\n'
        f'exec {shutil.which("git")} "$@"\n'
    )
    tool.chmod(0o755)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from ctui.git.repository.repository import Repository, Target\n"
        "from ctui.worktrees.model import Work\n"
        "from ctui.worktrees.proof.prover import Prover\n"
        "folder, cache, main, tip = sys.argv[1:]\n"
        "prover = Prover(Repository(Path(folder), None), [Target('main', main)], Path(cache))\n"
        "print(prover.prove([Work(tip)])[0].verdict.kind)\n"
    )
    story.rename("b", "f", "f2")
    story.edited("b", 3, "B", "f2")
    story.moved()
    story.rename("main", "f", "f2")
    story.edited("main", 3, "B", "f2")
    arguments = [str(story.folder / ".git"), str(tmp_path / "c"), story.heads["main"]]
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    command = [sys.executable, "-c", code, *arguments, story.heads["b"]]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.strip() == "unmerged"
    assert not tool.with_name("git.asked").exists()
    assert story.prove(tmp_path / "cache")[0].verdict.kind == "merged"


def test_a_repository_by_its_path_alone_is_enough(story: Story, tmp_path: Path) -> None:
    story.two()
    story.squash("b")
    bare = Repository(story.folder / ".git", None)
    target = Target("refs/heads/main", story.heads["main"])
    [proof] = Prover(bare, [target], tmp_path / "cache").prove([Work(story.heads["b"])])
    assert proof == story.prove(tmp_path / "cache")[0]
