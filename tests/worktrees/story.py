"""Histories for the proof of merge, written object by object: no checkout, few milliseconds each.

A story has branches; each has its files, which `commit` writes. What a person would do with git
(squash, pick, revert, merge) is done by libgit2's merge, and must not conflict.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pygit2
from pygit2.enums import FileMode, MergeFlag

from ctui.git.repository.repository import Repository, Target
from ctui.worktrees.model import Proof, Work
from ctui.worktrees.proof.prover import Prover

FILE = 0o100644
PROGRAM = 0o100755
SUBMODULE = 0o160000

_BEGIN = 1_700_000_000


class Content(NamedTuple):
    """What is at a path; of a submodule the data is its commit."""

    data: bytes
    mode: int = FILE


Files = dict[str, Content]


def numbered(count: int, word: str = "line") -> str:
    return "".join(f"{word} {number}\n" for number in range(count))


class Story:
    """A repository whose `main` and `b` begin with the same commit."""

    def __init__(self, folder: Path, files: Files | None = None) -> None:
        self.git = pygit2.init_repository(str(folder), initial_head="main")
        self.folder = folder
        self.heads: dict[str, str] = {}
        self.files: dict[str, Files] = {"main": dict(files or _FILES)}
        self.out: str | None = None
        """The commit that took what was merged out again, or never let it in."""
        self._clock = _BEGIN
        self.base = self.commit("main")
        self.branch("b", "main")

    def branch(self, name: str, at: str) -> None:
        """Make a branch at another branch or a commit, or move it there."""
        commit = self.heads.get(at, at)
        self.heads[name] = commit
        self.files[name] = self.read(commit)

    def write(self, branch: str, path: str, data: str | bytes, mode: int = FILE) -> None:
        raw = data.encode() if isinstance(data, str) else data
        self.files[branch][path] = Content(raw, mode)

    def edit(self, branch: str, line: int, text: str, path: str = "f") -> None:
        """Replace a line, counted from 0."""
        content = self.files[branch][path]
        lines = content.data.decode().splitlines(keepends=True)
        lines[line] = f"{text}\n"
        self.write(branch, path, "".join(lines), content.mode)

    def rename(self, branch: str, old: str, new: str) -> None:
        self.files[branch][new] = self.files[branch].pop(old)

    def commit(self, branch: str, *merged: str) -> str:
        """Commit a branch's files as they are; `merged` are further parents."""
        tree = self._tree(self.files[branch])
        first = [self.heads[branch]] if branch in self.heads else []
        return self._commit(branch, tree, [*first, *merged])

    def edited(self, branch: str, line: int, text: str, path: str = "f") -> str:
        """Replace a line and commit."""
        self.edit(branch, line, text, path)
        return self.commit(branch)

    def squash(self, branch: str, into: str = "main") -> str:
        """One commit with everything that `branch` has."""
        return self._commit(into, self._merged(into, branch), [self.heads[into]])

    def merge(self, branch: str, into: str = "main") -> str:
        """A merge commit, as `git merge --no-ff`."""
        commit = self.heads.get(branch, branch)
        return self._commit(into, self._merged(into, branch), [self.heads[into], commit])

    def pick(self, commit: str, onto: str = "main") -> str:
        parent = str(self.commit_of(commit).parent_ids[0])
        return self._replay(parent, commit, onto)

    def revert(self, commit: str, on: str = "main") -> str:
        return self._replay(commit, str(self.commit_of(commit).parent_ids[0]), on)

    def two(self) -> tuple[str, str]:
        """Two commits of `b`: lines 3 and 20, and a new file."""
        first = self.edited("b", 3, "B one")
        self.edit("b", 20, "B two")
        self.write("b", "new", "new\n")
        return first, self.commit("b")

    def moved(self) -> str:
        """A commit of main that has nothing to do with `b`."""
        return self.edited("main", 38, "main moved")

    def read(self, commit: str) -> Files:
        found: Files = {}
        self._read(self.commit_of(commit).tree, "", found)
        return found

    def commit_of(self, commit: str | pygit2.Oid) -> pygit2.Commit:
        return self.git[commit].peel(pygit2.Commit)

    def repository(self) -> Repository:
        return Repository(self.folder / ".git", self.folder)

    def prove(self, cache: Path, *works: Work) -> list[Proof]:
        """Prove against main; without works, that of `b`."""
        target = Target("refs/heads/main", self.heads["main"])
        asked = works or (Work(self.heads["b"], self.base),)
        return Prover(self.repository(), [target], cache).prove(asked)

    def _merged(self, into: str, branch: str) -> pygit2.Oid:
        theirs = self.heads.get(branch, branch)
        index = self.git.merge_commits(self.heads[into], theirs, flags=MergeFlag.FIND_RENAMES)
        return self._clean(index)

    def _replay(self, old: str, new: str, onto: str) -> str:
        trees = [self.commit_of(commit).tree for commit in (old, self.heads[onto], new)]
        index = self.git.merge_trees(trees[0], trees[1], trees[2])
        return self._commit(onto, self._clean(index), [self.heads[onto]])

    def _clean(self, index: pygit2.Index) -> pygit2.Oid:
        if index.conflicts:
            raise Conflicting
        return index.write_tree(self.git)

    def _commit(self, branch: str, tree: pygit2.Oid, parents: list[str]) -> str:
        self._clock += 60
        who = pygit2.Signature("Test", "test@example.org", self._clock, 0)
        commit = str(self.git.create_commit(None, who, who, "A commit", tree, parents))
        self.git.references.create(f"refs/heads/{branch}", commit, force=True)
        self.branch(branch, commit)
        return commit

    def _tree(self, files: Files) -> pygit2.Oid:
        builder = self.git.TreeBuilder()
        folders: dict[str, Files] = {}
        for path, content in files.items():
            folder, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(folder, {})[rest] = content
            elif content.mode == SUBMODULE:
                builder.insert(path, content.data.decode(), FileMode(content.mode))
            else:
                blob = self.git.create_blob(content.data)
                builder.insert(path, blob, FileMode(content.mode))
        for folder, inner in folders.items():
            builder.insert(folder, self._tree(inner), FileMode.TREE)
        return builder.write()

    def _read(self, tree: pygit2.Tree, prefix: str, found: Files) -> None:
        for entry in tree:
            path = f"{prefix}{entry.name}"
            if isinstance(entry, pygit2.Tree):
                self._read(entry, f"{path}/", found)
            elif isinstance(entry, pygit2.Blob):
                found[path] = Content(entry.data, int(entry.filemode))
            else:
                found[path] = Content(str(entry.id).encode(), SUBMODULE)


def said(proof: Proof) -> tuple[str, str]:
    """The kind of a proof's verdict, and its evidence."""
    return proof.verdict.kind, proof.verdict.evidence


class Conflicting(Exception):
    """A merge that a story wants does not come out clean."""


_FILES: Files = {
    "f": Content(numbered(40).encode()),
    "g": Content(b"g\n" * 5),
    "p.py": Content(b"def f(x):\n    if x:\n        x = 1\n    return x\n"),
    "bin": Content(b"\0\1base"),
}
