"""The settings know every binding that can be changed, and the page about keys names it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

from textual.binding import Binding

import ctui.tui
from ctui.config.key_ids import DEFAULT_KEYS, clashes

_PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def bindings() -> Iterator[Binding]:
    for found in pkgutil.walk_packages(ctui.tui.__path__, "ctui.tui."):
        module = importlib.import_module(found.name)
        for thing in vars(module).values():
            if isinstance(thing, type) and thing.__module__ == module.__name__:
                own = vars(thing).get("BINDINGS", ())
                yield from (one for one in own if isinstance(one, Binding) and one.id)


def test_every_binding_can_be_changed_by_its_id() -> None:
    assert {binding.id: binding.key for binding in bindings()} == dict(DEFAULT_KEYS)


def test_the_page_names_every_id() -> None:
    page = _PAGE.read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in DEFAULT_KEYS)


def test_no_key_has_two_meanings_in_one_place() -> None:
    assert list(clashes(DEFAULT_KEYS)) == []
