"""Extensions of a repository's format: those that are harmless, and those that are not known.

Git refuses a repository with an extension that it does not know (gitrepository-layout(5)), and so
does libgit2, which knows fewer, and does not say what to do.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.errors import Refused
from ctui.text import one_line

if TYPE_CHECKING:
    import pygit2

_BY_THEMSELVES = ("noop", "objectformat", "preciousobjects", "relativeworktrees", "worktreeconfig")
"""Extensions that libgit2 knows."""

_HARMLESS = ("noop-v1", "partialclone")
"""Extensions that it need not know: git looks for the objects that a partial clone lacks."""

_CHECKED = ("refstorage",)
"""Extensions with a check of their own."""

_PREFIX = "extensions."


@functools.cache
def allow_harmless() -> None:
    """Let libgit2 open repositories with extensions that change nothing for it."""
    import pygit2

    pygit2.settings.set_extensions(list(_HARMLESS))


def refuse_unknown(common_dir: Path, config: pygit2.Config) -> None:
    """Refuse a repository with an extension that nothing here knows, and name it as it is set.

    Args:
        common_dir: whose configuration it is.
        config: that alone.
    """
    known = {*_BY_THEMSELVES, *_HARMLESS, *_CHECKED}
    unknown = [f"{name} = {value}" for name, value in _extensions(config) if name not in known]
    if unknown:
        names = ", ".join(one_line(f"{_PREFIX}{text}", 80) for text in sorted(unknown)[:3])
        raise Refused(
            f"{common_dir} has an extension that ctui does not know: {names}",
            hint=f"work in a clone of it, which has none: git clone {common_dir}",
        )


def _extensions(config: pygit2.Config) -> Iterator[tuple[str, str]]:
    try:
        if config.get_int("core.repositoryformatversion") < 1:
            return  # then git does not look at them
    except (KeyError, ValueError):
        return
    for entry in config:
        if entry.name.startswith(_PREFIX):
            yield entry.name.removeprefix(_PREFIX), str(entry.value)
