"""The rooms that docs/architecture.md names are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ctui
from tests.docs.pages import DOCS

PACKAGE = Path(ctui.__file__).parent
NO_MODULES = {"Part", "--json", "ctui serve"}


def rooms() -> Iterator[tuple[str, str]]:
    """Yield each folder of the list with each name that stands under it."""
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    start = page.index("- `config/`:")
    folder = room = ""
    for line in page[start : page.index("\n## ", start)].splitlines():
        names = re.findall(r"`([^`]+)`", line)
        if line.startswith("- "):
            folder, room = names.pop(0), ""
        elif line.startswith("  - "):
            own = re.match(r"  - `(\w+/)`(?: \([^)]*\))?:", line)
            room = own.group(1) if own else ""
        yield from ((folder + room, name) for name in names if name != room)


def test_there_are_many() -> None:
    assert len(set(rooms())) > 200


@pytest.mark.parametrize("folder", sorted({folder for folder, _ in rooms()}))
def test_what_is_named_is_there(folder: str) -> None:
    assert (PACKAGE / folder).is_dir()
    for name in (name for where, name in rooms() if where == folder and name not in NO_MODULES):
        found = [*(PACKAGE / folder).glob(name.rstrip("/")), *(PACKAGE / folder).glob(f"{name}.*")]
        assert found, f"{folder} has no {name}"


@pytest.mark.parametrize(
    "anchor", re.findall(r"\((\S*#[\w-]+)\)", (DOCS / "architecture.md").read_text("utf-8"))
)
def test_what_is_linked_is_there(anchor: str) -> None:
    file, _, heading = anchor.partition("#")
    page = (DOCS / (file or "architecture.md")).read_text(encoding="utf-8")
    found = [
        re.sub(r"[^\w -]", "", one).lower().replace(" ", "-")
        for one in re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    ]
    assert heading in found
