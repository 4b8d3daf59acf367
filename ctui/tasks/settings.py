"""The driver's own settings, read again when their file changes."""

from __future__ import annotations

import logging
import time

from ctui.config import Config, load_config
from ctui.errors import CtuiError
from ctui.paths import Paths

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0


class Settings:
    """The newest settings without a mistake: one in the file stops no task."""

    def __init__(self, paths: Paths) -> None:
        """Read the file. Raises InvalidInput if it has a mistake."""
        self._paths = paths
        self._config = load_config(paths)
        self._stamp = self._file()
        self._looked = time.monotonic()

    def __call__(self) -> Config:
        """Return the settings as they are now; the file is looked at once a second at most."""
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            stamp = self._file()
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._config = load_config(self._paths)
                except CtuiError as error:
                    log.warning("the settings stay as they were: %s", error.one_line())
        return self._config

    def _file(self) -> tuple[int, int] | None:
        try:
            status = self._paths.config_file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size
