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
from ctui.git.process.version import git_version
from ctui.text import one_line

if TYPE_CHECKING:
    import pygit2

_BY_THEMSELVES = ("noop", "objectformat", "preciousobjects", "relativeworktrees", "worktreeconfig")
"""Extensions that libgit2 knows."""

_HARMLESS = ("noop-v1", "partialclone")
"""Extensions that it need not know: git looks for the objects that a partial clone lacks."""

_CHECKED = ("refstorage",)
"""Extensions with a check of their own."""

_GIT_SINCE = {"relativeworktrees": (2, 48)}
"""Extensions that a git which is new enough for ctui may not know."""

_PREFIX = "extensions."


@functools.cache
def allow_harmless() -> None:
    """Let libgit2 open repositories with extensions that change nothing for it."""
    import pygit2

    pygit2.settings.set_extensions(list(_HARMLESS))


def refuse_unknown(common_dir: Path, config: pygit2.Config) -> None:
    """Refuse a repository with an extension that this machine does not know, named as it is set.

    Args:
        common_dir: whose configuration it is.
        config: that alone.
    """
    known = {*_BY_THEMSELVES, *_HARMLESS, *_CHECKED}
    found = dict(_extensions(config))
    for name, since in _GIT_SINCE.items():
        if name in found and git_version() < since:
            here, wanted = (".".join(map(str, version)) for version in (git_version(), since))
            raise Refused(
                f"{common_dir} has extensions.{name}, which git {here} does not know",
                hint=f"install git {wanted} or newer",
            )
    unknown = [f"{name} = {value}" for name, value in found.items() if name not in known]
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
