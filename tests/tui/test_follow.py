"""Where the list leads, what counts as read, and who is told what."""

from __future__ import annotations

import msgspec

from ctui.tasks.activity import Activity, Note
from ctui.tasks.calls import Update
from ctui.tasks.model import Task, TaskState
from ctui.tui.board.board import Group, Item
from ctui.tui.dashboard.attention import AWAY_SECONDS, Attention, alerts_of
from ctui.tui.dashboard.follow import Follow
from ctui.tui.dashboard.reading import READ_SECONDS, Reading
from tests.tui.test_board import ask, task


def items(**groups: Group) -> list[Item]:
    order = sorted(groups.items(), key=lambda pair: list(Group).index(pair[1]))
    return [Item(name, name, group, None, 0, None) for name, group in order]


def test_the_list_begins_with_what_is_urgent_else_with_the_last_one() -> None:
    assert Follow("b").led(items(a=Group.WORKING, b=Group.CLEAN), None) == "b"
    assert Follow("gone").led(items(a=Group.WORKING, b=Group.CLEAN), None) == "a"
    assert Follow("b").led(items(n=Group.NEW, b=Group.CLEAN), None) == "n"
    assert Follow("b").led([], None) is None


def test_whatever_needs_the_person_leads_until_they_press_a_key() -> None:
    follow = Follow()
    assert follow.led(items(a=Group.WORKING, b=Group.NEEDS_YOU), "a") == "b"
    assert follow.led(items(a=Group.NEEDS_YOU, b=Group.NEEDS_YOU), "b") is None
    follow.end()
    assert follow.led(items(a=Group.WORKING, c=Group.NEEDS_YOU), "a") is None
    follow.begin()
    assert follow.led(items(a=Group.WORKING, c=Group.NEEDS_YOU), "a") == "c"


def test_what_was_read_does_not_lead_to_the_next_one() -> None:
    follow = Follow()
    assert follow.led(items(a=Group.NEW, b=Group.NEW), None) == "a"
    assert follow.led(items(b=Group.NEW, a=Group.REVIEW), "a") is None
    assert follow.led(items(b=Group.NEW, c=Group.NEW, a=Group.REVIEW), "a") == "c"


def rested(at: int = 5, **facts: object) -> Task:
    return msgspec.structs.replace(
        task(state=TaskState.IDLE, activity=Activity(rested=at)), **facts
    )


def test_what_is_looked_at_for_two_seconds_is_read_once() -> None:
    reading = Reading()
    assert reading.look(rested(), 10.0) is None
    assert reading.look(rested(), 10.0 + READ_SECONDS / 2) is None
    assert reading.look(rested(), 10.0 + READ_SECONDS) == 5
    assert reading.look(rested(), 20.0) is None


def test_a_glance_is_no_reading() -> None:
    reading = Reading()
    reading.look(rested(), 10.0)
    reading.look(None, 11.0)
    assert reading.look(rested(), 10.0 + READ_SECONDS) is None
    assert reading.look(rested(read=5), 30.0) is None
    assert reading.look(rested(at=9), 31.0) is None
    assert reading.look(rested(at=9), 31.0 + READ_SECONDS) == 9


def test_focus_decides_where_a_terminal_tells_it_and_else_the_last_key() -> None:
    attention = Attention(0.0)
    assert attention.looks(AWAY_SECONDS / 2)
    assert not attention.looks(AWAY_SECONDS)
    attention.touch(AWAY_SECONDS)
    assert attention.looks(AWAY_SECONDS + 1)
    attention.focus(focused=False)
    assert not attention.looks(AWAY_SECONDS + 1)
    attention.focus(focused=True)
    assert attention.looks(100 * AWAY_SECONDS)


def test_asks_ends_failures_and_notes_are_told_once() -> None:
    def told(update: Update, before: Task | None = None, known: tuple[int, ...] = ()) -> list[str]:
        return [alert.text for alert in alerts_of(update, before, known, since=3)]

    assert told(Update(ask=ask(4))) == ["a asks: Bash: ls"]
    assert told(Update(ask=ask(4)), known=(4,)) == []
    assert told(Update(ask=ask(2))) == []  # it was there before the screen was
    assert told(Update(task=rested(result="Done so."))) == ["a is done: Done so."]
    assert told(Update(task=rested(problem="no", cause="other"))) == ["a failed: no"]
    assert told(Update(task=rested()), before=rested()) == []
    assert told(Update(task=rested(at=2))) == []
    noted = task(state=TaskState.RUNNING, activity=Activity(notes=(Note(4, "x\x1b", urgent=True),)))
    assert told(Update(task=noted)) == ["a says urgently: x␛"]
    assert told(Update(task=noted), before=noted) == []
