"""A repository of the size that people have, made by one `git fast-import`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.conftest import git

FILES = 5_000
BRANCHES = 100
MERGED = 10
SQUASHED = 10
AHEAD = 1_000
"""Commits of main after the last branch began."""

_LINES = 60
_OWN_COMMITS = 5
_BEGIN = 1_700_000_000
_FORKS = 10
"""So many different commits of main are the beginning of a branch."""

Edits = dict[int, dict[int, str]]
"""By the file's number, by the line's."""


class BigRepository(NamedTuple):
    """Branches `b0` to `b99`: ten merged, ten squashed, the others not in main."""

    path: Path
    bases: tuple[str, ...]
    tips: tuple[str, ...]
    main: str


def make_big_repository(path: Path) -> BigRepository:
    """Write all of it into `path`, which must not exist; takes a few seconds."""
    path.mkdir(parents=True)
    git(path, "init", "-q", "-b", "main")
    history = _History()
    history.commit("main", "Begin", {number: {} for number in range(FILES)})
    for number in range(_FORKS):
        history.commit("main", f"Prepare {number}", {number * 7: {50: f"prepared {number}"}})
        for branch in range(number, BRANCHES, _FORKS):
            history.fork(f"b{branch}", "main")
    for branch in range(BRANCHES):
        for step in range(_OWN_COMMITS):
            history.commit(f"b{branch}", f"Work {step}", _own_edits(branch, step))
    landing = {AHEAD // (MERGED + SQUASHED) * n: n for n in range(MERGED + SQUASHED)}
    for number in range(AHEAD):
        if number in landing:
            branch = landing[number]
            history.take(f"b{branch}", squash=branch >= MERGED)
        else:
            edits = {
                (number * 31 + file * 977) % FILES: {45: f"main {number}"} for file in range(3)
            }
            history.commit("main", f"Main {number}", edits)
    history.write(path)
    tips = git(path, "rev-parse", *(f"b{branch}" for branch in range(BRANCHES))).split()
    last = git(path, "rev-list", "--max-parents=0", "main")
    firsts = git(path, "rev-list", "--reverse", "--first-parent", f"{last}..main").split()
    bases = [firsts[branch % _FORKS] for branch in range(BRANCHES)]
    return BigRepository(path, tuple(bases), tuple(tips), git(path, "rev-parse", "main"))


def _own_edits(branch: int, step: int) -> Edits:
    """Five files a commit, most of them the branch's own, one that others change as well."""
    files = [(branch * 41 + step * 5 + file) % FILES for file in range(4)]
    edits: Edits = {number: {20 + step: f"branch {branch}, step {step}"} for number in files}
    edits[(branch % 10) * 3] = {5 + 2 * step: f"shared by {branch}, step {step}"}
    return edits


class _History:
    """Commits as a stream for `git fast-import(1)`, and what each branch's files are."""

    def __init__(self) -> None:
        self._stream: list[bytes] = []
        self._files: dict[str, dict[int, dict[int, str]]] = {"main": {}}
        self._own: dict[str, Edits] = {}
        self._head: dict[str, int] = {}
        self._marks = 0

    def fork(self, branch: str, of: str) -> None:
        self._files[branch] = dict(self._files[of])
        self._head[branch] = self._head[of]
        self._own[branch] = {}

    def commit(self, branch: str, subject: str, edits: Edits, merged: str = "") -> None:
        files = self._files[branch]
        for number, lines in edits.items():
            files[number] = {**files.get(number, {}), **lines}
            own = self._own.setdefault(branch, {})
            own[number] = {**own.get(number, {}), **lines}
        self._marks += 1
        date = _BEGIN + 60 * self._marks
        parts = [
            f"commit refs/heads/{branch}\nmark :{self._marks}\n",
            f"committer Test <test@example.org> {date} +0000\n",
            f"data {len(subject)}\n{subject}\n",
        ]
        if branch in self._head:
            parts.append(f"from :{self._head[branch]}\n")
        if merged:
            parts.append(f"merge :{self._head[merged]}\n")
        self._stream.append("".join(parts).encode())
        self._stream += [_modify(number, files[number]) for number in edits]
        self._head[branch] = self._marks

    def take(self, branch: str, *, squash: bool) -> None:
        """Bring a branch into main, as a merge or as one commit of its own."""
        self.commit("main", f"Take {branch}", self._own[branch], "" if squash else branch)

    def write(self, path: Path) -> None:
        subprocess.run(
            ["git", "fast-import", "--quiet", "--force"],
            cwd=path,
            input=b"".join(self._stream),
            check=True,
        )


def _path(number: int) -> str:
    return f"part{number // 500}/room{number // 10 % 50}/file{number}.txt"


def _modify(number: int, changed: Mapping[int, str]) -> bytes:
    lines: Iterable[str] = (
        changed.get(line, f"line {line} of file {number}") for line in range(_LINES)
    )
    data = "".join(f"{line}\n" for line in lines).encode()
    return f"M 100644 inline {_path(number)}\ndata {len(data)}\n".encode() + data
