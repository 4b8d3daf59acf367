"""Files of a new worktree as the repository stores them: no filter but that of Git LFS writes them.

So an encrypted file stays encrypted. Where the person has the program of such a filter, the
worktree gets a configuration of its own, by which the person's git leaves these files alone too.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path

from ctui.errors import CtuiError
from ctui.git.process.command import filter_settings, run_git
from ctui.git.repository.repository import Repository
from ctui.git.stored.attributes import LFS, attributes_at, filter_setting, transformed_files
from ctui.git.stored.lfs import POINTER_LIMIT, pointer_of
from ctui.text import one_line

_SECONDS = 600
_NO_SERVER = {"lfs.url": "file:///dev/null", "lfs.skipDownloadErrors": "true"}
"""Settings with which git-lfs has only what is here; they are stronger than a `.lfsconfig`."""

_LFS_SECONDS = 600
"""Seconds that Git LFS has for all files; what it has not got then stays a pointer."""
_CLEAN = """t=$(mktemp) || exit 1
trap 'rm -f "$t"' EXIT
cat >"$t" || exit 1
if git cat-file -e "$(git hash-object --no-filters -- "$t")" 2>/dev/null; then cat "$t"
else (
export GIT_DIR="$(git rev-parse --git-common-dir)"
{clean}
) <"$t"
fi"""
"""Passes on what the repository has already, and transforms everything else as the person would.

