"""Names of variables that a repository may not set."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ctui.config.variables import NAME, steers

_PROXY = re.compile(r"(http|https|ftp|no|all)_proxy", re.IGNORECASE)
"""Arguments that every Dockerfile has."""
BREAKS = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
"""Characters that end an instruction of an image, or that it cannot have."""


def name_problem(name: str) -> str:
    """Return why a repository may not set a variable of this name, or ""."""
    if not NAME.fullmatch(name):
        return "it is no name of a variable"
    if steers(name):
        return "it steers the loader, the CLI, git or where the task's traffic goes"
    return ""


def text_values(value: object) -> dict[str, str] | None:
    """Return a table of variables as texts of one line each, or None if it is no such table.

    A null in it stands for no variable.
    """
    if not isinstance(value, dict):
        return None
    found = {}
    for name, one in value.items():
        if one is None:
            continue
        if isinstance(one, bool):
            found[str(name)] = str(one).lower()
        elif isinstance(one, str | int | float) and not BREAKS.search(str(one)):
            found[str(name)] = str(one)
        else:
            return None
    return found


def allowed(values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables that count, and the names of the others with the reason."""
    refused = {name: why for name in values if (why := name_problem(name))}
    return {name: value for name, value in values.items() if name not in refused}, refused


def build_arguments(values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the arguments of a build that count, and the names of the others with the reason."""
    refused = {}
    for name in values:
        if _PROXY.fullmatch(name):
            refused[name] = (
                "the engine's cache does not see it: other repositories' builds would have it"
            )
        elif not NAME.fullmatch(name):
            refused[name] = "it is no name of a variable"
    return {name: value for name, value in values.items() if name not in refused}, refused
