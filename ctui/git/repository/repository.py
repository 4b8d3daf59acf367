"""A repository, found from any folder in it and refused if it cannot be trusted."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ctui.errors import NotFound, Refused
from ctui.git.repository.alternates import object_directories
from ctui.git.repository.moved import refuse_broken_link, refuse_stray, trashed_from
from ctui.git.repository.opening import (
    common_dir_of,
    open_trusted,
    refuse_embedded,
    refuse_formats,
    refuse_nested,
    refuse_path,
)
from ctui.git.repository.target import TargetRefs, default_refs, named_refs, remote_followed
from ctui.text import one_line

if TYPE_CHECKING:
    import pygit2

_LEFT = re.compile(r"checkout: moving from (\S+) to ")
_SYMBOLIC_DEPTH = 5


class Target(NamedTuple):
    """Branch that worktrees are judged against."""

    ref: str
    commit: str


class Repository:
    """One repository with a main checkout or none (a bare one), and all its worktrees."""

    def __init__(self, common_dir: Path, work_tree: Path | None) -> None:
        self.common_dir = common_dir
        """The main checkout's `.git`, or the bare repository; absolute and without links."""
        self.work_tree = work_tree
        """The main checkout; None if the repository is bare."""
        self.here = common_dir
        """The git directory of the checkout that it was opened from, perhaps a linked one's."""
        self.name = _name(work_tree or common_dir)
        self.wanted_target = ""
        """Branch that a person wants worktrees to be judged against; see `judge_against`."""

    @cached_property
    def git(self) -> pygit2.Repository:
        """The repository as libgit2 opens it, which runs nothing that the repository contains."""
        return open_trusted(self.common_dir)

    @property
    def bare(self) -> bool:
        """True if all its checkouts are linked worktrees."""
        return self.work_tree is None

    def resolve(self, revision: str) -> str:
        """Return the full object id of a commit. Raises NotFound."""
        import pygit2

        if revision == "HEAD" and self.bare and self.git.head_is_unborn:
            # It names the branch that git makes by default, which nobody has to have.
            revision = self.default_branch() or revision
        try:
            return str(self.git.revparse_single(revision).peel(pygit2.Commit).id)
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise NotFound(
                f"there is no commit {one_line(revision, 80)!r} in {self.name}",
                hint="name a branch, tag or commit id",
            ) from error

    def head_branch(self) -> str | None:
        """Return the branch of the main checkout, or None if its HEAD is on none that exists."""
        git = self.git
        return None if git.head_is_detached or git.head_is_unborn else str(git.head.shorthand)

    def upstream_distance(self) -> tuple[int, int]:
        """Return how many commits the checked-out branch is ahead of and behind its upstream."""
        import pygit2

        branch = self.head_branch()
        if branch is None:
            return 0, 0
        # No upstream is configured, or it does not exist any more.
        with suppress(KeyError, ValueError, NotFound, pygit2.GitError):
            upstream = self.resolve(self.git.branches.local[branch].upstream_name)
            ahead, behind = self.git.ahead_behind(self.git.head.target, upstream)
            return ahead, behind
        return 0, 0

    def remote(self) -> str | None:
        """Return the remote whose default branch counts.

        It is the one that the local default branch follows, else origin, else the only one.
        """
        names = [name for name in self.git.remotes.names() if name is not None]
        followed = remote_followed(self.git, self._local_default())
        if followed is not None:
            return followed
        if "origin" in names:
            return "origin"
        return names[0] if len(names) == 1 else None

    def default_branch(self) -> str | None:
        """Return the remote's default branch, else main or master, else the checked-out branch.

        Where a person wants another target it is the local branch of that.
        """
        if wanted := self._wanted_refs().local:
            return wanted.removeprefix("refs/heads/")
        return self._default_branch()

    def _default_branch(self) -> str | None:
        prefix = f"refs/remotes/{self.remote() or 'origin'}/"
        with suppress(KeyError, ValueError):
            target = self.git.references[f"{prefix}HEAD"].target
            # After the remote's default branch was renamed, this ref names one that may not exist.
            if isinstance(target, str) and target in self.git.references:
                return target.removeprefix(prefix)
        return self._followed(self._local_default())

    def _followed(self, name: str | None) -> str | None:
        """Follow a symbolic ref to the branch that really moves (git-symbolic-ref(1))."""
        for _ in range(_SYMBOLIC_DEPTH):
            with suppress(KeyError):
                target = self.git.references[f"refs/heads/{name}"].target
                if isinstance(target, str) and target.startswith("refs/heads/"):
                    name = target.removeprefix("refs/heads/")
        return name

    def _local_default(self) -> str | None:
        for name in ("main", "master", "trunk", "develop"):
            if self._has_branch(name):
                return name
        return self.head_branch() or self._left_branch()

    def _left_branch(self) -> str | None:
        """Return the branch that the main checkout was on before its HEAD was detached."""
        with suppress(KeyError, OSError):
            for entry in self.git.references["HEAD"].log():
                found = _LEFT.match(entry.message)
                if found and self._has_branch(found[1]):
                    return found[1]
        return None

    def _has_branch(self, name: str) -> bool:
        """Return True if there is a local branch of this name; the others are not listed for it."""
        import pygit2

        try:
            return name in self.git.branches.local
        except (ValueError, pygit2.GitError):  # it can be no branch's name, or is damaged
            return False

    def target(self) -> Target:
        """Return the branch that worktrees are judged against first; see `targets`."""
        return self.targets()[0]

    def targets(self) -> tuple[Target, ...]:
        """Return `<remote>/<default>` and the local default, or the one that contains the other.

        Where the local one is ahead it comes first and the remote one follows, because only the
        remote one tells what was pushed. Where each has commits of its own the remote one, which
        others see as well, comes first.
        """
        refs = (
            self._wanted_refs().present
            or default_refs(
                self.git, self._default_branch(), self.remote() or "origin", self._local_default()
            ).present
        )
        found = [Target(ref, self.resolve(ref)) for ref in refs]
        if not found:
            return (Target("HEAD", self.resolve("HEAD")),)
        if len(found) == 2:
            remote, local = found
            if remote.commit == local.commit or self._contains(remote, local):
                return (remote,)
            return (local, remote) if self._contains(local, remote) else (remote, local)
        return (found[0],)

    def own_branches(self) -> set[str | None]:
        """Return the short names of the branches that are no worktree's to delete."""
        local = [t.ref for t in self.targets() if t.ref.startswith("refs/heads/")]
        judged = (ref.removeprefix("refs/heads/") for ref in local)
        return {self.default_branch(), self._default_branch(), *judged}

    def judge_against(self, name: str, *, must_exist: bool = True) -> None:
        """Judge worktrees against another branch than the default one.

        Args:
            name: of a local branch or of a remote's, or "" for the default.
            must_exist: refuse a name that no branch has; else the default counts then.

        Raises:
            NotFound: there is no such branch.
        """
        self.wanted_target = name
        if name and must_exist and not self._wanted_refs().present:
            raise NotFound(
                f"there is no branch {one_line(name, 80)!r} to judge against",
                hint="`git branch --all` lists them; git fetch brings those of remotes",
            )

    def _wanted_refs(self) -> TargetRefs:
        if not self.wanted_target:
            return TargetRefs("", "")
        return named_refs(self.git, self.wanted_target, self.remote() or "origin")

    def _contains(self, one: Target, other: Target) -> bool:
        import pygit2

        try:
            return bool(self.git.descendant_of(one.commit, other.commit))
        except (KeyError, pygit2.GitError):
            # A shallow or damaged history: neither is known to contain the other.
            return False

    def refs(self, prefix: str) -> list[tuple[str, str]]:
        """Return every ref below a prefix: its name without the prefix, and the commit it names.

        Names are as the repository has them: not sanitised, and perhaps with surrogate escapes.
        """
        import pygit2

        found: list[tuple[str, str]] = []
        for raw in self.git.raw_listall_references():
            name = raw.decode("utf-8", "surrogateescape")
            if not name.startswith(prefix):
                continue
            with suppress(KeyError, ValueError, pygit2.GitError):
                commit = self.git.references[name].peel(pygit2.Commit).id
                found.append((name.removeprefix(prefix), str(commit)))
        return sorted(found)

    def object_directories(self) -> list[Path]:
        """Return the folders of this repository's objects: its own, and those it borrows from."""
        return object_directories(self.common_dir)


