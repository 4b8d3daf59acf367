"""Setting single keys of the user's file, whose other lines stay as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ctui.config.problems import toml_value
from ctui.config.sources import FILE_LIMIT, checked, read_text
from ctui.config.writing import write_file
from ctui.errors import InvalidInput
from ctui.paths import Paths

_HEADER = re.compile(r"\s*\[{1,2}([^\[\]]+)\]{1,2}\s*(#.*)?$")


def set_keys(paths: Paths, section: str, values: Mapping[str, object]) -> None:
    """Write keys of a section into the user's file; an empty text takes a key out.

    Raises:
        InvalidInput: the file has a problem, or is written so that nothing can be put into it.
        Unavailable: it cannot be read or written.
    """
    text = read_text(paths.config_file, FILE_LIMIT) or ""
    changed = with_keys(text, section, values)
    found, problems = checked(changed)
    for problem in problems:
        raise problem.error(paths.config_file)
    now = found.get(section, {})
    if any((now.get(key) or "") != value for key, value in values.items()):
        lines = ", ".join(f"{key} = {toml_value(value)}" for key, value in values.items())
        raise InvalidInput(
            f"{paths.config_file} cannot be changed by a program",
            hint=f"put it there yourself, into [{section}]: {lines}",
        )
    if changed != text:
        write_file(paths.config_file, changed, replace=True)


def with_keys(text: str, section: str, values: Mapping[str, object]) -> str:
    """Return the text of a file with these keys in a section, which is made where it is missing."""
    lines = text.splitlines()
    begin = next((at for at, line in enumerate(lines) if _name(line) == section), None)
    if begin is None:
        begin = len(lines) + bool(lines)
        lines += [*([""] if lines else []), f"[{section}]"]
    end = next((at for at in range(begin + 1, len(lines)) if _name(lines[at])), len(lines))
    inside = [line for line in lines[begin + 1 : end] if _key(line) not in values]
    new = [f"{key} = {toml_value(value)}" for key, value in values.items() if value != ""]
    return "\n".join([*lines[: begin + 1], *new, *inside, *lines[end:]]) + "\n"


def _name(line: str) -> str:
    match = _HEADER.fullmatch(line)
    return match[1].strip() if match else ""


def _key(line: str) -> str:
    return line.partition("=")[0].strip()
