"""Files of a commit, read from git's objects: bounded, and no link is followed.

What a task can write is never looked at: the commit is the one that the task starts from.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ctui.errors import InvalidInput, Refused
from ctui.git.repository.repository import Repository
from ctui.paths import WORKSPACE
from ctui.text import one_line

if TYPE_CHECKING:
    import pygit2

LINK = 0o120000
_MODULE = 0o160000
FILE_LIMIT = 1 << 16
"""Bytes of a file that a definition names, such as a compose file."""
_PATH_BYTES = 4096
_LINKS = 40
_ENTRIES = 200_000
"""Entries of a walk; a larger tree is refused."""


class CommitFile(NamedTuple):
    """A file of a commit."""

    path: str
    mode: int
    """As git stores it: 0o100644, 0o100755, or 0o120000 for a link."""
    id: str
    blob: pygit2.Blob


class Texts(Protocol):
    """The files of a commit, as far as a definition needs them."""

    def text(self, path: str, limit: int) -> str | None:
        """Return the text of a file of at most so many bytes, or None."""

    def entry_id(self, path: str) -> str | None:
        """Return something for a file or folder that is there, or None."""


class CommitFiles:
    """All files of one commit."""

    def __init__(self, repository: Repository, commit: str) -> None:
        import pygit2

        self.repository = repository
        self.commit = repository.resolve(commit)
        self._root: pygit2.Tree = repository.git[self.commit].peel(pygit2.Tree)

    @property
    def tree(self) -> str:
        """Id of the commit's tree."""
        return str(self._root.id)

    def read(self, path: str, limit: int) -> bytes | None:
        """Return a file's content, or None if the commit has no such file or it is a link.

        Raises:
            Refused: it is larger than `limit` bytes.
        """
        found = self.file(path)
        if found is None or found.mode == LINK:
            return None
        if found.blob.size > limit:
            raise Refused(
                f"{one_line(path)} is larger than {limit >> 10} KB", hint="make it smaller"
            )
        return bytes(found.blob.data)

    def text(self, path: str, limit: int) -> str | None:
        """Return a file's text; as `read`.

        Raises:
            InvalidInput: it is not UTF-8.
        """
        content = self.read(path, limit)
        try:
            return None if content is None else content.decode()
        except UnicodeDecodeError as error:
            raise InvalidInput(
                f"{one_line(path)}: is not UTF-8", hint="save it as UTF-8"
            ) from error

    def file(self, path: str) -> CommitFile | None:
        """Return a file of the commit, or None; a folder that is a link leads nowhere."""
        import pygit2

        found = self._entry(path)
        if not isinstance(found, pygit2.Blob):
            return None
        return CommitFile(path, found.filemode, str(found.id), found)

    def entry_id(self, path: str) -> str | None:
        """Return the object id of a file or folder, or None."""
        if path in {"", "."}:
            return self.tree
        found = self._entry(path)
        return None if found is None else f"{found.filemode:o} {found.id}"

    def followed(self, path: str) -> Iterator[str]:
        """Yield the links of the commit that a path leads over, and then where it ends.

        A path out of the commit ends nowhere.
        """
        left = _parts(path)
        done: list[str] = []
        links = 0
        while left:
            part = left.pop(0)
            if part == "..":
                if not done:
                    return
                done.pop()
            elif part not in {"", "."}:
                found = self.file("/".join((*done, part)))
                if found is None or found.mode != LINK:
                    done.append(part)
                    continue
                yield found.path
                links += 1
                target = bytes(found.blob.data)[:_PATH_BYTES].decode("utf-8", "surrogateescape")
                if target.startswith("/"):
                    done.clear()
                if links > _LINKS:
                    return
                left = [*_parts(target), *left]
        yield "/".join(done)

    def is_folder(self, path: str) -> bool:
        """Return True if the commit has a folder of this path."""
        import pygit2

        return path in {"", "."} or isinstance(self._entry(path), pygit2.Tree)

    def folders(self, path: str) -> list[str]:
        """Return the names of the folders in a folder, sorted."""
        import pygit2

        found = self._entry(path)
        entries = found if isinstance(found, pygit2.Tree) else ()
        return sorted(str(one.name) for one in entries if isinstance(one, pygit2.Tree))

    def below(self, path: str) -> Iterator[CommitFile]:
        """Yield every file and link below a folder, with paths from the commit's root.

        Raises:
            Refused: there are too many of them.
        """
        import pygit2

        start = self._root if path in {"", "."} else self._entry(path)
        waiting: list[tuple[str, pygit2.Object | None]] = [("" if path == "." else path, start)]
        seen = 0
        while waiting:
            name, found = waiting.pop()
            seen += 1
            if seen > _ENTRIES:
                raise Refused(
                    f"the commit has more than {_ENTRIES} files", hint="choose a smaller context"
                )
            if isinstance(found, pygit2.Tree):
                prefix = f"{name}/" if name else ""
                waiting += [
                    (f"{prefix}{one.name}", one)
                    for one in reversed(list(found))
                    if one.filemode != _MODULE
                ]
            elif isinstance(found, pygit2.Blob):
                yield CommitFile(name, found.filemode, str(found.id), found)

    def _entry(self, path: str) -> pygit2.Object | None:
        import pygit2

        found: pygit2.Object = self._root
        for part in path.split("/"):
            if not isinstance(found, pygit2.Tree) or part in {"", ".", ".."}:
                return None
            try:
                found = found[part]
            except KeyError:
                return None
        return None if found is self._root or found.filemode == _MODULE else found


def _parts(path: str) -> list[str]:
    """Return the parts of a path from the commit's root, where a task has it too."""
    if len(path) >= _PATH_BYTES:
        return [".."]
    if not path.startswith("/"):
        return path.split("/")
    first, *rest = path.lstrip("/").split("/")
    return rest if first == WORKSPACE.strip("/") else [".."]


def path_in_commit(folder: str, path: str, what: str) -> str:
    """Return a path of a definition from the commit's root; "" is the root itself.

    Args:
        folder: that the path is relative to.
        path: as it is written.
        what: the key, for an error.

    Raises:
        InvalidInput: it leads out of the repository.
    """
    joined = posixpath.normpath(posixpath.join(folder, path))
    if path.startswith("/") or joined == ".." or joined.startswith("../") or "\0" in path:
        raise InvalidInput(
            f"{what}: {one_line(path)!r} leads out of the repository",
            hint="name a path in the repository",
        )
    return "" if joined == "." else joined