def open_repository(path: Path) -> Repository:
    """Open the repository that contains `path`, also from inside one of its linked worktrees.

    Raises:
        NotFound: there is none.
        Refused: it has no commits, is somebody else's, does not say where its checkout is, or is
            of a format that libgit2 does not read (reftable, SHA-256).
        Unavailable: it is damaged.
    """
    import pygit2

    refuse_path(path)
    if not path.exists():
        raise NotFound(f"{path} does not exist", hint="name a folder in a repository with --repo")
    path = trashed_from(path.absolute()) or path.absolute()
    refuse_broken_link(path)
    found = pygit2.discover_repository(str(path))
    if found is None:
        raise NotFound(
            f"{path} is not in a git repository", hint="go into one, or name one with --repo"
        )
    common_dir = common_dir_of(Path(found).resolve())
    refuse_path(common_dir)
    refuse_formats(common_dir)
    git = open_trusted(common_dir)
    refuse_nested(common_dir)
    if git.is_bare:
        _refuse_bare(common_dir, git)
        refuse_embedded(common_dir)
    elif git.is_empty or git.head_is_unborn:
        raise Refused(f"{common_dir.parent} has no commits yet", hint="make a first commit")
    work_tree = Path(git.workdir).resolve() if git.workdir else None
    refuse_stray(common_dir, work_tree)
    repository = Repository(common_dir, work_tree)
    repository.__dict__["git"] = git
    repository.here = Path(found).resolve()
    return repository


def _refuse_bare(common_dir: Path, git: pygit2.Repository) -> None:
    """Refuse a bare repository that is one by mistake, or that has no branch yet."""
    if (common_dir / "index").exists():
        raise Refused(
            f"{common_dir} calls itself a bare repository, but has a checkout",
            hint=f"git --git-dir={shlex.quote(str(common_dir))} config core.bare false",
        )
    if not any(name.startswith(b"refs/heads/") for name in git.raw_listall_references()):
        raise Refused(
            f"{common_dir} is a bare repository without a branch", hint="push or fetch one into it"
        )


def _name(folder: Path) -> str:
    """Return what people call a repository: for `project/.bare` it is the folder around it."""
    name = folder.parent.name if folder.name.startswith(".") else folder.name
    return name.removesuffix(".git") or "repository"
