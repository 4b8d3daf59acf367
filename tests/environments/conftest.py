"""A person with a world of their own, as the tests of tasks have one."""

from __future__ import annotations

from tests.tasks.conftest import person

__all__ = ["person"]
