"""Effects of a turn's end on its task. Pure.

Figures come from a hostile line: they are never negative, and never fall.
"""

from __future__ import annotations

from ctui.claude.protocol.api_failure import failure_text
from ctui.claude.protocol.events import Result
from ctui.tasks.model import Cause, Run, Task
from ctui.text import sanitise

INTERRUPTED = "the turn was interrupted"
_RESULT_LIMIT = 100_000
_MOST_TOKENS = 10**9
"""Of one turn; no model reads or writes so many."""
_MOST_DOLLARS = 10.0**6


def apply(event: Result, task: Task, run: Run, *, rejected: str) -> str:
    """Write the end of a turn into its task.

    Args:
        event: the CLI's `result`.
        task: changed in place.
        run: whose cost is added to what the task had cost before.
        rejected: what to say of a login that is refused now, or "".

    Returns:
        what is wrong with its figures, or "".
    """
    wrong = _figures(event, task, run)
    task.turns += 1
    task.denials = event.denials
    task.result = sanitise(event.text[:_RESULT_LIMIT])
    if not (event.interrupted and task.cause in {"timeout", "alarm"}):
        task.problem, task.cause = _problem(event, task.id, rejected)
    task.unanswered = task.cause not in {"", "interrupted", "budget", "timeout", "alarm"}
    return wrong


def _figures(event: Result, task: Task, run: Run) -> str:
    wrong = ""
    cost = run.cost_before + event.total_cost_usd
    if not event.total_cost_usd:
        pass  # a command of the CLI's own says none
    elif cost < task.cost or event.total_cost_usd > _MOST_DOLLARS:
        wrong = f"a turn says that its run cost {event.total_cost_usd:.4f} dollars"
    else:
        task.cost = cost
    for name, tokens in (("input", event.input_tokens), ("output", event.output_tokens)):
        if not 0 <= tokens <= _MOST_TOKENS:
            wrong = f"a turn says that it had {tokens} {name} tokens"
        elif name == "input":
            task.input_tokens += tokens
        else:
            task.output_tokens += tokens
    return wrong


def _problem(event: Result, task_id: str, rejected: str) -> tuple[str, Cause]:
    if not event.is_error:
        return "", ""
    if rejected:
        return rejected, "login"
    if event.subtype == "error_max_budget_usd":
        return "the task's budget is spent", "budget"
    if event.subtype == "error_during_execution" and event.interrupted:
        return INTERRUPTED, "interrupted"
    text = failure_text(event.api_status, event.text or " ".join(event.errors))
    return text or f"the turn failed: `ctui task resume {task_id}` repeats it", "other"
