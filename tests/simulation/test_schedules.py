"""Schedules of drivers, front ends and failing parts, each told by its seed."""

from __future__ import annotations

import pytest

from tests.simulation.schedule import run_schedule

_PORTION = 100


@pytest.mark.parametrize("portion", range(100))
def test_no_schedule_breaks_an_invariant(portion: int) -> None:
    for seed in range(portion * _PORTION, (portion + 1) * _PORTION):
        run_schedule(seed)


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("portion", range(100))
def test_a_million_schedules(portion: int) -> None:
    for seed in range(10_000 + portion * 10_000, 20_000 + portion * 10_000):
        run_schedule(seed)
