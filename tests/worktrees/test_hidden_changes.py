"""Indexes that have flags, and those that only look so."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ctui.errors import ExternalFailure
from ctui.worktrees.hidden_changes import hidden_changes, is_plain
from tests.conftest import git

_MODES = (b"\x81\xa4", b"\x81\xed", b"\xa0\x00")
_SIZE_AND_ID = 32
_FLAG = b"\x80\x05"


@pytest.mark.parametrize("mode", _MODES)
async def test_what_looks_like_a_flag_in_an_object_id_starts_no_process(
    tmp_path: Path, mode: bytes
) -> None:
    """There is no repository here, so a process would fail."""
    noise = b"\x7f" + mode + bytes(_SIZE_AND_ID) + _FLAG
    assert await hidden_changes(tmp_path, tmp_path, noise) == 0
    with pytest.raises(ExternalFailure):
        await hidden_changes(tmp_path, tmp_path, b"\0\0" + noise[1:])


async def test_a_large_index_without_flags_starts_no_process(tmp_path: Path) -> None:
    """Object ids of 5,000 files have the bytes of a mode in them more often than not."""
    ids = [hashlib.sha256(bytes([number % 256, number // 256])).digest() for number in range(5_000)]
    index = b"".join(b"\0\0\x81\xa4" + bytes(12) + oid[:20] + b"\0\x05aa/bb\0" for oid in ids)
    assert sum(index.count(mode) for mode in _MODES) > len(ids)
    assert await hidden_changes(tmp_path, tmp_path, index) == 0


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Files with names of every length that an index pads, an executable one and a link."""
    git(tmp_path, "init", "-q")
    for length in range(1, 20):
        (tmp_path / ("f" * length)).write_text(str(length))
    (tmp_path / "program").touch(0o755)
    (tmp_path / "link").symlink_to("program")
    git(tmp_path, "add", "-A")
    return tmp_path


def index_of(checkout: Path) -> bytes:
    return (checkout / ".git" / "index").read_bytes()


def test_files_and_links_without_flags_are_plain(checkout: Path) -> None:
    assert is_plain(index_of(checkout))
    git(checkout, "commit", "-q", "-m", "Begin")  # and now it has extensions
    assert b"TREE" in index_of(checkout)
    assert is_plain(index_of(checkout))


@pytest.mark.parametrize("name", ["f", "fffffffff", "link", "program"])
@pytest.mark.parametrize(
    "change",
    [
        ("update-index", "--assume-unchanged"),
        ("update-index", "--skip-worktree"),
        ("rm", "-q", "--cached"),
    ],
)
def test_one_flag_or_submodule_anywhere_is_not(
    checkout: Path, name: str, change: tuple[str, ...]
) -> None:
    git(checkout, "commit", "-q", "-m", "Begin")
    git(checkout, *change, name)
    if change[0] == "rm":
        assert is_plain(index_of(checkout))
        head = git(checkout, "rev-parse", "HEAD")
        git(checkout, "update-index", "--add", "--cacheinfo", f"160000,{head},{name}")
    assert not is_plain(index_of(checkout))


@pytest.mark.parametrize("kind", ["--index-version=4", "--split-index"])
def test_what_has_its_entries_elsewhere_is_not(checkout: Path, kind: str) -> None:
    git(checkout, "update-index", *kind.split("="))
    assert not is_plain(index_of(checkout))
