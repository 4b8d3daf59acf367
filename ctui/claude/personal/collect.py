"""Memory, skills, agents, hooks and the like of the person's own, for tasks.

The person names it in the settings. It is copied beside a task's managed settings, where the task
can read it and nothing can change it; the CLI takes all of it from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ctui.claude.personal.hooks import Hooks, merged, outside_paths, read_hooks
from ctui.claude.personal.reading import Folder, Given, found_files, read_text_file
from ctui.config import ClaudeConfig
from ctui.errors import InvalidInput
from ctui.text import one_line

_SHOWN = 12
_KINDS = {
    "agents": ("agents", "agents"),
    "commands": ("commands", "commands"),
    "output_styles": ("output-styles", "output styles"),
}
"""Key of the settings -> the CLI's folder below `.claude`, and its name in words."""


class ManagedFile(NamedTuple):
    """A file beside a task's managed settings."""

    content: bytes
    mode: int = 0o644


class Personal(NamedTuple):
    """Everything that a task is given of the person's own."""

    files: dict[str, ManagedFile]
    """Path below the folder of managed settings -> file."""
    memory: str
    hooks: Hooks
    style: str
    """Name of the output style that counts; "" is the CLI's own."""
    said: tuple[str, ...]
    """The names of it, a line for each kind."""
    left_out: tuple[str, ...]
    """A line for each thing that a task does not get, with the reason."""


NOTHING = Personal({}, "", {}, "", (), ())

_KEYS = ("memory", "skills", *_KINDS, "hooks", "output_style")


def names_something(config: ClaudeConfig) -> bool:
    """Return True if the settings name anything of the person's own."""
    return any(getattr(config, key) for key in _KEYS)


def collect(config: ClaudeConfig, folder: Path, managed: str) -> Personal:
    """Read what the settings name.

    Args:
        config: the settings.
        folder: of the file of settings: relative paths begin there.
        managed: the folder of managed settings in the sandbox.

    Raises:
        InvalidInput: something is missing, a link, too large, or not what it should be.
        Unavailable: it cannot be read.
    """
    given = Given(folder)
    memories = given.paths("memory", config.memory)
    memory = [read_text_file("memory", path) for path in memories]
    said = [_line("memory", [str(path) for path in memories])]
    said.append(_line("skills", _skills(given, config.skills)))
    for key, (place, words) in _KINDS.items():
        names = []
        for file in found_files(given, key, getattr(config, key), suffix=".md"):
            given.add(key, f".claude/{place}/{file.name}", file)
            names.append(file.name.removesuffix(".md"))
        said.append(_line(words, names))
    hooks = _hooks(given, config.hooks, managed)
    said.append(_line("hooks", list(hooks)))
    if config.output_style:
        said.append(f"output style {one_line(config.output_style, 60)}")
    files = {name: ManagedFile(data, mode) for name, (data, mode) in given.files.items()}
    return Personal(
        files=files,
        memory="\n\n".join(memory),
        hooks=hooks,
        style=config.output_style,
        said=tuple(line for line in said if line),
        left_out=tuple(given.left_out),
    )


def _line(kind: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return one_line(f"{kind} {', '.join(names[:_SHOWN])}{more}", 400)


def _skills(given: Given, value: str | tuple[str, ...]) -> list[str]:
    """Add folders of skills; return the skills' names."""
    names: list[str] = []
    for path in given.paths("skills", value):
        top = Folder.at("skills", path)
        single = top.has("SKILL.md")
        skills = [(path.name, top)] if single else [*_skills_in(given, top)]
        if not skills:
            raise InvalidInput(
                f"claude.skills: {path} has no skill in it",
                hint="a skill is a folder with a SKILL.md",
            )
        for name, folder in skills:
            for file in folder.files(given.left_out):
                given.add("skills", f".claude/skills/{name}/{file.name}", file)
            names.append(name)
    return names


def _skills_in(given: Given, top: Folder) -> Iterator[tuple[str, Folder]]:
    for inner in top.folders(given.left_out):
        if inner.has("SKILL.md"):
            yield inner.path.name, inner


def _hooks(given: Given, value: str | tuple[str, ...], managed: str) -> Hooks:
    """Return the hooks of files, which may run what is in the folders that are named with them."""
    paths = given.paths("hooks", value)
    folders = [path for path in paths if path.is_dir()]
    inside: dict[str, str] = {}
    for path in folders:
        inside[str(path)] = f"{managed}/hooks/{path.name}"
        for file in Folder.at("hooks", path).files(given.left_out):
            given.add("hooks", f"hooks/{path.name}/{file.name}", file)
    hooks: Hooks = {}
    for path in paths:
        if path not in folders:
            text = read_text_file("hooks", path).encode()
            hooks = merged(hooks, read_hooks(str(path), text, inside))
    given.left_out += [
        f"what a hook runs is not in the sandbox: {one_line(command, 100)} "
        "(name its folder in claude.hooks too)"
        for command in outside_paths(hooks)
    ]
    if inside and not hooks:
        raise InvalidInput(
            "claude.hooks: there are folders, but no file that says when something of them runs",
            hint='name a settings.json with "hooks" too',
        )
    return hooks
