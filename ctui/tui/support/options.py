"""Options for the look and the behaviour of the dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ctui.config import ClaudeConfig


class ScreenOptions(NamedTuple):
    """Settings that the dashboard needs."""

    defaults: ClaudeConfig
    """The model and permission mode of new tasks."""
    scripted: bool = False
    """True if the model is the demo's."""
    bell: bool = True
    """True if the terminal's bell rings when a task asks."""
    notify: bool = True
    """True if the desktop is told what happens while nobody looks."""
    delete_branches: bool = False
    """True if removing a worktree removes its branch too."""
    isolated: bool = False
    """True if every new task is isolated."""
    keys: Mapping[str, str] = {}
    """The id of a binding -> the keys that do it instead."""
