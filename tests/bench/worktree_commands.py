"""`ctui worktree` as a person runs it, against git itself; whole processes on both sides.

A list and a clean-up of a hundred worktrees of 5,000 files cost what `git status` in each of them
costs, two at a time. `cold` is without what ctui keeps of earlier proofs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.big_repository import make_big_repository
from tests.bench.figures import ratio
from tests.bench.worktrees import make_field
from tests.conftest import git

_CTUI = str(Path(sys.executable).with_name("ctui"))
_ROUNDS = 5
_AT_ONCE = 2
_MANY_FILES = 50_000
_REMOVALS = 3


async def worktree_commands() -> None:
    """List, clean up, create and remove."""
    with tempfile.TemporaryDirectory() as folder:
        place = _Place(Path(folder))
        _one_worktree(place)
        _hundred_worktrees(place)
        _creation(place)
        _removal(place)


class _Place:
    """Folders of one person, and commands run in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {**os.environ, "CTUI_HOME": str(folder / "home")}
        for number, (key, text) in enumerate((("safe.directory", "*"), ("gc.auto", "0"))):
            self.environ[f"GIT_CONFIG_KEY_{number}"] = key
            self.environ[f"GIT_CONFIG_VALUE_{number}"] = text
        self.environ["GIT_CONFIG_COUNT"] = "2"
        # As it is where it was installed: every module is compiled already, ctui's own too.
        self.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        self.environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")

    def timed(self, command: Sequence[str], cwd: Path) -> float:
        begun = time.perf_counter()
        done = subprocess.run(
            command, cwd=cwd, env=self.environ, capture_output=True, text=True, check=False
        )
        took = time.perf_counter() - begun
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: {done.stderr}")
        return took

    def ctui(self, repository: Path, *arguments: str) -> float:
        return self.timed([_CTUI, "worktree", *arguments], repository)

    def forget_proofs(self) -> None:
        shutil.rmtree(self.folder / "home" / "cache", ignore_errors=True)


def _one_worktree(place: _Place) -> None:
    repository = place.folder / "small"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    git(repository, "commit", "-q", "--allow-empty", "-m", "Begin")
    for command, name in (("create", "none"), ("remove", "none"), ("create", "one")):
        place.ctui(repository, command, name)
    place.ctui(repository, "clean", "--dry-run")
    ours, theirs = [], []
    for number in range(3 * _ROUNDS + 1):
        ours.append(place.ctui(repository, "list"))
        imports = [sys.executable, "-c", "import click, pygit2"]
        theirs.append(place.timed(imports, repository))
        if not number:
            ours, theirs = [], []
    ratio("list of one worktree / its imports", "<= 2", ours, theirs)


def _hundred_worktrees(place: _Place) -> None:
    field = make_field(place.folder / "field")
    repository = place.folder / "field" / "repository"
    figures: dict[str, list[float]] = {}
    statuses: list[float] = []
    limits = {"list, warm": 1.1, "list, cold": 1.25, "clean, warm": 0.4, "clean, cold": 1.1}
    for _ in range(_ROUNDS):
        statuses.append(_statuses(place, [path for _, path in field.worktrees]))
        for what in ("list", "clean"):
            command = (what, "--dry-run") if what == "clean" else (what,)
            place.forget_proofs()
            for state in ("cold", "warm"):
                took = place.ctui(repository, *command)
                figures.setdefault(f"{what}, {state}", []).append(took)
    for name, limit in limits.items():
        ratio(f"100 worktrees, {name} / statuses", f"<= {limit}", figures[name], statuses)


def _statuses(place: _Place, paths: Sequence[Path]) -> float:
    begun = time.perf_counter()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda path: place.timed(["git", "status", "--porcelain"], path), paths))
    return time.perf_counter() - begun


def _creation(place: _Place) -> None:
    repository = make_big_repository(place.folder / "big").path
    git(repository, "reset", "-q", "--hard")
    ours, theirs = [], []
    for number in range(_ROUNDS):
        ours.append(place.ctui(repository, "create", f"ours-{number}"))
        path = str(place.folder / f"theirs-{number}")
        command = ["git", "worktree", "add", "-q", "-b", f"theirs-{number}", path]
        theirs.append(place.timed(command, repository))
    ratio("creation, 5,000 files / worktree add", "<= 1.3", ours, theirs)


def _removal(place: _Place) -> None:
    repository = place.folder / "many"
    for number in range(_MANY_FILES):
        path = repository / f"d{number // 2500}" / f"e{number // 100 % 25}" / f"f{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n" * 20)
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Begin")
    ours, theirs = [], []
    for number in range(_REMOVALS):
        place.ctui(repository, "create", f"ours-{number}")
        theirs_at = str(place.folder / f"many-{number}")
        place.timed(
            ["git", "worktree", "add", "-q", "-b", f"theirs-{number}", theirs_at], repository
        )
        ours.append(place.ctui(repository, "remove", f"ours-{number}"))
        theirs.append(place.timed(["git", "worktree", "remove", theirs_at], repository))
    ratio("removal, 50,000 files / worktree remove", "<= 0.35", ours, theirs)