With the main git directory, because git-crypt looks for its key in no other.
"""

Say = Callable[[str], None]
"""Takes one sentence for the person."""


class Checkout:
    """Files of a worktree that was just registered, and that nobody else knows yet."""

    def __init__(
        self,
        repository: Repository,
        metadata: Path,
        path: Path,
        say: Say,
        *,
        foreign: bool = False,
    ) -> None:
        """Begin with nothing written.

        Args:
            repository: whose worktree it is.
            metadata: of the worktree.
            path: of the worktree.
            say: told what the person should know.
            foreign: somebody else's branch, which can name the host that git-lfs asks
                (`.lfsconfig`): its pointers stay.
        """
        self._foreign = foreign
        self._repository = repository
        self._metadata = metadata
        self._path = path
        self._say = say
        self._lfs: list[bytes] = []
        """Paths whose content Git LFS keeps."""

    async def write(self, heard: Callable[[str], None] | None = None) -> None:
        """Write all files, and see to it that filters leave them alone.

        Args:
            heard: see `run_git`.

        Raises:
            CtuiError: git or the disk failed. That a filter failed is said, and nothing more.
        """
        await self._reset(await filter_settings(self._metadata), heard)
        found = await transformed_files(self._metadata)
        self._lfs = [path for path, rule in found.items() if rule.filter == LFS]
        if self._lfs:
            await self._get_lfs_files(heard)
        await self._leave_files_alone({rule.filter for rule in found.values()})

    async def keep_as_stored(self, commit: str, paths: Iterable[bytes]) -> None:
        """See to it that filters leave files alone that were written later, as they are stored.

        Args:
            commit: whose attributes count.
            paths: of these files.
        """
        found = await attributes_at(self._metadata, commit, paths)
        await self._leave_files_alone({rule.filter for rule in found.values()})

    async def _leave_files_alone(self, filters: Iterable[str]) -> None:
        names = sorted({*filters} - {"", LFS})
        await self._leave_alone([name for name in names if await self._is_unbound(name)])

    async def _reset(
        self,
        blanked: Iterable[str],
        heard: Callable[[str], None] | None = None,
        config: dict[str, str] | None = None,
        seconds: float = _SECONDS,
    ) -> None:
        await run_git(
            ["reset", "--hard", "--no-recurse-submodules"],
            git_dir=self._metadata,
            work_tree=self._path,
            timeout=seconds,
            blanked=blanked,
            config=config,
            heard=heard,
        )

    async def _get_lfs_files(self, heard: Callable[[str], None] | None) -> None:
        """Replace pointers with what they point to, as far as the person's git-lfs has it."""
        if not self._foreign and await self._is_configured(LFS):
            try:
                await asyncio.to_thread(self._remove_lfs_files)
                optional = {f"filter.{LFS}.required": "false"}
                if await self._asks_elsewhere():
                    optional |= _NO_SERVER
                await self._reset(await self._others(), heard, optional, _LFS_SECONDS)
            except CtuiError:
                # It was killed, perhaps with the index in its hands.
                (self._metadata / "index.lock").unlink(missing_ok=True)
                await asyncio.to_thread(self._remove_lfs_files)
                await self._reset(await filter_settings(self._metadata))
        if left := await asyncio.to_thread(self._pointers):
            self._say(
                f"{left} of {len(self._lfs)} files of Git LFS are pointers in the worktree: "
                "their content is not here (git lfs install; git lfs pull)"
            )

    async def _asks_elsewhere(self) -> bool:
        """Return True if its commit names another server than the target: a task may have."""
        configs = [
            await run_git(
                ["ls-tree", "--full-tree", commit, "--", ".lfsconfig"], git_dir=self._metadata
            )
            for commit in ("HEAD", self._repository.target().commit)
        ]
        return configs[0].stdout != configs[1].stdout

    def _remove_lfs_files(self) -> None:
        for path in self._lfs:
            with suppress(OSError):
                (self._path / os.fsdecode(path)).unlink()

    def _pointers(self) -> int:
        found = 0
        for path in self._lfs:
            with suppress(OSError), (self._path / os.fsdecode(path)).open("rb") as file:
                found += pointer_of(file.read(POINTER_LIMIT + 1)) is not None
        return found

    async def _others(self) -> list[str]:
        """Return the settings that blank every filter but that of Git LFS."""
        settings = await filter_settings(self._metadata)
        return [name for name in settings if name.rpartition(".")[0] != f"filter.{LFS}"]

    async def _is_configured(self, name: str) -> bool:
        settings = ("clean", "smudge", "process")
        return any([await filter_setting(self._metadata, name, one) for one in settings])

    async def _is_unbound(self, name: str) -> bool:
        """Return True if the person's git would run a filter here as it does elsewhere."""
        own = Path(self._metadata, "config.worktree")
        said = await run_git(
            ["config", "--file", own, "--get-regexp", f"^filter[.]{re.escape(name)}[.]"],
            git_dir=self._metadata,
            check=False,
        )
        return said.exit_code != 0 and await self._is_configured(name)

    async def _leave_alone(self, names: Collection[str]) -> None:
        if not names:
            return
        shown = one_line(", ".join(names), 80)
        try:
            if await enable_worktree_config(self._repository):
                self._say(
                    f"extensions.worktreeConfig is now set in {self._repository.common_dir}/config:"
                    f" with it the worktree leaves out the filter {shown}"
                )
            for name in names:
                await self._leave_one_alone(name)
        except CtuiError as error:
            self._say(f"your own git runs the filter {shown} in the worktree: {error.message}")
        else:
            self._say(f"files of the filter {shown} are in the worktree as they are stored")

    async def _leave_one_alone(self, name: str) -> None:
        clean = await filter_setting(self._metadata, name, "clean")
        if await filter_setting(self._metadata, name, "process"):
            # Git knows no way back from a process to the other two.
            values = {"process": "", "clean": "", "smudge": "", "required": "false"}
        else:
            values = {"smudge": "cat", "clean": _CLEAN.format(clean=clean) if clean else ""}
            if not clean:
                values["required"] = "false"
        for setting, value in values.items():
            await _set(self._metadata, f"filter.{name}.{setting}", value)


async def enable_worktree_config(repository: Repository) -> bool:
    """Let worktrees have a configuration of their own; return False if they can already.

    What is only right for the main checkout moves to its own file first, as git's documentation
    wants it (git-worktree(1), CONFIGURATION FILE).
    """
    common_dir = repository.common_dir
    key = "extensions.worktreeConfig"
    if await _get(common_dir, key, "--type=bool") == "true":
        return False
    moved = []
    if await _get(common_dir, "core.bare", "--type=bool") == "true":
        moved.append(("core.bare", "true"))
    if work_tree := await _get(common_dir, "core.worktree"):
        moved.append(("core.worktree", work_tree))
    for name, value in moved:
        await _set(common_dir, name, value)
    shared: list[str | Path] = ["config", "--file", common_dir / "config"]
    await run_git([*shared, key, "true"], git_dir=common_dir)
    for name, _ in moved:
        await run_git([*shared, "--unset-all", name], git_dir=common_dir)
    return True


async def _get(common_dir: Path, key: str, *options: str) -> str:
    output = await run_git(
        ["config", "--file", common_dir / "config", *options, "--get", key],
        git_dir=common_dir,
        check=False,
    )
    return output.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


async def _set(git_dir: Path, key: str, value: str) -> None:
    await run_git(["config", "--file", git_dir / "config.worktree", key, value], git_dir=git_dir)
