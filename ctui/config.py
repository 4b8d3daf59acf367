"""The person's settings: a TOML file, the environment, and the few keys that a repository may set.

Precedence: command line (applied by the front end), environment, repository file, user file,
defaults. A repository file is untrusted, so only keys that cannot widen anything are read from it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from ctui.errors import InvalidInput, Unavailable
from ctui.paths import Paths
from ctui.small_file import read_small_file
from ctui.text import one_line

PermissionMode = Literal["default", "acceptEdits", "plan", "dontAsk"]
"""What a task may do without asking; bypassing every question is a separate, explicit option."""

REPOSITORY_FILE = ".ctui.toml"
REPOSITORY_KEYS: Mapping[str, frozenset[str]] = {
    "claude": frozenset({"model"}),
    "worktrees": frozenset({"prefix"}),
}
"""Everything that a repository may say about the tasks that work on it."""

_LIMIT = 1 << 18
_REPOSITORY_LIMIT = 1 << 12
"""Bytes of each file; a key of many parts takes tomllib a time that grows with their square."""

_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_BAD_PREFIX = re.compile(r"\.\.|//|/\.|\.lock/|^refs/|^HEAD$")
"""What git-check-ref-format(1) does not allow, or what would be taken for another kind of ref."""

_NETWORK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_SIZE_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class ImageConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What lies underneath the CLI in a task's image: at most one of the two."""

    base: str = ""
    """An image reference, Debian or alike."""
    dockerfile: str = ""
    """A path to the person's own Dockerfile, built first."""


class SandboxConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of each task's container."""

    memory: str = "4g"
    cpus: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    pids: Annotated[int, msgspec.Meta(ge=32)] = 2048
    tmp: str = "2g"
    network: str = "ctui"
    """The engine's network that tasks join; ctui makes it if it is not there."""


class ClaudeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Defaults of new tasks."""

    model: str = ""
    permission_mode: PermissionMode = "default"
    base_url: str = ""
    """Another address of the Messages API, as `ANTHROPIC_BASE_URL` would give it."""
    mcp_config: str | tuple[str, ...] = ()
    """A file of MCP servers that every task gets, or several; beside this file if relative."""
    approval_tool: str = ""
    """`mcp__server__tool`: what decides on the permission asks of new tasks, instead of you."""


class WorktreeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How worktrees are named, opened and removed."""

    prefix: str = "ctui/"
    open: str = ""
    """The program that opens one; `{path}` stands for its folder."""
    delete_branch: bool = False
    """Whether removing a worktree removes its branch too; a restore brings both back."""
    trash_days: Annotated[float, msgspec.Meta(ge=0)] = 30.0
    """Entries of the trash are deleted for good after this long; 0 keeps them for ever."""


class TaskConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the driver runs tasks."""

    idle_minutes: Annotated[float, msgspec.Meta(gt=0)] = 15.0
    """An idle sandbox is put to sleep after this long; the next message wakes it."""
    max_running: Annotated[int, msgspec.Meta(ge=1)] = 16
    """More tasks than this wait in the queue."""


class ScreenConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the dashboard looks."""

    theme: str = ""
    """The name of one of ctui's, Textual's or the person's own themes."""
    bell: bool = True
    """Ring the terminal's bell when a task asks something."""
    ascii: bool = False
    """Show nothing but ASCII: for terminals and fonts without other characters."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set, with its defaults."""

    image: ImageConfig = ImageConfig()
    sandbox: SandboxConfig = SandboxConfig()
    claude: ClaudeConfig = ClaudeConfig()
    worktrees: WorktreeConfig = WorktreeConfig()
    tasks: TaskConfig = TaskConfig()
    screen: ScreenConfig = ScreenConfig()
    keys: dict[str, str] = {}
    """The id of a key's binding -> the keys that do it instead, such as `new-task = "ctrl+n"`."""


