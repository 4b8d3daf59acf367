"""The ends of the logs of a task's services, which stay when the services go."""

from __future__ import annotations

from pathlib import Path

from ctui.files import replace_file
from ctui.paths import Paths, private_folder
from ctui.redaction.redactor import Redactor
from ctui.small_file import read_small_file

_LIMIT = 1 << 20
_FOLDER = "services"


class ServiceLogs:
    """The files of all tasks, one for each service; the last one of a name counts."""

    def __init__(self, paths: Paths, redactor: Redactor) -> None:
        self._paths = paths
        self._redactor = redactor

    def keep(self, task: str, service: str, data: bytes) -> None:
        """Write the end of a service's log, without secrets.

        Raises:
            OSError, CtuiError: it cannot be written.
        """
        if self._paths.task(task).is_dir():
            file = _file(self._paths, task, service)
            private_folder(file.parent)
            replace_file(file, self._redactor.redact(data))


def kept_service_log(paths: Paths, task: str, service: str) -> bytes | None:
    """Return the end of a service's last log, or None if none is kept."""
    try:
        return read_small_file(_file(paths, task, service), _LIMIT)
    except OSError:
        return None


def _file(paths: Paths, task: str, service: str) -> Path:
    return paths.task(task) / _FOLDER / f"{service}.log"
