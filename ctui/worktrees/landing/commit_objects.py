"""Commits as bytes, made without a hook or an editor, and signed as the person's own are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ctui.errors import ExternalFailure, InvalidInput, Refused
from ctui.git.commits.identity import Unknown, identity
from ctui.git.commits.signing import Signer, signer, with_signature

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


class Person(NamedTuple):
    """Author and committer in the form of a commit, and what signs it."""

    author: bytes
    committer: bytes
    signer: Signer | None = None

    def unsigned(self) -> Person:
        """Return the same without the signer, after checking that it could sign.

        Raises:
            Refused: it cannot.
        """
        if self.signer is not None:
            self.signer.check()
        return self._replace(signer=None)


async def person(git_dir: Path, work_tree: Path | None) -> Person:
    """Return who `git commit` would name in a checkout, and what it would sign with.

    Raises:
        Refused: there is none (git would invent one from the machine's name), or the commit is to
            be signed, and the configuration does not say how.
    """
    try:
        who = await identity(git_dir, work_tree)
        return Person(*who, await signer(git_dir, work_tree, who.committer))
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


async def make_commit(
    git: pygit2.Repository,
    who: Person,
    *,
    tree: str,
    parents: Sequence[str],
    message: bytes,
    author: bytes | None = None,
    encoding: bytes = b"",
) -> str:
    """Write a commit, signed where the person's are; return its full id.

    Args:
        git: into whose objects.
        who: its committer.
        tree: all of its files.
        parents: full ids of commits.
        message: whole.
        author: another than the committer.
        encoding: of the message, where it is not UTF-8.

    Raises:
        Refused: it cannot be signed.
    """
    data = commit_data(
        tree=tree,
        parents=parents,
        author=who.author if author is None else author,
        committer=who.committer,
        message=message,
        encoding=encoding,
    )
    if who.signer is not None:
        data = with_signature(data, await who.signer.sign(data))
    return write_data(git, data)


def write_data(git: pygit2.Repository, data: bytes) -> str:
    """Write the bytes of a commit into the repository's objects and return its full id."""
    import pygit2

    return str(git.odb.write(pygit2.enums.ObjectType.COMMIT, data))


def commit_data(
    *,
    tree: str,
    parents: Sequence[str],
    author: bytes,
    committer: bytes,
    message: bytes,
    encoding: bytes = b"",
) -> bytes:
    """Return the bytes of a commit without a signature."""
    lines = [b"tree " + tree.encode()]
    lines += [b"parent " + parent.encode() for parent in parents]
    lines += [b"author " + author, b"committer " + committer]
    if encoding:
        lines.append(b"encoding " + encoding)
    return b"\n".join(lines) + b"\n\n" + message


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
