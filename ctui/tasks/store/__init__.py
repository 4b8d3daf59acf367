"""The index of tasks, runs, asks, answers and messages, and what a person decided for good.

Everything that is SQL is in here, one table in each file, and nothing that knows an engine.
"""

from __future__ import annotations

from ctui.tasks.database.database import DamagedRow
from ctui.tasks.store.clock import now
from ctui.tasks.store.store import Store
from ctui.tasks.store.unfinished import Unfinished

__all__ = ["DamagedRow", "Store", "Unfinished", "now"]
