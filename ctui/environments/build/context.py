"""The context of a build, taken from the commit and packed as a tar archive for the engine."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ctui.environments.build.glob import is_costly, matcher
from ctui.environments.definition.commit_files import LINK, CommitFiles
from ctui.environments.plan import Plan
from ctui.errors import NotFound, Refused
from ctui.sandbox.docker.toolchain import File, make_tar
from ctui.sandbox.services import ImageBuild
from ctui.text import one_line

_LIMIT = 256 << 20
_IGNORE_LIMIT = 1 << 20
_DOCKERFILE = ".ctui-dockerfile"


class Context(NamedTuple):
    """Files that a build gets."""

    archive: bytes
    dockerfile: str
    """Name of the Dockerfile in the archive."""


def build_context(plan: Plan, build: ImageBuild) -> Context:
    """Return the files of a build's context, without what its `.dockerignore` names.

    Raises:
        NotFound: the commit has no such folder.
        Refused: it is larger than a build needs.
    """
    folder = build.context
    if not plan.files.is_folder(folder):
        raise NotFound(f"the commit has no folder {folder}", hint="mend the build's context")
    prefix = f"{folder}/" if folder else ""
    files: dict[str, File] = {}
    ignores = _ignored(plan.files, prefix)
    left = _LIMIT
    for file in plan.files.below(folder):
        name = file.path.removeprefix(prefix)
        if ignores(name):
            continue
        left -= file.blob.size
        if left < 0:
            raise Refused(
                f"the context {folder or 'of the whole repository'} has more than "
                f"{_LIMIT >> 20} MiB",
                hint="choose a smaller context, or write a .dockerignore",
            )
        content = bytes(file.blob.data)
        if file.mode == LINK:
            files[name] = File(b"", link=content.decode("utf-8", "surrogateescape"))
        else:
            files[name] = File(content, 0o755 if file.mode & 0o100 else 0o644)
    # Last: a file of the commit with that name is not what was read and agreed to.
    files[_DOCKERFILE] = File(plan.dockerfiles[build.dockerfile].encode())
    return Context(make_tar(files), _DOCKERFILE)


def _ignored(files: CommitFiles, prefix: str) -> Callable[[str], bool]:
    from docker.utils.build import PatternMatcher

    text = (files.read(f"{prefix}.dockerignore", _IGNORE_LIMIT) or b"").decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines()]
    rules = [line for line in lines if line and not line.startswith("#")]
    if not rules:
        return lambda _name: False
    found: Any = PatternMatcher(rules)
    for rule in found.patterns:
        if is_costly(rule.cleaned_pattern):
            rule.match = matcher(rule.cleaned_pattern)

    def matches(name: str) -> bool:
        try:
            return bool(found.matches(name))
        except re.error as error:
            raise Refused(
                f"{one_line(prefix)}.dockerignore has a pattern that cannot be read: {error.msg}",
                hint="mend it",
            ) from error

    return matches
