"""A demo world with a repository, for a client that talks to it over MCP."""

from __future__ import annotations

from ctui.demo.model.script import fenced
from tests.tasks.conftest import person

__all__ = ["person", "scripted"]


def scripted(*steps: str) -> str:
    """A prompt with a script."""
    return "Please.\n" + fenced(*steps)
