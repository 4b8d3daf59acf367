"""The tables of one SQLite file.

Only the driver writes the task tables. Front ends open it to read, to keep the records of the
worktrees that they made, to revoke grants and to write rules of hosts. A commit survives `kill -9`
of any process.

A power cut takes no command that was answered: a front end syncs each commit, and the driver those
that answer one (`Step.reply`) and, before a sandbox and its log go away, all that were before. It
may take the driver's last other commits, on how far a run is: the next driver reads that anew from
the engine's log, as far as the log itself was on the disk.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path

from ctui.tasks.database.database import DamagedRow
from ctui.tasks.database.worktree_index import WorktreeIndex
from ctui.tasks.model import AskState
from ctui.tasks.store.asks import AskTable
from ctui.tasks.store.grants import GrantTable
from ctui.tasks.store.host_rules import HostRuleTable
from ctui.tasks.store.messages import MessageTable
from ctui.tasks.store.orphans import quarantine_orphans, quarantined_places
from ctui.tasks.store.runs import RunTable
from ctui.tasks.store.salvage import salvage
from ctui.tasks.store.tasks import TaskTable
from ctui.tasks.store.trust import TrustTable
from ctui.tasks.store.turns import TurnTable
from ctui.tasks.store.unfinished import UnfinishedTable
from ctui.tasks.store.variables import VariableTable

log = logging.getLogger(__name__)


class Store(WorktreeIndex):
    """One connection, used from one thread, and a table for each kind of record."""

    def __init__(self, path: Path | str, *, busy_seconds: float = 10.0) -> None:
        """Open the store and bring it to the newest version; see `WorktreeIndex`."""
        super().__init__(path, busy_seconds=busy_seconds)
        database = self._database
        self.tasks = TaskTable(database)
        self.unfinished = UnfinishedTable(database)
        self.variables = VariableTable(database)
        self.runs = RunTable(database)
        self.asks = AskTable(database)
        self.messages = MessageTable(database)
        self.turns = TurnTable(database)
        self.grants = GrantTable(database)
        self.host_rules = HostRuleTable(database)
        self.trust = TrustTable(database)

    def damaged(self) -> list[DamagedRow]:
        """Return the rows that were skipped since it was opened, because they cannot be read."""
        return self._database.damaged()

    def quarantine_orphans(self) -> list[DamagedRow]:
        """Set aside the rows whose task is missing, and return them."""
        return quarantine_orphans(self._database)

    def quarantined_places(self) -> dict[str, str]:
        """Return where tasks work whose record could not be read, by id."""
        return quarantined_places(self._database)

    def salvage(
        self, source: Path, *, only_tasks: Collection[str] | None = None
    ) -> list[DamagedRow]:
        """Copy every readable row of a damaged file into this one; see `salvage`."""
        return salvage(source, self._database, only_tasks=only_tasks)

    def never_wait(self) -> None:
        """Wait neither for another process nor for the disk, from now on.

        A locked store raises StoreLocked at once, and only what `sync` follows survives a power
        cut.
        """
        self._database.never_wait()

    def sync(self) -> None:
        """Have all commits survive a power cut. Any thread may call it.

        A disk that cannot do that is logged: what was committed is in the store all the same.
        """
        try:
            self._database.sync()
        except OSError as error:
            log.warning("a power cut would take what was stored last: %s", error)

    def check(self) -> list[DamagedRow]:
        """Read everything that is in it, and return what is damaged.

        Raises:
            StoreUnavailable: it is locked, or cannot be written.
            StoreDamaged: the file itself is damaged.
        """
        database = self._database
        self.check_writable()
        row = database.row("PRAGMA quick_check(1)")
        if row is None or row[0] != "ok":
            raise database.damage(str(row[0] if row else "").splitlines()[-1])
        for removed in (False, True):
            for task in self.tasks.list(removed=removed):
                self.runs.of(task.id)
                self.messages.of(task.id)
                self.turns.of(task.id)
        self.asks.list(*AskState)
        self.grants.of()
        self.host_rules.all()
        self.trust.list()
        self.runs.open()
        return self.damaged()
