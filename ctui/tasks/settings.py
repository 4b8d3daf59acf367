"""The driver's own settings, read again when their file changes."""

from __future__ import annotations

import logging

from ctui.config import Config, load_config
from ctui.errors import CtuiError
from ctui.paths import Paths
from ctui.tasks.network.rules import policy_of

log = logging.getLogger(__name__)


class Settings:
    """The newest settings without a mistake: one in the file stops no task."""

    def __init__(self, paths: Paths) -> None:
        """Read the file. Raises InvalidInput if it has a mistake."""
        self._paths = paths
        self._stamp = self._file()
        self._config = _loaded(paths)

    def __call__(self) -> Config:
        """Return the settings as they are now; where nothing changed that is one look at a file."""
        stamp = self._file()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._config = _loaded(self._paths)
            except CtuiError as error:
                log.warning("the settings stay as they were: %s", error.one_line())
        return self._config

    def _file(self) -> tuple[int, int] | None:
        try:
            status = self._paths.config_file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size


def _loaded(paths: Paths) -> Config:
    """Return the settings, of which the hosts that tasks reach can be read as well."""
    config = load_config(paths)
    policy_of(config, ())
    return config
