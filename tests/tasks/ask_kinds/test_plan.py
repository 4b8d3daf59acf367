"""A plan that waits for approval."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from ctui.tasks.model import Answer
from tests.tasks.conftest import Person
from tests.tasks.generators import TEXT, some, tool_call

REQUESTS = tool_call(st.just("ExitPlanMode"), some(plan=TEXT, planFilePath=TEXT))


@pytest.mark.engine
async def test_an_approved_plan_was_not_edited(person: Person) -> None:
    """T23: the model is not told that the person changed what they only approved."""
    await person.start("plan", "plan Do it.", "say Done.", permission_mode="plan")
    await person.answer(await person.asked("plan"), Answer("allow"))
    await person.idle("plan")
    said = person.tool_output("plan")
    assert "has approved" in said
    assert "edited" not in said
