"""Contents of files in trees, read in bounds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ctui.git.process.command import run_git

_MOST_BYTES = 4 << 20
_SECONDS = 60


async def contents(git_dir: Path, tree: str, paths: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return the content of each path that is a file of at most 4 MB in a tree.

    Raises:
        ExternalFailure: git cannot read the tree.
    """
    wanted = dict.fromkeys(paths)
    if not wanted:
        return {}
    listed = await run_git(
        [
            *("ls-tree", "-z", "--full-tree", "-r", tree, "--"),
            *(path.decode("utf-8", "surrogateescape") for path in wanted),
        ],
        git_dir=git_dir,
        timeout=_SECONDS,
        env={"GIT_LITERAL_PATHSPECS": "1"},
    )
    blobs: dict[bytes, bytes] = {}
    for entry in listed.stdout.split(b"\0"):
        facts, _, path = entry.partition(b"\t")
        if facts.startswith(b"100") and path in wanted:
            blobs[path] = facts.split(b" ")[2]
    small = await _small(git_dir, set(blobs.values()))
    read = await _read(git_dir, small)
    return {path: read[blob] for path, blob in blobs.items() if blob in read}


async def _small(git_dir: Path, blobs: Iterable[bytes]) -> list[bytes]:
    output = await run_git(
        ["cat-file", "--batch-check=%(objectname) %(objectsize)"],
        git_dir=git_dir,
        timeout=_SECONDS,
        input=b"".join(blob + b"\n" for blob in sorted(blobs)),
    )
    pairs = [line.split(b" ") for line in output.stdout.splitlines()]
    return [blob for blob, size in pairs if size.isdigit() and int(size) <= _MOST_BYTES]


async def _read(git_dir: Path, blobs: Iterable[bytes]) -> dict[bytes, bytes]:
    output = await run_git(
        ["cat-file", "--batch"],
        git_dir=git_dir,
        timeout=_SECONDS,
        input=b"".join(blob + b"\n" for blob in blobs),
    )
    found: dict[bytes, bytes] = {}
    data, place = output.stdout, 0
    while (end := data.find(b"\n", place)) >= 0:
        blob, kind, size = data[place:end].split(b" ")
        if kind != b"blob":
            break
        found[blob] = data[end + 1 : end + 1 + int(size)]
        place = end + int(size) + 2
    return found
