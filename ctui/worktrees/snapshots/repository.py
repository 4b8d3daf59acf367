"""Repository that holds the snapshots of one worktree.

It borrows the objects of the person's repository and lies apart from it, so that no clone, mirror
or log of theirs ever shows files that nobody has committed. Its index remembers how each file was
when it was read; a task can write neither, nor set the time (ctime) by which a change is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from ctui.errors import NotFound, Unavailable
from ctui.git.process.command import GitOutput, filter_settings, run_git
from ctui.git.repository.borrowing import AS_IT_LIES, borrow, lay_out
from ctui.git.repository.repository import Repository
from ctui.worktrees.snapshots.model import Facts, Snapshot

LAST: Final = "refs/last"
INDEXED: Final = "refs/indexed"
"""The snapshot that the index is up to date with; another one than the last after a kill."""

_SECONDS = 300.0
_SETTINGS = {
    # A file that a sparse checkout leaves out and that is there all the same is looked at.
    "core.sparseCheckout": "true",
    "core.autocrlf": "false",
    # By what these switch off, a change that keeps a file's size and time would not be found.
    "core.trustctime": "true",
    "core.checkStat": "default",
    "core.ignoreStat": "false",
    # Nothing is ever checked out: names that mean something to other systems are only names.
    "core.protectNTFS": "false",
    "core.protectHFS": "false",
}
"""Settings that precede those of the person."""
_NAME = re.compile(r"refs(/[a-z0-9]+)*")
_OID = re.compile(r"[0-9a-f]{40,64}")
_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfileMode = true
\tsymlinks = true
\tattributesFile = /dev/null
\tlooseCompression = 1
\tlogAllRefUpdates = false
[index]
\tversion = 2
[gc]
\tpruneExpire = now
"""


class SnapshotRepository:
    """Snapshots of one worktree, in a folder that no task can reach."""

    def __init__(
        self, folder: Path, repository: Repository, metadata: Path, worktree: Path
    ) -> None:
        """Begin with what is in the folder; nothing is written yet.

        Args:
            folder: of the snapshots.
            repository: whose worktree it is.
            metadata: the worktree's folder in it, or the git directory of the main checkout.
            worktree: the files.
        """
        self.folder = folder
        self.repository = repository
        self.metadata = metadata
        self.worktree = worktree
        self.index = folder / "index"
        self._blanked: Sequence[str] | None = None

    def prepare(self) -> bool:
        """Make it ready to be used by the holder of its lock; return True if it is new.

        Raises:
            Unavailable: the folder cannot be written.
        """
        common_dir, objects = self.repository.common_dir, self.repository.object_directories()
        try:
            is_new = not (self.folder / "HEAD").is_file()
            if is_new:
                lay_out(self.folder, common_dir, objects, config=_CONFIG, attributes=AS_IT_LIES)
            else:
                borrow(self.folder, common_dir, objects)
            with suppress(FileNotFoundError):
                (self.folder / "index.lock").unlink()  # of a git that was killed
        except OSError as error:
            raise Unavailable(f"{self.folder} cannot be written: {error.strerror}") from error
        return is_new

    async def git(
        self,
        *arguments: str | Path,
        files: bool = False,
        given: bytes | None = None,
        check: bool = True,
    ) -> GitOutput:
        """Run git on the snapshots and their index.

        Args:
            arguments: the command and its arguments.
            files: let it see the worktree.
            given: for its stdin.
            check: see `run_git`.

        Raises:
            CtuiError: see `run_git`.
        """
        return await self._run(arguments, self.folder, files=files, given=given, check=check)

    async def git_there(self, *arguments: str | Path, files: bool = False) -> GitOutput:
        """Run git on the worktree's own git directory, which knows what is ignored, by our index.

        Raises:
            CtuiError: see `run_git`.
        """
        return await self._run(arguments, self.metadata, files=files)

    async def _run(
        self,
        arguments: Sequence[str | Path],
        git_dir: Path,
        *,
        files: bool,
        given: bytes | None = None,
        check: bool = True,
    ) -> GitOutput:
        if self._blanked is None:
            self._blanked = await filter_settings(self.metadata)
        return await run_git(
            arguments,
            git_dir=git_dir,
            work_tree=self.worktree if files else None,
            env={"GIT_INDEX_FILE": str(self.index)},
            config=_SETTINGS,
            blanked=self._blanked,
            input=given,
            check=check,
            timeout=_SECONDS,
            nice=True,
        )

    # -- refs: loose files in a folder of our own

    def ref(self, name: str) -> str | None:
        """Return the commit of a ref, or None."""
        try:
            text = self._ref_file(name).read_text().strip()
        except (OSError, UnicodeDecodeError):
            return None
        return text if _OID.fullmatch(text) else None

    def refs(self, prefix: str) -> Mapping[str, str]:
        """Return the refs below a prefix with their commits, sorted by name."""
        root = self._ref_file(prefix)
        names = sorted(
            str(path.relative_to(self.folder)) for path in root.rglob("*") if path.is_file()
        )
        found = {name: self.ref(name) for name in names if _NAME.fullmatch(name)}
        return {name: commit for name, commit in found.items() if commit is not None}

    async def set_ref(self, name: str, commit: str) -> None:
        """Let a ref name a snapshot.

        Raises:
            CtuiError: git failed.
        """
        await self.git("update-ref", "--no-deref", name, commit)

    def delete_refs(self, names: Iterable[str]) -> None:
        """Let these refs name nothing any more.

        Raises:
            Unavailable: the folder cannot be written.
        """
        try:
            for name in names:
                self._ref_file(name).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"{self.folder} cannot be written: {error.strerror}") from error

    def _ref_file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no ref of snapshots")
        return self.folder / name

    # -- reading

    async def snapshot(self, name: str) -> Snapshot:
        """Return a snapshot by the name of its ref or its id.

        Raises:
            NotFound: there is none of this name.
            CtuiError: git failed.
        """
        said = await self.git("cat-file", "commit", name, check=False)
        head, _, message = said.stdout.partition(b"\n\n")
        lines = head.split(b"\n")
        if said.exit_code or not lines[0].startswith(b"tree "):
            raise NotFound(f"there is no snapshot {name}")
        commit = self.ref(name) if name.startswith("refs/") else name
        try:
            facts = msgspec.json.decode(message, type=Facts)
        except msgspec.MsgspecError as error:
            raise NotFound(f"{name} is no snapshot") from error
        tree = lines[0].removeprefix(b"tree ").decode("ascii", "replace")
        return Snapshot(id=commit or name, tree=tree, **msgspec.structs.asdict(facts))
