"""An ask as a form (MCP, "Elicitation"), and what the filled-in form answers. Pure.

A form has flat fields only. A permission and a plan have one field with choices; a question has one
with its options and one for words of the person's own; a task's form has a field for each of its
own. What is chosen is text everywhere: the ask itself says what a text stands for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ctui.errors import InvalidInput
from ctui.tasks.asks import ask_lines, decisions, kind_of
from ctui.tasks.asks.form_choices import labelled
from ctui.tasks.asks.kind import Decision
from ctui.tasks.asks.questions import Question
from ctui.tasks.model import Answer, Ask
from ctui.text import one_line

ALLOW_ONCE = "Allow Once"
ALLOW_SESSION = "Allow Session"
ALLOW_ALWAYS = "Allow Always"
DENY = "Deny"

_BY = "MCP"
_MOST_OPTIONS = 100
_WIDTH = 200
_DECIDED: Mapping[str, Decision] = {
    ALLOW_ONCE: "allow",
    ALLOW_SESSION: "session",
    ALLOW_ALWAYS: "always",
    DENY: "deny",
}


class Form(NamedTuple):
    """Form that the client shows."""

    message: str
    schema: dict[str, Any]


def form_of(ask: Ask, problem: str = "") -> Form:
    """Return the form of an ask.

    Args:
        ask: one that is pending.
        problem: why what was filled in last does not fit.
    """
    head = [f"Task {ask.task}"] + ([f"! {problem}"] if problem else [])
    message = "\n".join([*head, *ask_lines(ask)])
    asked = list(_fields(ask))
    if asked:
        properties = {name: schema for field in asked for name, schema in field.properties(ask)}
        required = [field.key for field in asked if field.needed(ask)]
    elif _is_accepted_as_it_is(ask):
        properties, required = {}, []
    else:
        properties, required = _decision(ask), ["decision"]
    return Form(message, {"type": "object", "properties": properties, "required": required})


def answer_of(ask: Ask, action: str, content: Mapping[str, Any] | None) -> Answer | None:
    """Return the answer of a filled-in form; None if the person closed it and said nothing.

    Raises:
        InvalidInput: it does not fit the ask.
    """
    if action == "cancel":
        return None
    if action != "accept":
        return Answer("deny", by=_BY)
    given = content or {}
    asked = list(_fields(ask))
    if asked:
        return Answer("allow", answers={f.asked.text: f.text(ask, given) for f in asked}, by=_BY)
    if _is_accepted_as_it_is(ask):
        return Answer("allow", by=_BY)
    return _decided(ask, given)


def _is_accepted_as_it_is(ask: Ask) -> bool:
    """Return True for a form without fields: the client's own buttons say all."""
    return kind_of(ask).is_form and "allow" in decisions(ask)


# -- permissions and plans


def _decision(ask: Ask) -> dict[str, Any]:
    taken = decisions(ask)
    labels = [label for label, decision in _DECIDED.items() if decision in taken]
    longer = {label: kind_of(ask).allows(ask, _DECIDED[label]) for label in labels}
    meant = [f"{label}: {one_line(words, _WIDTH)}" for label, words in longer.items() if words]
    about = "; ".join(meant) or "What it may do"
    return {
        "decision": {"type": "string", "title": "Decision", "description": about, "enum": labels},
        "message": {
            "type": "string",
            "title": "Message",
            "description": "Why, if you deny it; Claude reads it",
        },
    }


def _decided(ask: Ask, given: Mapping[str, Any]) -> Answer:
    decision = _DECIDED.get(str(given.get("decision")))
    if decision is None or decision not in decisions(ask):
        raise InvalidInput("choose one of the decisions", hint="or close the form")
    message = given.get("message")
    said = message if decision == "deny" and isinstance(message, str) else ""
    return Answer(decision, message=said, by=_BY)


# -- questions and forms


class _Field(NamedTuple):
    """One question of an ask."""

    key: str
    asked: Question

    @property
    def own(self) -> str:
        """Return the name of the field for words of the person's own."""
        return f"{self.key}_in_your_own_words"

    @property
    def labels(self) -> dict[str, str]:
        """Return the options: what a person reads of each -> what the ask calls it."""
        options = self.asked.options
        if len(options) > _MOST_OPTIONS:
            return {}
        return labelled((option.label, option.label) for option in options)

    def open_ended(self, ask: Ask) -> bool:
        """Return True if there is a field for own words beside the options."""
        return not kind_of(ask).is_form and bool(self.labels)

    def needed(self, ask: Ask) -> bool:
        return not self.asked.optional and not self.open_ended(ask)

    def properties(self, ask: Ask) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield its one or two fields, as names and JSON schemas."""
        title = one_line(self.asked.text, _WIDTH) or self.key
        about = one_line(self.asked.about, _WIDTH)
        if self.asked.default:
            left = f"if it is left: {one_line(self.asked.default, _WIDTH)}"
            about = f"{about} ({left})" if about else left
        shown: dict[str, Any] = {"title": title} | ({"description": about} if about else {})
        labels = list(self.labels)
        if not labels:
            yield self.key, {"type": "string", **shown}
        elif self.asked.multiple:
            items = {"type": "string", "enum": labels}
            yield self.key, {"type": "array", **shown, "items": items}
        else:
            yield self.key, {"type": "string", **shown, "enum": labels}
        if self.open_ended(ask):
            yield self.own, {"type": "string", "title": f"{title} (in your own words)"}

    def text(self, ask: Ask, given: Mapping[str, Any]) -> str:
        """Return the answer as the ask takes it. Raises InvalidInput if it does not fit."""
        own = given.get(self.own)
        chosen = given.get(self.key)
        if isinstance(own, str) and own.strip() and self.open_ended(ask):
            text = own.strip()
        elif isinstance(chosen, list):
            text = kind_of(ask).joined([self.labels.get(str(item), str(item)) for item in chosen])
        elif isinstance(chosen, bool):
            text = "yes" if chosen else "no"
        else:
            text = "" if chosen is None else str(chosen).strip()
            text = self.labels.get(text, text)
        name = one_line(self.asked.text, _WIDTH)
        if problem := kind_of(ask).problem(ask, self.asked.text, text):
            raise InvalidInput(one_line(problem, _WIDTH))
        if not text and not self.asked.optional:
            raise InvalidInput(f"no answer to: {name}", hint="answer it, or decline")
        return text


def _fields(ask: Ask) -> Iterator[_Field]:
    """Yield the questions of an ask under names that any client can show; of two alike one."""
    asked = {question.text: question for question in kind_of(ask).questions(ask)}
    for number, question in enumerate(asked.values(), 1):
        yield _Field("answer" if len(asked) == 1 else f"answer_{number}", question)
