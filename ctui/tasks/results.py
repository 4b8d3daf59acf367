"""What the end of a turn says about its task."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ctui.claude.api_failure import failure_text, is_login_rejected
from ctui.tasks.model import Run, Task
from ctui.text import sanitise

LOGIN_PROBLEM = "Claude rejected the login: run `ctui setup`, then `ctui task resume`"
_RESULT_LIMIT = 100_000


def apply(
    event: Mapping[str, Any], task: Task, run: Run, login_rejected: bool, *, counted: bool
) -> bool:
    """Write a `result` event into the task.

    Args:
        event: any object that says it is a result.
        task: changed in place.
        run: whose cost is added to what the task had cost before.
        login_rejected: whether the login was refused during the turn.
        counted: the turn and its tokens are in the task already.

    Returns:
        whether the login is refused now.
    """
    task.cost = run.cost_before + number(event.get("total_cost_usd"))
    if not counted:
        task.turns += 1
        usage = event.get("usage")
        if isinstance(usage, dict):
            task.input_tokens += int(number(usage.get("input_tokens")))
            task.output_tokens += int(number(usage.get("output_tokens")))
    denials = event.get("permission_denials")
    task.denials = len(denials) if isinstance(denials, list) else 0
    text = event.get("result")
    task.result = sanitise(text[:_RESULT_LIMIT]) if isinstance(text, str) else ""
    failed = event.get("is_error") is True
    status = event.get("api_error_status")
    if not failed:
        login_rejected = False
    elif isinstance(status, int):
        login_rejected = is_login_rejected(status, text if isinstance(text, str) else "")
    task.problem = _problem(event, login=login_rejected) if failed else ""
    return login_rejected


def number(value: object) -> float:
    """A number that arithmetic can bear; 0 for anything else."""
    return float(value) if isinstance(value, int | float) and abs(value) < 1e12 else 0.0


def is_uuid(text: str) -> bool:
    """Whether it is a UUID as everybody writes it."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _problem(event: Mapping[str, Any], *, login: bool) -> str:
    if login:
        return LOGIN_PROBLEM
    if event.get("subtype") == "error_max_budget_usd":
        return "the task's budget is spent"
    text = event.get("result")
    if event.get("subtype") == "error_during_execution":
        return "the turn was interrupted"
    if not isinstance(text, str) or not text:
        return "the turn failed"
    status = event.get("api_error_status")
    return failure_text(status if isinstance(status, int) else None, text)
