"""Commits as bytes, made without a hook, an editor or a signing program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ctui.errors import ExternalFailure, InvalidInput, Refused
from ctui.git.identity import Identity, Unknown, identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pygit2


class Original(NamedTuple):
    """Parts of a commit that stay when it is made again on another parent."""

    author: bytes
    encoding: bytes
    """Encoding of the message; empty for UTF-8."""
    message: bytes

    @property
    def text(self) -> str:
        """The message as git shows it: up to a NUL, with replacements for what is not text."""
        data = self.message.partition(b"\0")[0]
        try:
            return data.decode(self.encoding.decode("ascii", "replace") or "utf-8", "replace")
        except LookupError:
            return data.decode("utf-8", "replace")


async def person(git_dir: Path, work_tree: Path | None) -> Identity:
    """Return the identity that `git commit` would use in a checkout.

    Raises:
        Refused: there is none; git would invent one from the machine's name.
    """
    try:
        return await identity(git_dir, work_tree)
    except Unknown as error:
        raise Refused(
            error.message,
            hint="git config --global user.name NAME; git config --global user.email ADDRESS",
        ) from error


def message_bytes(message: str) -> bytes:
    """Return a message as a commit holds it. Raises InvalidInput if it is empty or not text."""
    text = message.strip()
    if not text or "\0" in text:
        raise InvalidInput("a commit needs a message", hint="say in one line what was done")
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("the message is not UTF-8") from error


def write_commit(
    git: pygit2.Repository,
    *,
    tree: str,
    parents: Sequence[str],
    author: bytes,
    committer: bytes,
    message: bytes,
    encoding: bytes = b"",
) -> str:
    """Write a commit into the repository's objects and return its full id."""
    import pygit2

    lines = [b"tree " + tree.encode()]
    lines += [b"parent " + parent.encode() for parent in parents]
    lines += [b"author " + author, b"committer " + committer]
    if encoding:
        lines.append(b"encoding " + encoding)
    data = b"\n".join(lines) + b"\n\n" + message
    return str(git.odb.write(pygit2.enums.ObjectType.COMMIT, data))


def read_original(git: pygit2.Repository, commit: str) -> Original:
    """Return author and message of a commit, byte for byte. Its signature would not hold any more.

    Raises:
        ExternalFailure: the commit is damaged.
    """
    headers, _, message = bytes(git[commit].read_raw()).partition(b"\n\n")
    found: dict[bytes, bytes] = {}
    for line in headers.split(b"\n"):
        name, _, value = line.partition(b" ")
        found.setdefault(name, value)
    if not found.get(b"author"):
        raise ExternalFailure(f"the commit {commit[:9]} has no author")
    return Original(found[b"author"], found.get(b"encoding", b""), message)
