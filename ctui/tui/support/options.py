"""How the dashboard is to look and behave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ctui.config import ClaudeConfig


class ScreenOptions(NamedTuple):
    """What was configured, as far as the dashboard needs it."""

    defaults: ClaudeConfig
    """The model and permission mode of new tasks."""
    scripted: bool = False
    """Whether the model is the demo's."""
    bell: bool = True
    """Whether the terminal's bell rings when a task asks."""
    delete_branches: bool = False
    """Whether removing a worktree removes its branch too."""
    isolated: bool = False
    """Whether every new task is isolated."""
    keys: Mapping[str, str] = {}
    """The id of a binding -> the keys that do it instead."""
