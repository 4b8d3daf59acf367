"""Import of the `config.json` of claude-task.

No secret is taken over: a token is only mentioned.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ctui.config.model import Key, known_keys
from ctui.config.problems import value_problem
from ctui.errors import InvalidInput
from ctui.text import one_line

_DEFAULT_IMAGE = "ghcr.io/onegrep/claude-task"

_TAKEN = {
    "paths.branchPrefix": "worktrees.prefix",
    "worktree.defaultOpenCommand": "worktrees.open",
    "worktree.autoCleanOnRemove": "worktrees.delete_branch",
    "docker.imageName": "image.base",
    "claudeUserConfig.userMemoryPath": "claude.memory",
}

_LEFT = {
    "paths.worktreeBaseDir": "worktrees are in ctui's data folder: CTUI_DATA_DIR moves it",
    "paths.taskBaseHomeDir": "each task's home is a volume of its own",
    "docker.volumePrefix": "names of volumes are ctui's own",
    "docker.volumes": "each task has a home of its own, which begins with its environment's caches",
    "docker.containerNamePrefix": "names of containers are ctui's own",
    "docker.defaultWebViewProxyPort": "there is no proxy: `ctui` shows every command live",
    "docker.defaultHtMcpPort": "there is no terminal server: `ctui` shows every command live",
    "docker.environmentVariables": "sandbox.env gives tasks variables, `ctui secret` secrets",
    "claudeUserConfig.configPath": "claude.skills, hooks and others give tasks what you choose",
    "claudeCredentials.token": "secrets are not copied: `ctui setup --token-file -` reads it",
    "globalOptionDefaults.debug": "it is asked for when it is needed: `ctui --debug`",
    "globalOptionDefaults.openEditorAfterCreate": "`ctui worktree open` opens one",
    "globalOptionDefaults.buildImageBeforeRun": "`ctui image build` builds it when it is old",
    "globalOptionDefaults.requireHtMcp": "there is no terminal server: `ctui` shows every command",
    "kubeConfig": "tasks run in containers of this machine's engine",
}
_SECTIONS = frozenset(path.partition(".")[0] for path in (*_TAKEN, *_LEFT))


class Taken(NamedTuple):
    """Value that has a counterpart in ctui's settings."""

    source: str
    """Path in the old file."""
    key: str
    value: Any
    note: str = ""


class Left(NamedTuple):
    """Value that was not taken over. It is never repeated, because it may be a secret."""

    source: str
    reason: str


class Import(NamedTuple):
    """Content of a file, sorted into what was and what was not taken over."""

    taken: list[Taken]
    left: list[Left]


def read_claude_task(text: str) -> Import:
    """Translate a claude-task `config.json` into ctui's settings.

    Raises:
        InvalidInput: it is no JSON object.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"is no JSON: {one_line(str(error))}", hint="name claude-task's config.json"
        ) from error
    if not isinstance(values, dict) or not _SECTIONS & values.keys():
        raise InvalidInput(
            "has nothing of claude-task's settings in it",
            hint="it is ~/.claude-task/config.json, if it was not moved",
        )
    found = Import([], [])
    for path, value in _settings(values):
        result = _one(path, value)
        if isinstance(result, Taken):
            found.taken.append(result)
        elif result is not None:
            found.left.append(result)
    return found


def _settings(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return the values by paths of at most two parts; whatever is deeper is one value."""
    for section, inner in values.items():
        if section in {"version", "taskRunner"} or section in _LEFT:
            yield section, inner
        elif section in _SECTIONS and isinstance(inner, dict):
            yield from ((f"{section}.{name}", value) for name, value in inner.items())
        else:
            yield section, inner


def _one(path: str, value: object) -> Taken | Left | None:
    shown = one_line(path)
    if path == "version" or value is None:
        return None  # there is nothing in it
    if path == "taskRunner":
        return None if value == "docker" else Left(path, _LEFT["kubeConfig"])
    if path in _LEFT:
        return Left(path, _LEFT[path])
    if path not in _TAKEN:
        return Left(shown, "claude-task has no such setting")
    if path == "docker.imageName" and str(value).startswith(_DEFAULT_IMAGE):
        return Left(path, "ctui builds its own image: `ctui image build`")
    key = _key(_TAKEN[path])
    if problem := value_problem(key, value):
        return Left(path, f"{key.path}: {problem.message}")
    note = "ctui's CLI and relay are built on top of it" if key.path == "image.base" else ""
    return Taken(path, key.path, value, note)


def _key(path: str) -> Key:
    return next(key for key in known_keys() if key.path == path)
