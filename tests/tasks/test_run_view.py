"""What is remembered of a run, whatever its lines say."""

from __future__ import annotations

from ctui.claude.protocol import control
from ctui.claude.protocol.decode import decode
from ctui.tasks.mailbox.run_view import RunView
from tests.simulation.hostile_lines import written
from tests.simulation.hostile_world import ask_line

_MB = 1 << 20


def _take(view: RunView, value: object) -> None:
    line = written(value)
    view.take(decode(line), 0, len(line))


def test_open_requests_are_remembered_within_a_budget_of_bytes() -> None:
    """T27: a driver that takes over has all of them in memory, until it has read the journal."""
    view = RunView()
    for number in range(40):
        _take(view, ask_line(f"r-{number}", "call", input={"command": "x" * _MB}))
    assert list(view.requests) == [f"r-{number}" for number in range(16)]
    _take(view, ask_line("small", "call"))
    assert "small" in view.requests

    # What has its answer, or is withdrawn, makes room; a copy counts for itself.
    other = view.clone()
    _take(view, {"type": "control_cancel_request", "request_id": "r-0"})
    _take(view, {"type": "control_response", "response": {"request_id": "r-1"}})
    for number in range(40, 50):
        _take(view, ask_line(f"r-{number}", "call", input={"command": "x" * _MB}))
    assert list(view.requests)[-3:] == ["small", "r-40", "r-41"]
    assert len(view.requests) == 17
    assert "r-0" in other.requests
    assert view.request_sizes.keys() == view.requests.keys()


def test_the_largest_request_that_can_be_answered_is_remembered() -> None:
    view = RunView()
    _take(view, ask_line("large", "call", input={"command": "x" * control.MAX_LINE}))
    assert list(view.requests) == ["large"]
