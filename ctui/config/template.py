"""The file that `ctui config init` writes, and edits of single values in a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from ctui.config.lines import lines_of
from ctui.config.model import Config, known_keys
from ctui.config.problems import Problem, parse, toml_value
from ctui.config.sources import checked
from ctui.errors import Refused

_HEADER = re.compile(r"[ \t]*\[{1,2}[ \t]*([A-Za-z0-9_.-]+)[ \t]*\]{1,2}[ \t]*(?:#.*)?")
"""Of a table, or of one of several (`[[network.private]]`)."""


def template() -> str:
    """Return a file that changes nothing: every key with its default, as a comment."""
    return "\n".join(_template_lines()) + "\n"


def with_value(text: str, path: str, value: Any) -> str:
    """Return the text with one key set and everything else unchanged.

    Raises:
        Refused: the key is written in a way that only a person can change.
    """
    section, _, name = path.partition(".")
    line = f"{name} = {toml_value(value)}"
    lines = text.removesuffix("\n").split("\n")
    place = lines_of(text).get((section, name))
    if place is not None:
        lines[place - 1] = line
    else:
        _insert(lines, section, name, line)
    changed = "\n".join(lines) + "\n"
    if not _differs_only(text, changed, section, name, value):
        raise Refused(f"{path} cannot be changed where it stands", hint=f"write {line} by hand")
    return changed


def _template_lines() -> Iterator[str]:
    yield "## Settings of ctui. What is behind a single # is a default: remove the # to change it."
    yield "## `ctui config validate` checks this file, `ctui config show` says what counts and why."
    section = ""
    for key in known_keys():
        if key.section != section:
            section = key.section
            yield from ("", f"[{section}]")
        yield from (f"## {line}" for line in _about(key.about, key.type))
        yield f"# {key.name} = {toml_value(key.default)}"
    yield from ("", "[keys]", "## the id of a key's binding, and the keys that do it instead")
    yield '# new-task = "ctrl+n"'


def _about(about: str, kind: Any) -> Iterator[str]:
    yield about
    words = [choice for part in (kind, *get_args(kind)) for choice in get_args(part)]
    if words and all(isinstance(word, str) for word in words):
        yield "one of " + ", ".join(words)


def _insert(lines: list[str], section: str, name: str, line: str) -> None:
    """Insert the key in place of its commented default, else in its section, else in a new one."""
    inside = False
    header = None
    for number, found in enumerate(lines):
        if match := _HEADER.fullmatch(found):
            inside = match.group(1) == section
            header = number if inside else header
        elif inside and re.match(rf"#[ \t]*{re.escape(name)}[ \t]*=", found):
            lines[number] = line
            return
    if header is None:
        lines.extend(["", f"[{section}]", line])
    else:
        lines.insert(header + 1, line)


def _differs_only(before: str, after: str, section: str, name: str, value: Any) -> bool:
    old, new = parse(before), parse(after)
    if isinstance(old, Problem) or isinstance(new, Problem) or checked(after)[1]:
        return False
    wanted = {key: dict(keys) for key, keys in old.items()}
    wanted.setdefault(section, {})[name] = value
    # The template has headers of sections without any key.
    empty: dict[str, Any] = {key: {} for key in Config.__struct_fields__}
    return {**empty, **new} == {**empty, **wanted}
