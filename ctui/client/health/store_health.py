"""The state folder and its store, looked at as closely as `ctui doctor` does."""

from __future__ import annotations

import os
import tempfile
from contextlib import closing

from ctui.errors import StoreDamaged, StoreUnavailable
from ctui.paths import Paths, private_folder, refuse_network_file_system
from ctui.tasks.lost import lost_tasks
from ctui.tasks.store import DamagedRow, Store
from ctui.text import one_line

_PROBE_BYTES = 1 << 16
_BUSY_SECONDS = 1.0
_NAMED = 3

REPAIR = "`ctui doctor --repair`"


def check_state(paths: Paths) -> None:
    """Look at everything, from the folder to the last row.

    Raises:
        CtuiError: the first thing that is wrong, and the command that leads out.
    """
    private_folder(paths.state)
    refuse_network_file_system(paths.state)
    _check_space(paths)
    with closing(Store(paths.database, busy_seconds=_BUSY_SECONDS)) as store:
        if damaged := store.check():
            raise StoreDamaged(
                f"the store has records that cannot be used: {_rows(damaged)}",
                hint=f"{REPAIR} rebuilds or sets them aside",
            )
        if lost := lost_tasks(paths, store.tasks.ids()):
            raise StoreDamaged(
                f"the store has lost tasks whose folders are there: {_some(lost)}",
                hint=f"{REPAIR} adopts them",
            )


def _check_space(paths: Paths) -> None:
    """Write as much as a few lines of a task take."""
    try:
        with tempfile.TemporaryFile(dir=paths.state) as file:
            file.write(os.urandom(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreUnavailable(
            f"nothing can be written into {paths.state}: {error.strerror}",
            hint=f"`df -h {paths.state}`; free some space, or make it writable",
        ) from error


def _rows(damaged: list[DamagedRow]) -> str:
    return _some([f"{row.table} {row.key}" for row in damaged])


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return one_line(", ".join(names[:_NAMED])) + more
