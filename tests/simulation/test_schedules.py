"""Schedules of drivers, front ends and failing parts, each told by its seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.schedule import run_schedule

_PORTION = 100


@pytest.mark.parametrize("portion", range(100))
def test_no_schedule_breaks_an_invariant(portion: int) -> None:
    for seed in range(portion * _PORTION, (portion + 1) * _PORTION):
        run_schedule(seed)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_schedule_leaves_no_file_open() -> None:
    run_schedule(0)  # what is loaded once is there then
    before = open_files()
    for seed in range(1, 8):
        run_schedule(seed)
    assert open_files() == before


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("portion", range(100))
def test_a_million_schedules(portion: int) -> None:
    for seed in range(10_000 + portion * 10_000, 20_000 + portion * 10_000):
        run_schedule(seed)
