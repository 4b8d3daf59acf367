from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ctui.file_lock import FileLock

_HOLDER = """\
import pathlib, sys
from ctui.file_lock import FileLock
lock = FileLock(pathlib.Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def other_holder(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lock until its stdin is closed, or it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield process
        finally:
            process.kill()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    with other_holder(lock.path):
        assert not lock.acquire(0)
        assert not lock.acquire(0.05)
    assert lock.acquire(0)
    with lock:
        assert not FileLock(lock.path).acquire(0)
    assert FileLock(lock.path).acquire(0)


def test_a_killed_holder_gives_it_free(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    with other_holder(lock.path) as holder:
        holder.kill()
        holder.wait()
        assert lock.acquire(0)
    lock.release()


async def test_waiting_ends_with_the_other_holder(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    with other_holder(lock.path) as holder:
        assert not await lock.wait(0)
        waiting = asyncio.create_task(lock.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        assert holder.stdin is not None
        holder.stdin.close()
        assert await asyncio.wait_for(waiting, 30)
    with lock:
        assert not FileLock(lock.path).acquire(0)


def test_a_blocked_caller_gets_it_too(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    with other_holder(lock.path) as holder:
        assert holder.stdin is not None
        holder.stdin.close()
        assert lock.acquire()
    lock.release()


def test_a_lock_file_that_was_removed_locks_nobody_out_twice(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with other_holder(path) as holder:
        waiter = subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        path.unlink()
        holder.kill()
        holder.wait()
        # Whichever file the waiter had opened, it ends up with the one that everybody sees.
        with waiter:
            assert waiter.stdout is not None
            assert waiter.stdout.readline() == b"held\n"
            assert not FileLock(path).acquire(0)
            waiter.kill()


def test_children_hold_what_they_inherit(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    assert lock.acquire(0)
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"],
        stdin=subprocess.PIPE,
        pass_fds=(lock.fileno(),),
    ) as child:
        lock.release()
        assert not FileLock(lock.path).acquire(0)
        child.kill()
        child.wait()
        assert FileLock(lock.path).acquire(0)


def test_entering_without_the_lock_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not locked"), FileLock(tmp_path / "lock"):
        pass


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        FileLock(tmp_path / "lock").acquire(0)
    assert not (tmp_path / "elsewhere").exists()
