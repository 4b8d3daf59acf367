"""When a usage limit is over, from what the real CLI says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import UsageLimit
from ctui.tasks.session.limits import reset_time

_SECOND = 1_000_000_000
_NOW = int(datetime(2026, 11, 29, 14, 14, 1, tzinfo=UTC).timestamp()) * _SECOND


def _at(text: str, stamp: int = 0) -> str | None:
    found = reset_time(text, _NOW, stamp=stamp)
    if found is None:
        return None
    return datetime.fromtimestamp(found / _SECOND, UTC).strftime("%d %H:%M:%S")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You've hit your session limit · resets 3pm (UTC)", "29 15:00:00"),
        ("You've hit your session limit · resets 3:20pm (Europe/Berlin)", "29 14:20:00"),
        ("You've hit your weekly limit · resets at 09:05", "30 09:05:00"),
        ("Claude AI usage limit reached|1795964400", "29 15:00:00"),
        # The CLI leaves out the seconds, so this is still to come: not tomorrow.
        ("You've hit your session limit · resets 2:14pm (UTC)", "29 14:15:01"),
        ("You've hit your session limit · resets 2:13pm (UTC)", "30 14:13:00"),
        ("You've hit your session limit · resets 3pm (Nowhere/At-All)", "29 15:00:00"),
        ("API Error: Request rejected (429) · resets 3pm", None),
        ("limit · resets 25pm", None),
        ("usage limit reached|9999999999", None),
        ("the turn failed", None),
    ],
)
def test_the_text_of_a_failed_turn_says_when(text: str, expected: str | None) -> None:
    """T10: in each form that the CLI has had."""
    assert _at(text) == expected


def test_the_event_is_more_exact_than_the_text() -> None:
    """T10: `rate_limit_event`, measured with the real CLI 2.1."""
    line = (
        '{"type":"rate_limit_event","rate_limit_info":{"status":"rejected",'
        '"resetsAt":1795961666,"rateLimitType":"five_hour","isUsingOverage":false}}'
    )
    event = decode(line)
    assert event == UsageLimit("rejected", 1795961666)
    assert _at("session limit · resets 2:14pm (UTC)", 1795961666) == "29 14:14:26"


@given(st.text(), st.integers(-(10**15), 10**15))
def test_whatever_is_said_the_next_try_lies_ahead_and_within_a_week(text: str, stamp: int) -> None:
    """T10: a task chooses neither a loop nor a wait without end."""
    for words in (text, f"limit resets {text}", f"limit|{stamp}"):
        found = reset_time(words, _NOW, stamp=stamp)
        assert found is None or 0 < found - _NOW <= 8 * 24 * 3600 * _SECOND
