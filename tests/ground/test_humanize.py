from __future__ import annotations

import time

import pytest

from ctui.humanize import age, compact, duration, size_text

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (812, "812 B"),
        (1000, "1.0 KiB"),
        (48 << 10, "48 KiB"),
        (1023 << 10, "1.0 MiB"),
        (1_288_490_189, "1.2 GiB"),
        (5000 << 40, "5000 TiB"),
    ],
)
def test_sizes(size: int | None, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86_399, "23 h"),
        (86_400, "1 d"),
        (12 * 86_400 + 1, "12 d"),
    ],
)
def test_ages(seconds: int, text: str) -> None:
    now = time.time_ns()
    assert age(now - seconds * SECOND, now) == text


def test_an_age_is_measured_from_the_present() -> None:
    assert age(time.time_ns() - 90 * SECOND) == "1 min"


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.24, "4.2 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(812, "812"), (48_213, "48k"), (1_234_567, "1.2M")])
def test_counts(number: int, text: str) -> None:
    assert compact(number) == text
