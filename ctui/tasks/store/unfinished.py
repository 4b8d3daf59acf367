"""Things that a task was told and that have not happened yet: the next driver goes on with them."""

from __future__ import annotations

import logging

import msgspec

from ctui.config import Config
from ctui.tasks.database.database import Database

log = logging.getLogger(__name__)


class Unfinished(msgspec.Struct, frozen=True, omit_defaults=True):
    """Business under way for a task. Each default means that there is none."""

    intent: str = ""
    """Reason for which its run is being ended; also where it has none yet."""
    again: bool = False
    """Another run is to begin as soon as this one is over."""
    interrupt: str = ""
    """Id of the request that is to end the turn, until the CLI says that it has it."""
    mode: str = ""
    """Id of the request that is to restore the mode that was chosen, until then."""
    told: tuple[str, ...] = ()
    """Requests to tell the person something that were followed, until the CLI has the reply."""


NOTHING_UNFINISHED = Unfinished()


class UnfinishedTable:
    """A record for each task, kept in the row of that task."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, task_id: str) -> Unfinished:
        """Return what is under way for a task."""
        row = self._database.row("SELECT id, unfinished FROM tasks WHERE id = ?", task_id)
        return NOTHING_UNFINISHED if row is None else _read(row["id"], row["unfinished"])

    def all(self) -> dict[str, Unfinished]:
        """Return the records of all tasks that have something under way, by id."""
        rows = self._database.rows("SELECT id, unfinished FROM tasks WHERE unfinished != ''")
        return {row["id"]: _read(row["id"], row["unfinished"]) for row in rows}

    def save(self, task_id: str, unfinished: Unfinished) -> None:
        """Write what is under way for a task."""
        nothing = unfinished == NOTHING_UNFINISHED
        text = "" if nothing else msgspec.json.encode(unfinished).decode()
        self._database.execute("UPDATE tasks SET unfinished = ? WHERE id = ?", text, task_id)

    def config(self, task_id: str) -> Config | None:
        """Return the settings that the task's last command brought, or None."""
        row = self._database.row("SELECT config FROM tasks WHERE id = ?", task_id)
        if row is None or not row["config"]:
            return None
        try:
            return msgspec.json.decode(row["config"], type=Config)
        except (msgspec.MsgspecError, ValueError) as error:
            # Another version may have other names for them.
            log.warning("the settings of %s are not used any more: %s", task_id, error)
            return None

    def set_config(self, task_id: str, config: Config | None) -> None:
        """Write the settings that a command brought."""
        text = "" if config is None else msgspec.json.encode(config).decode()
        self._database.execute("UPDATE tasks SET config = ? WHERE id = ?", text, task_id)


def _read(task_id: str, text: str) -> Unfinished:
    if not text:
        return NOTHING_UNFINISHED
    try:
        return msgspec.json.decode(text, type=Unfinished)
    except (msgspec.MsgspecError, ValueError) as error:
        log.warning("what was under way for %s cannot be read: %s", task_id, error)
        return NOTHING_UNFINISHED
