"""Snapshots go by age and by size, and what is left can be read."""

from __future__ import annotations

import os
from typing import Any

import pytest

from ctui.errors import NotFound
from ctui.git.process import command
from ctui.worktrees.snapshots.model import Snapshot
from ctui.worktrees.snapshots.prune import prune
from tests.worktrees.snapshots.conftest import Shots


async def _three(shots: Shots) -> list[Snapshot]:
    taken = []
    for number in (1, 2, 3):
        (shots.path / "data").write_bytes(os.urandom(200_000))
        taken.append(await shots.take(f"refs/turns/{number}"))
    return taken


async def test_the_oldest_go_until_the_rest_fits(shots: Shots) -> None:
    first, _, third = await _three(shots)

    await prune(shots.snapshots, days=0, limit=450_000)

    assert "refs/turns/1" not in shots.snapshots.refs("refs/turns")
    with pytest.raises(NotFound):
        await shots.snapshots.snapshot(first.id)
    assert shots.kept(third) == shots.there()


async def test_the_newest_stays_whatever_the_limit(shots: Shots) -> None:
    third = (await _three(shots))[2]

    await prune(shots.snapshots, days=0, limit=1)

    assert set(shots.snapshots.refs("refs/turns")) == {"refs/turns/3"}
    assert shots.kept(third) == shots.there()
    (shots.path / "more").write_text("x")
    assert shots.kept(await shots.take("refs/turns/4")) == shots.there()


async def test_old_ones_go(shots: Shots, monkeypatch: pytest.MonkeyPatch) -> None:
    await _three(shots)
    now = 2 * 10**18
    monkeypatch.setattr("time.time_ns", lambda: now)

    assert await prune(shots.snapshots, days=30, limit=0) == 2
    assert set(shots.snapshots.refs("refs/turns")) == {"refs/turns/3"}


async def test_a_task_of_many_turns_costs_no_process_for_each(
    shots: Shots, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await shots.take("refs/turns/1")
    (shots.path / "data").write_text("x")
    await shots.take("refs/turns/2")
    for number in range(100, 200):
        (shots.snapshots.folder / f"refs/turns/{number}").write_text(f"{first.id}\n")
    started: list[object] = []
    real = command.run_git

    async def counted(*arguments: Any, **options: Any) -> command.GitOutput:
        started.append(arguments)
        return await real(*arguments, **options)

    monkeypatch.setattr("ctui.worktrees.snapshots.repository.run_git", counted)

    assert await prune(shots.snapshots, days=30, limit=0) == 0
    assert len(started) < 10
