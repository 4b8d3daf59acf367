"""Bindings that `[keys]` can change: their ids and their default keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

DEFAULT_KEYS: Mapping[str, str] = {
    "new-task": "n",
    "new-task-here": "N",
    "follow-up": "f",
    "inbox": "i",
    "next-ask": "a",
    "stop": "x",
    "resume": "g",
    "remove": "R",
    "land": "m",
    "update": "U",
    "review": "v",
    "ports": "p",
    "top": "T",
    "shell": "exclamation_mark",
    "cleanup": "c",
    "zoom": "z",
    "narrower": "less_than_sign",
    "wider": "greater_than_sign",
    "todos": "ctrl+t",
    "doctor": "H",
    "help": "question_mark",
    "quit": "q",
    "quit-at-once": "ctrl+q",
    "interrupt": "escape",
    "pane.interrupt": "escape",
    "pane.search": "slash",
    "pane.match-above": "[",
    "pane.match-below": "]",
    "transcript.fold": "o",
    "composer.send": "enter",
    "composer.new-line": "ctrl+j,shift+enter,alt+enter",
    "cleanup.mark": "space",
    "cleanup.mark-safe": "A",
    "cleanup.remove": "enter",
    "cleanup.undo": "u",
    "cleanup.details": "d",
    "cleanup.trash": "t",
    "trash.mark": "space",
    "trash.restore": "enter",
    "trash.purge": "P",
    "review.comment": "c",
    "review.send": "S",
    "review.mark": "space",
    "review.next": "n",
    "review.back": "N",
    "review.edit": "e",
    "review.scope": "v",
    "review.split": "vertical_line,s",
    "review.close": "x",
    "review.reload": "r",
    "review.zoom": "z",
    "review.help": "question_mark",
    "review.leave": "escape,q",
    "setup.login": "l",
    "setup.build": "b",
    "setup.look": "r",
    "start.begin": "i",
    "start.demo": "d",
}
"""The part of an id before a dot is a place; an id without one works everywhere on the dashboard.
"""


def clashes(chosen: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Return each chosen id with its key and another id of the same place that has the key too."""
    keys = {**DEFAULT_KEYS, **chosen}
    for name in chosen:
        place = name.partition(".")[0] if "." in name else ""
        for other, theirs in keys.items():
            same_place = (other.partition(".")[0] if "." in other else "") == place
            if other == name or not same_place:
                continue
            for key in sorted(_keys(keys[name]) & _keys(theirs)):
                yield name, key, other


def _keys(text: str) -> set[str]:
    return {key.strip() for key in text.split(",")}
