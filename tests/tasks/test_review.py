"""A comment on what a task changed, and its answer: a real engine, a real CLI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ctui.demo.model.script import fenced
from ctui.tasks.model import Answer
from tests.conftest import git
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine

_COMMIT = "bash echo 'x = 1' > new.py && git add . && git commit -qm New"


async def test_a_comment_goes_to_the_task_and_its_answer_comes_back(person: Person) -> None:
    """Also to a task that has ended; a number of another worktree is refused with a line."""
    task = await person.start("reviewed", _COMMIT, "say Done.")
    await person.answer(await person.asked("reviewed"), Answer("allow"))
    await person.until(
        "reviewed", lambda now: now.work is not None and bool(now.activity.committed)
    )
    await person.ctui("task", "stop", "reviewed")
    other = await review(person, "comment", "reviewed", "new.py:1", "Not this one.")
    await review(person, "comments", "reviewed", "--withdraw", str(other["number"]))
    number = other["number"] + 1
    answers = [
        json.dumps({"number": wanted, "text": text})
        for wanted, text in ((other["number"], "Mine!"), (number, "It is one.\x1b[2J"))
    ]
    steps = [f"tool mcp__ctui__resolve_comment {answer}" for answer in answers]
    text = "Why one?\n" + fenced(*steps, "say Answered.")
    sent = await review(person, "comment", "reviewed", "new.py:1", text, "--send")
    assert (sent["number"], sent["quote"]) == (number, ["x = 1"])
    done = await person.until("reviewed", lambda now: now.comments_answered == 1)
    assert done.worktree == task.worktree
    (thread,) = await review(person, "comments", "reviewed")
    said = [(remark["author"], remark["task"], remark["text"]) for remark in thread["remarks"]]
    assert said == [("person", "reviewed", text), ("task", "reviewed", "It is one.\x1b[2J")]
    await person.until("reviewed", lambda now: now.result == "Answered.")
    output = person.tool_output("reviewed")
    assert f"there is no comment {other['number']} on this worktree" in output
    assert f"#{number} is answered" in output
    (prompt,) = [one.text for one in person.store.messages.of("reviewed") if "Why one?" in one.text]
    tip = git(Path(task.worktree), "rev-parse", "HEAD")
    assert f"#{number} new.py:1 (at {tip[:10]})\n> x = 1\nWhy one?" in prompt


async def review(person: Person, *arguments: str) -> Any:
    """What a command of the review prints as JSON, behind what it says."""
    code, output = await person.ctui("worktree", *arguments, "--json")
    assert code == 0, output
    return json.loads(output[min(output.index(mark) for mark in "[{" if mark in output) :])