def load_config(
    paths: Paths,
    environ: Mapping[str, str] | None = None,
    repository: Path | None = None,
) -> Config:
    """Read the settings that hold now.

    Args:
        paths: whose `config_file` is the user's file.
        environ: `CTUI_<SECTION>_<KEY>` for every key, and `ANTHROPIC_BASE_URL`.
        repository: the main checkout, whose `.ctui.toml` may narrow.

    Raises:
        InvalidInput: with the file and the path of the key that is wrong.
    """
    environ = os.environ if environ is None else environ
    user = _read(paths.config_file, _LIMIT)
    _convert(user, str(paths.config_file))
    if "ANTHROPIC_BASE_URL" in environ:
        user.setdefault("claude", {}).setdefault("base_url", environ["ANTHROPIC_BASE_URL"])
    if repository is not None:
        for section, values in _harmless(repository / REPOSITORY_FILE).items():
            user.setdefault(section, {}).update(values)
    for section, key, value in _from_environment(environ):
        user.setdefault(section, {})[key] = value
    return _convert(user, "the environment (CTUI_…)")


def parse_size(text: str) -> int:
    """Bytes of a size such as `512m`, `4g` or `2GiB` (powers of 1024, as the engine counts)."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(f"{text!r} is not a size", hint="write it like 512m or 4g")
    return int(float(match.group(1)) * _SIZE_UNITS[match.group(2).lower()])


def _read(path: Path, limit: int) -> dict[str, Any]:
    try:
        return tomllib.loads(read_small_file(path, limit).decode())
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(
            f"{path} is not TOML: {one_line(str(error))}", hint="mend the line it names"
        ) from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error


def _convert(values: dict[str, Any], source: str) -> Config:
    try:
        config = msgspec.convert(values, Config, strict=False)
        parse_size(config.sandbox.memory)
        parse_size(config.sandbox.tmp)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"{source}: {one_line(str(error), 200)}", hint="mend or remove that key"
        ) from error
    _check(config, source)
    if config.image.base and config.image.dockerfile:
        raise InvalidInput(
            f"{source}: image.base and image.dockerfile exclude each other", hint="keep one of them"
        )
    return config


def _check(config: Config, source: str) -> None:
    """Values of the right type that would still do harm."""
    prefix, network, url = (
        config.worktrees.prefix,
        config.sandbox.network,
        config.claude.base_url,
    )
    if prefix and (not _PREFIX.fullmatch(prefix) or _BAD_PREFIX.search(prefix)):
        raise InvalidInput(
            f"{source}: worktrees.prefix {one_line(repr(prefix))} cannot begin a branch's name",
            hint="write it like ctui/",
        )
    if network in {"host", "none", "default"} or not _NETWORK.fullmatch(network):
        raise InvalidInput(
            f"{source}: sandbox.network {one_line(repr(network))} cannot be used",
            hint="name a network of your own: the host's would not seal a task off",
        )
    if url and not url.startswith(("http://", "https://")):
        raise InvalidInput(
            f"{source}: claude.base_url {one_line(repr(url))} is no web address",
            hint="it begins with https:// or http://",
        )


def _harmless(path: Path) -> dict[str, dict[str, Any]]:
    if path.is_symlink() or not path.is_file():
        return {}
    found: dict[str, dict[str, Any]] = {}
    for section, values in _read(path, _REPOSITORY_LIMIT).items():
        allowed = REPOSITORY_KEYS.get(section, frozenset())
        if not isinstance(values, dict) or not set(values) <= allowed:
            raise InvalidInput(
                f"{path}: a repository may only set "
                + ", ".join(
                    f"{name}.{key}" for name, keys in REPOSITORY_KEYS.items() for key in keys
                ),
                hint=f"remove the rest of [{one_line(section)}]",
            )
        found[section] = values
    return found


def _from_environment(environ: Mapping[str, str]) -> list[tuple[str, str, str]]:
    return [
        (section.name, key.name, environ[name])
        for section in msgspec.structs.fields(Config)
        if isinstance(section.type, type) and issubclass(section.type, msgspec.Struct)
        for key in msgspec.structs.fields(section.type)
        if (name := f"CTUI_{section.name}_{key.name}".upper()) in environ
    ]
