"""Files that a person drops onto a terminal, which then pastes their paths. Pure but for a look."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LONGEST = 8_192
_MOST = 20


def dropped_paths(text: str) -> list[str]:
    """Return the paths that a pasted text is made of; none where any word of it is something else.

    Terminals write them in quotes, with backslashes, or as `file:` addresses.
    """
    if len(text) > _LONGEST or not text.strip().startswith(("/", "'/", '"/', "file:///")):
        return []
    try:
        words = shlex.split(text)
    except ValueError:
        return []
    paths = [_path(word) for word in words]
    return paths if len(paths) <= _MOST and all(map(_is_there, paths)) else []


def mention(path: str) -> str:
    """Return how a path stands in what the person writes."""
    return f'@"{path}"' if " " in path else f"@{path}"


def mentioned(text: str, paths: Iterable[str]) -> list[str]:
    """Return those of some paths that a text still mentions, in its order."""
    found = {path: text.find(mention(path)) for path in paths}
    return sorted((path for path, at in found.items() if at >= 0), key=lambda path: found[path])


def by_name(text: str, paths: Iterable[str]) -> str:
    """Return a text in which the names of files stand for their paths, which no sandbox has."""
    for path in sorted(paths, key=len, reverse=True):
        text = text.replace(mention(path), Path(path).name or "/")
    return text


def _path(word: str) -> str:
    if word.startswith("file://"):
        return unquote(urlsplit(word).path)
    return word


def _is_there(path: str) -> bool:
    try:
        return path.startswith("/") and Path(path).exists()
    except (OSError, ValueError):
        return False
