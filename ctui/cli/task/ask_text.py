"""An ask in a line: the command that answers it, and what became of it."""

from __future__ import annotations

from ctui.tasks.asks import kind_of
from ctui.tasks.model import Ask, AskState


def how_to_answer(ask: Ask) -> str:
    """Return the command that answers an ask, with its choices."""
    command = f"ctui task answer {ask.task}"
    kind = kind_of(ask)
    asked = kind.questions(ask)
    words: dict[str, str] = {}
    if asked and kind.is_form:
        words["allow"] = "allow --answer FIELD=VALUE"
    elif asked:
        words["allow"] = '--answer "QUESTION=ANSWER" …' if len(asked) > 1 else "--text ANSWER"
    if kind.explains:
        words["deny"] = "deny [--message WHY]"
    taken = (words.get(decision, decision) for decision in kind.decisions(ask))
    return f"{command} {' | '.join(taken)}"


def ask_outcome(ask: Ask) -> str:
    """Return what became of an ask, in a few words."""
    answer = ask.answer
    if answer is None:
        return str(ask.state)
    said = answer.message or answer.text or "; ".join(answer.answers.values())
    decided = kind_of(ask).outcomes[answer.decision]
    late = " (too late)" if ask.state is AskState.TOO_LATE else ""
    return f"{decided}{late}: {said}" if said else f"{decided}{late}"
