"""The limits of a run as numbers, and what to say where one is exceeded."""

from __future__ import annotations

from typing import NamedTuple

from ctui.config import Config, parse_size
from ctui.errors import CtuiError
from ctui.humanize import size_text
from ctui.tasks.disk_usage import Usage
from ctui.tasks.mailbox.ports import Services
from ctui.tasks.mailbox.step import Step
from ctui.tasks.model import Paused
from ctui.tasks.runs.jobs.look import Measured
from ctui.text import one_line


class DiskLimits(NamedTuple):
    """The settings as numbers: bytes, and files of a worktree or home."""

    journal: int
    home: int
    worktree: int
    files: int
    free_space: int


class Over(NamedTuple):
    """A limit that is exceeded."""

    which: Paused
    text: str
    """Sentence that says what is over which setting."""


def limits_of(config: Config) -> DiskLimits:
    """Return the limits of these settings."""
    tasks = config.tasks
    return DiskLimits(
        journal=parse_size(tasks.journal),
        home=parse_size(tasks.home),
        worktree=parse_size(tasks.worktree),
        files=tasks.files,
        free_space=parse_size(tasks.free_space),
    )


def settings_now(services: Services) -> Config:
    """Return the settings; those that cannot be read must not lift a limit."""
    try:
        return services.config()
    except CtuiError:
        return Config()


def space_text(folder: str, setting: str) -> str:
    """Return what to say where a disk has too little left."""
    return f"the disk of {folder} has less than {setting} left (tasks.free_space)"


def known_limits(step: Step) -> DiskLimits:
    """Return the limits that count until the run is measured again."""
    if step.standing.limits is None:
        step.standing.limits = limits_of(_settings(step))
    return step.standing.limits


def exceeded(step: Step, usage: Usage) -> Over | None:
    """Return the first limit that the run is over, or None."""
    limits, view, task = known_limits(step), step.view, step.task
    journal = step.services.journals.of(task.id).size
    sizes: tuple[tuple[Paused, str, int, int], ...] = (
        ("journal", "journal", journal, limits.journal),
        # On the disk as well, with the parts of blocks, which no journal keeps.
        ("journal", "run's log", view.log_bytes, limits.journal),
        ("home", "home", view.home_bytes, limits.home),
        ("worktree", "worktree", usage.bytes, limits.worktree),
    )
    for which, what, size, limit in sizes:
        if size > limit:
            text = f"its {what} takes {size_text(size)}, more than {size_text(limit)}"
            return Over(which, f"{text} (tasks.{which})")
    for name, files in (("home", view.home_files), ("worktree", usage.files)):
        if files > limits.files:
            text = f"its {name} has more than {limits.files} files (tasks.files)"
            return Over("files", text)
    if usage.unmeasured:
        folder = one_line(usage.unmeasured, 100)
        return Over("worktree", f"its worktree has a folder that cannot be measured, {folder}")
    return None


def too_little_space(step: Step, found: Measured) -> Over | None:
    """Return the floor of free space where a disk is below it, or None."""
    if found.free is None or found.free >= known_limits(step).free_space:
        return None
    return Over("space", space_text(found.folder, _settings(step).tasks.free_space))


def _settings(step: Step) -> Config:
    return step.standing.config or settings_now(step.services)
