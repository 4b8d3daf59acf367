"""Indexes that have flags, and those that only look so."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ctui.errors import ExternalFailure
from ctui.worktrees.hidden_changes import hidden_changes

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
