"""Git directories of a task for the submodules of its worktree, like the one for the worktree.

Each borrows the objects of the submodule's repository in the worktree's metadata, and lies over the
submodule's `.git` file in the container. What the task commits there comes home into the
submodule's own repository, as `refs/ctui/<task>/…`; nothing of the worktree is believed.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ctui.files import replace_file
from ctui.git import hostile
from ctui.git.exchange.imports import import_work
from ctui.git.private.private import BindMount, PrivateRepository, create_private, open_private
from ctui.git.process.command import run_git
from ctui.git.repository.repository import Repository
from ctui.git.submodules.submodules import checkouts_of_modules, has_commit
from ctui.paths import WORKSPACE

_MOUNTED_AT = "/ctui/modules"
_LIST = "modules.json"


class _Module(msgspec.Struct, frozen=True):
    path: str
    """Place of the submodule in the worktree."""
    git_dir: str
    """Its repository in the metadata of the worktree."""
    base: str
    """The commit that it was at when the task began."""


async def create_modules(
    private: PrivateRepository, worktree: Path, owner: tuple[int, int], *, isolated: bool
) -> None:
    """Make a git directory for each submodule that is filled.

    Args:
        private: of the worktree.
        worktree: its files.
        owner: uid and gid that the task runs as.
        isolated: as for `create_private`.
    """
    found: list[_Module] = []
    for path, module in sorted((await checkouts_of_modules(private.checkout, worktree)).items()):
        head = _head(module)
        if head is None or not _link_is_there(worktree, path):
            continue
        folder = private.folder / "modules" / str(len(found))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        repository = Repository(module, None)
        if not (folder / "git").is_dir():
            await create_private(repository, None, folder, None, head, owner, isolated=isolated)
        _write_link(folder, len(found), owner)
        found.append(_Module(path, str(module), head))
    if found:
        replace_file(private.folder / _LIST, msgspec.json.encode(found))


def open_modules(private: PrivateRepository) -> list[tuple[str, PrivateRepository]]:
    """Return the path of each submodule that has a git directory of the task, and that."""
    return [
        (module.path, open_private(Repository(Path(module.git_dir), None), folder, None))
        for module, folder in _modules(private)
    ]


def module_mounts(private: PrivateRepository, worktree: Path) -> list[BindMount]:
    """Return the mounts of the submodules, in addition to those of the worktree.

    A submodule that the task moved away has none any more: its `.git` file is not there.
    """
    mounts: list[BindMount] = []
    known = {mount.target for mount in private.mounts(worktree)}
    for number, (path, module) in enumerate(open_modules(private)):
        if not _link_is_there(worktree, path):
            continue
        mine = [
            BindMount(module.git_dir, f"{_MOUNTED_AT}/{number}", read_only=False),
            BindMount(module.folder / "dotgit", f"{WORKSPACE}/{path}/.git", read_only=True),
        ]
        borrowed = [] if module.isolated else module.repository.object_directories()
        mine += [BindMount(folder, str(folder), read_only=True) for folder in borrowed]
        mounts += [mount for mount in mine if mount.target not in known]
        known |= {mount.target for mount in mine}
    return mounts


def modules_fingerprint(private: PrivateRepository) -> str:
    """Return a text that changes whenever a ref of a submodule does; "" if there is none."""
    return " ".join(module.fingerprint() for _, module in open_modules(private))


async def import_modules(private: PrivateRepository, task: str) -> str:
    """Bring home what the task committed in submodules; return what is wrong, or ""."""
    problems = []
    for module, folder in _modules(private):
        inner = open_private(Repository(Path(module.git_dir), None), folder, None)
        result = await import_work(inner, task, None, module.base)
        if result.problem:
            problems.append(f"{module.path}: {result.problem}")
    return "; ".join(problems)


async def follow_gitlinks(private: PrivateRepository) -> None:
    """Let each submodule's own HEAD follow to the commit that its worktree now names.

    Files are the task's; only HEAD and index change, as for the worktree's branch, and only as
    long as nobody else has changed them. Those of the person's own checkout never do.
    """
    if private.metadata is None:
        return
    places = {"": private.metadata}
    for module, folder in _modules(private):
        git_dir = Path(module.git_dir)
        outer = max(
            (path for path in places if not path or module.path.startswith(f"{path}/")), key=len
        )
        inside = module.path[len(outer) + 1 :] if outer else module.path
        places[module.path] = git_dir
        wanted = await _gitlink(places[outer], inside)
        if wanted is not None and await has_commit(git_dir, wanted):
            await _follow(git_dir, folder / "left-at", module.base, wanted)


async def _follow(git_dir: Path, note: Path, base: str, wanted: str) -> None:
    """Move a detached HEAD and its index from where they were left; complete a move that was cut.

    The note comes last: until then both may be at either commit.
    """
    left = note.read_text() if note.is_file() else base
    head = _head_text(git_dir)
    if left == wanted or head not in {left, wanted}:
        return
    if not (await _index_is(git_dir, left) or await _index_is(git_dir, wanted)):
        return  # something is staged
    await run_git(["read-tree", "-i", "--reset", wanted], git_dir=git_dir)
    await run_git(["update-ref", "--no-deref", "HEAD", wanted, head], git_dir=git_dir)
    replace_file(note, wanted.encode())


async def _index_is(git_dir: Path, commit: str) -> bool:
    output = await run_git(
        ["diff-index", "--cached", "--quiet", commit], git_dir=git_dir, check=False
    )
    return output.exit_code == 0


async def _gitlink(git_dir: Path, path: str) -> str | None:
    said = await run_git(
        ["ls-files", "--stage", "-z", "--", path],
        git_dir=git_dir,
        env={"GIT_LITERAL_PATHSPECS": "1"},
        check=False,
    )
    fields = said.stdout.split(b"\0")[0].split()
    return fields[1].decode() if fields[:1] == [b"160000"] else None


def _modules(private: PrivateRepository) -> list[tuple[_Module, Path]]:
    try:
        data = (private.folder / _LIST).read_bytes()
    except FileNotFoundError:
        return []
    found = msgspec.json.decode(data, type=list[_Module])
    folder = private.folder / "modules"
    # A submodule is gone with the worktree's metadata.
    return [
        (module, folder / str(number))
        for number, module in enumerate(found)
        if (Path(module.git_dir) / "HEAD").is_file()
    ]


def _head(git_dir: Path) -> str | None:
    """Return the commit of a detached HEAD, or of the branch that it names."""
    import pygit2

    from ctui.git.repository.opening import open_trusted

    try:
        return str(open_trusted(git_dir).head.target)
    except pygit2.GitError:
        return None


def _head_text(git_dir: Path) -> str:
    """Return what HEAD says: a commit where it is detached."""
    try:
        return (git_dir / "HEAD").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _link_is_there(worktree: Path, path: str) -> bool:
    with hostile.folder(worktree, *Path(path).parts) as folder:
        if folder is None or (descriptor := hostile.open_file(".git", folder)) is None:
            return False
        os.close(descriptor)
        return True


def _write_link(folder: Path, number: int, owner: tuple[int, int]) -> None:
    link = folder / "dotgit"
    replace_file(link, f"gitdir: {_MOUNTED_AT}/{number}\n".encode(), mode=0o644)
    if os.geteuid() == 0:
        os.lchown(link, *owner)
