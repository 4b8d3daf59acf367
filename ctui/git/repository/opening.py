"""Opening of git directories, and refusal of those that cannot be trusted or read."""

from __future__ import annotations

import os
import re
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.errors import Refused, Unavailable
from ctui.git.repository.extensions import allow_harmless, refuse_unknown
from ctui.small_file import read_small_file
from ctui.text import one_line

if TYPE_CHECKING:
    import pygit2

_LINK_LIMIT = 1 << 16
_NO_PATH = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def open_trusted(git_dir: Path) -> pygit2.Repository:
    """Open exactly this git directory, never another that its surroundings point to.

    Raises:
        Refused: it belongs to somebody else.
        Unavailable: it is damaged.
    """
    import pygit2

    # Root's worktrees are owned by the uid that its tasks run as. Nothing in a repository is run
    # by libgit2, and the git processes blank what could run, so their owner does not matter.
    if os.geteuid() == 0:
        pygit2.settings.owner_validation = False
    allow_harmless()
    try:
        return pygit2.Repository(str(git_dir))
    except pygit2.GitError as error:
        text = one_line(str(error), 200)
        if "not owned by current user" in text:
            raise Refused(
                f"{git_dir} belongs to somebody else",
                hint="work as its owner, or mark it as safe: git config --global safe.directory",
            ) from error
        raise Unavailable(f"{git_dir} cannot be opened: {text}") from error


def common_dir_of(git_dir: Path) -> Path:
    """Return the main repository's git directory, also for a linked worktree's metadata."""
    with suppress(OSError, UnicodeDecodeError):
        text = read_small_file(git_dir / "commondir", _LINK_LIMIT).decode().strip()
        return (git_dir / text).resolve()
    return git_dir


def refuse_path(path: Path) -> None:
    """Refuse a path that is not UTF-8 on one line: git's own files could not name it for a task."""
    if _NO_PATH.search(str(path)):
        raise Refused(
            f"the path {one_line(str(path), 200)} is not UTF-8, or has a control character in it",
            hint="rename the folder",
        )


def refuse_nested(common_dir: Path) -> None:
    """Refuse a repository in another's worktree: a task may have made it, with its own settings."""
    for folder in common_dir.parents:
        link = folder / ".git"
        with suppress(OSError):
            text = read_small_file(link, _LINK_LIMIT) if link.is_file() else b""
            metadata = folder / os.fsdecode(text.removeprefix(b"gitdir:").strip())
            its_own = metadata.resolve().is_relative_to(common_dir)
            if b"/worktrees/" in text and not its_own:
                raise Refused(
                    f"{common_dir} lies in the worktree {folder}, where a task can have made it",
                    hint="work from the repository itself, or clone this one to another place",
                )


def refuse_embedded(common_dir: Path) -> None:
    """Refuse a bare repository that another one has among its files.

    Unlike `.git`, such a folder can be committed, with settings that name programs.
    """
    for folder in common_dir.parents:
        if not (folder / ".git").exists():
            continue
        outer = open_trusted(folder)
        if common_dir_of(Path(outer.path).resolve()) == common_dir:
            continue
        if (common_dir / "HEAD").relative_to(folder).as_posix() in outer.index:
            raise Refused(
                f"{common_dir} is among the committed files of {folder}",
                hint="clone it to another place, and work there",
            )


def refuse_formats(common_dir: Path) -> None:
    """Refuse what libgit2 cannot read: refs that are not files, and objects that are not SHA-1."""
    import pygit2

    try:
        config = pygit2.Config(str(common_dir / "config"))
    except (OSError, pygit2.GitError) as error:
        raise Unavailable(f"{common_dir}/config cannot be read: {error}") from error
    storage = _setting(config, "extensions.refstorage", "files")
    objects = _setting(config, "extensions.objectformat", "sha1")
    if storage.lower() != "files":
        raise Refused(
            f"{common_dir} keeps its refs as {one_line(storage, 20)}, which ctui cannot read yet",
            hint=f"git -C {shlex.quote(str(_stand(common_dir)))} refs migrate --ref-format=files",
        )
    if objects.lower() != "sha1":
        raise Refused(
            f"{common_dir} has {one_line(objects, 20)} objects, which ctui cannot read yet",
            hint="copy its history: git init NEW; git fast-export --all | git -C NEW fast-import",
        )
    refuse_unknown(common_dir, config)


def _stand(common_dir: Path) -> Path:
    return common_dir.parent if common_dir.name == ".git" else common_dir


def _setting(config: pygit2.Config, key: str, default: str) -> str:
    try:
        return config[key] or default
    except KeyError:
        return default
