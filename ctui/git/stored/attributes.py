"""Attributes that say how git transforms files: filters, Git LFS, working-tree-encoding.

They are read as a commit's tree has them, with the person's own `info/attributes` and
`core.attributesFile`, from an index that holds nothing but `.gitattributes`. So no file of a
worktree decides, and the cost follows the number of paths that are asked for.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ctui.errors import Unavailable
from ctui.git import hostile
from ctui.git.process.caller import environ
from ctui.git.process.command import run_git
from ctui.git.repository.opening import common_dir_of

LFS = "lfs"
"""Filter of Git LFS: what is stored is a pointer, and no secret."""

_FILE = b".gitattributes"
_ANYWHERE = f":(glob)**/{_FILE.decode()}"
_ATTRIBUTES = ("filter", "working-tree-encoding")
_NONE = (b"unspecified", b"unset", b"")
_REGULAR = (b"100644", b"100755")
_ARGUMENTS = 60_000
"""Bytes of names that one process is given."""
_LIMIT = 1 << 24
_SECONDS = 120


class Transformation(NamedTuple):
    """Difference between the content of a path and what is stored of it."""

    filter: str = ""
    """Name of its filter, or ""."""
    encoding: str = ""
    """Encoding of its file, or ""; it is stored as UTF-8."""

    def __str__(self) -> str:
        return f"the filter {self.filter}" if self.filter else f"the encoding {self.encoding}"


Attributes = Mapping[bytes, Transformation]
"""The transformed ones of the paths that were asked for."""


async def attributes_at(
    git_dir: Path,
    commit: str,
    paths: Iterable[bytes],
    *,
    env: Mapping[str, str] | None = None,
) -> dict[bytes, Transformation]:
    """Return how paths are transformed, as the tree of a commit says it.

    Args:
        git_dir: the repository whose configuration counts.
        commit: a commit or tree; need not have the paths.
        paths: relative to its root.
        env: see `run_git`; for objects that lie elsewhere.

    Raises:
        Unavailable: a `.gitattributes` of that commit is not there, so nobody knows.
    """
    asked = list(dict.fromkeys(paths))
    if not asked:
        return {}
    entries = [entry async for entry in _attribute_files(git_dir, commit, asked, env)]
    with tempfile.TemporaryDirectory(prefix="ctui-attributes-") as folder:
        index, empty = Path(folder) / "index", Path(folder) / "files"
        empty.mkdir()
        await _refuse_missing(git_dir, [oid for oid, _ in entries], env)
        await run_git(
            ["update-index", "--add", "-z", "--index-info"],
            git_dir=git_dir,
            work_tree=empty,
            env={**(env or {}), "GIT_INDEX_FILE": str(index)},
            input=b"".join(b"100644 %s\t%s\0" % entry for entry in entries),
            blanked=(),
        )
        return await _check_attr(
            git_dir, asked, empty, {**(env or {}), "GIT_INDEX_FILE": str(index)}
        )


async def transformed_files(git_dir: Path, *, files: Path | None = None) -> Attributes:
    """Return the transformed files that the index of a git directory has.

    Nothing but a few names is read where no attribute can apply.

    Args:
        git_dir: of a checkout or a linked worktree.
        files: its work tree, to look as well at files that are neither tracked nor ignored, and at
            its own `.gitattributes`.
    """
    if not await _may_have_any(git_dir, files):
        return {}
    listed = await run_git(["ls-files", "-z"], git_dir=git_dir, timeout=_SECONDS)
    paths = [path for path in listed.stdout.split(b"\0") if path]
    with tempfile.TemporaryDirectory(prefix="ctui-attributes-") as empty:
        found = await _check_attr(git_dir, paths, Path(empty), {})
        if files is None:
            return found
        others = await run_git(
            ["ls-files", "-z", "--others", "--exclude-standard"],
            git_dir=git_dir,
            work_tree=files,
            timeout=_SECONDS,
        )
        # Git shows a nested repository as one folder.
        new = [path for path in others.stdout.split(b"\0") if path and path[-1:] != b"/"]
        found |= await _check_attr(git_dir, new, Path(empty), {})
        return await _check_attr(git_dir, [*paths, *new], files, {}, cached=False) | found


async def transformed_among(git_dir: Path, files: Path, paths: Sequence[bytes]) -> Attributes:
    """Return how these paths of a checkout are transformed, by what it has of `.gitattributes`."""
    return await _check_attr(git_dir, paths, files, {}, cached=False)


async def filters_in_use(git_dir: Path) -> set[str]:
    """Return the names of the filters that apply to tracked files of a git directory's index."""
    found = await transformed_files(git_dir)
    return {one.filter for one in found.values() if one.filter}


async def filter_setting(git_dir: Path, name: str, setting: str) -> str:
    """Return a setting of a filter in the person's configuration, or ""."""
    output = await run_git(
        ["config", "--get", "--", f"filter.{name}.{setting}"], git_dir=git_dir, check=False
    )
    return output.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


