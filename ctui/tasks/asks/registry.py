"""All kinds of asks: every module of `kinds` has one, called `KIND`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ctui.tasks.asks import kinds
from ctui.tasks.asks.kind import Kind
from ctui.tasks.model import Ask, AskKind


def kind_of(ask: Ask) -> Kind:
    """Return the kind of an ask."""
    return _BY_TOOL.get((ask.kind, ask.tool)) or _BY_TOOL[ask.kind, ""]


def _found() -> tuple[Kind, ...]:
    # Found rather than listed, so that a new kind is a new file and no edit of this one.
    names = (module.name for module in iter_modules(kinds.__path__, f"{kinds.__name__}."))
    found = tuple(import_module(name).KIND for name in sorted(names))
    for kind in AskKind:
        if not any(one.kind is kind and not one.tool for one in found):
            raise LookupError(f"no file of ctui/tasks/asks/kinds is about {kind!r}")
    return tuple(sorted(found, key=lambda kind: kind.takes_the_rest))


KINDS: tuple[Kind, ...] = _found()
_BY_TOOL = {(kind.kind, kind.tool): kind for kind in KINDS}