async def _may_have_any(git_dir: Path, files: Path | None) -> bool:
    """Return True if any file that git reads attributes from mentions one that transforms."""
    own, listed = await asyncio.gather(
        _own_files(git_dir),
        run_git(["ls-files", "-z", "--stage", "--", _ANYWHERE], git_dir=git_dir),
    )
    if any(_mentions(path) for path in own):
        return True
    if files is not None and await _say_files(git_dir, files):
        return True
    stages = [line.split(b"\t")[0].split(b" ") for line in listed.stdout.split(b"\0") if line]
    oids = sorted({oid for mode, oid, _ in stages if mode in _REGULAR})
    if not oids:
        return False
    output = await run_git(
        ["cat-file", "--batch"],
        git_dir=git_dir,
        input=b"".join(oid + b"\n" for oid in oids),
        check=False,
    )
    # One that cannot be read may say anything.
    return bool(output.exit_code) or _says(output.stdout) or b" missing\n" in output.stdout


async def _say_files(git_dir: Path, files: Path) -> bool:
    """Return True if a `.gitattributes` of a checkout does, as it lies there, tracked or not."""
    listed = await run_git(
        ["ls-files", "-z", "--cached", "--others", "--", _ANYWHERE],
        git_dir=git_dir,
        work_tree=files,
        timeout=_SECONDS,
    )
    paths = {os.fsdecode(path) for path in listed.stdout.split(b"\0") if path}
    return any(_says(hostile.read_file(files, *path.split("/"), limit=_LIMIT)) for path in paths)


async def _own_files(git_dir: Path) -> list[Path]:
    """Return the person's own files of attributes: the repository's, the user's, the system's."""
    found = [common_dir_of(git_dir) / "info" / "attributes"]
    named = await run_git(
        ["config", "--type=path", "--get", "core.attributesFile"], git_dir=git_dir, check=False
    )
    if named.stdout.strip():
        found.append(Path(named.stdout.decode("utf-8", "surrogateescape").rstrip("\n")))
    else:
        found.append(_config_home() / "git" / "attributes")
    return [*found, Path("/etc/gitattributes")]


def _config_home() -> Path:
    person = environ()
    settings = person.get("XDG_CONFIG_HOME")
    return Path(settings) if settings else Path(person.get("HOME") or Path.home(), ".config")


def _mentions(path: Path) -> bool:
    try:
        return _says(path.read_bytes())
    except OSError:
        return False


def _says(text: bytes | None) -> bool:
    return text is not None and any(name.encode() in text for name in _ATTRIBUTES)


async def _attribute_files(
    git_dir: Path, commit: str, paths: Iterable[bytes], env: Mapping[str, str] | None
) -> AsyncIterator[tuple[bytes, bytes]]:
    """Yield object id and path of every `.gitattributes` that applies to one of the paths."""
    folders = {b""}
    for path in paths:
        parent = path.rpartition(b"/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            parent = parent.rpartition(b"/")[0]
    names = [folder + b"/" + _FILE if folder else _FILE for folder in sorted(folders)]
    for some in portions(names):
        output = await run_git(
            ["ls-tree", "-z", "--full-tree", commit, "--", *map(os.fsdecode, some)],
            git_dir=git_dir,
            env={**(env or {}), "GIT_LITERAL_PATHSPECS": "1"},
        )
        for line in output.stdout.split(b"\0"):
            facts, _, name = line.partition(b"\t")
            if name and facts.split(b" ")[0] in _REGULAR:
                yield facts.split(b" ")[2], name


async def _refuse_missing(
    git_dir: Path, oids: Iterable[bytes], env: Mapping[str, str] | None
) -> None:
    """Refuse to take a file of attributes that a partial clone lacks for one that says nothing."""
    asked = b"".join(oid + b"\n" for oid in oids)
    if not asked:
        return
    output = await run_git(
        ["cat-file", "--batch-check"],
        git_dir=git_dir,
        input=asked,
        env=dict(env or {}),
        check=False,
    )
    if output.exit_code or b" missing\n" in output.stdout:
        told = {line.split(b" ")[0] for line in output.stdout.splitlines() if b" blob " in line}
        missing = next((oid for oid in asked.split() if oid not in told), b"").decode()
        raise Unavailable(
            "a .gitattributes of the repository is not here, so nobody knows its filters; "
            f"git cat-file -p {missing} fetches it"
        )


async def _check_attr(
    git_dir: Path,
    paths: Sequence[bytes],
    work_tree: Path,
    env: Mapping[str, str],
    *,
    cached: bool = True,
) -> dict[bytes, Transformation]:
    if not paths:
        return {}
    output = await run_git(
        ["check-attr", *(["--cached"] if cached else []), "-z", "--stdin", *_ATTRIBUTES],
        git_dir=git_dir,
        work_tree=work_tree,
        env=env,
        input=b"".join(path + b"\0" for path in paths),
        timeout=_SECONDS,
        blanked=(),
    )
    fields = output.stdout.split(b"\0")
    values: dict[bytes, dict[bytes, str]] = {}
    for path, name, value in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if value not in _NONE:
            values.setdefault(path, {})[name] = value.decode("utf-8", "surrogateescape")
    return {
        path: Transformation(found.get(b"filter", ""), found.get(b"working-tree-encoding", ""))
        for path, found in values.items()
    }


def portions(names: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield names in lists that fit on a command line."""
    some: list[bytes] = []
    size = 0
    for name in names:
        if some and size + len(name) > _ARGUMENTS:
            yield some
            some, size = [], 0
        some.append(name)
        size += len(name) + 1
    if some:
        yield some
