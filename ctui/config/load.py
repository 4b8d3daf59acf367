"""The settings in force; defaults, where nobody said anything, without what reads and checks it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ctui.config.model import REPOSITORY_FILE, WEAK_VARIABLES, Config
from ctui.paths import Paths
from ctui.small_file import is_missing


def load_config(
    paths: Paths,
    environ: Mapping[str, str] | None = None,
    repository: Path | None = None,
) -> Config:
    """Read the settings that are in force now.

    Args:
        paths: whose `config_file` is the user's file.
        environ: `CTUI_<SECTION>_<KEY>` for every key, and `ANTHROPIC_BASE_URL`.
        repository: the main checkout, whose `.ctui.toml` may narrow.

    Raises:
        InvalidInput: with the file, the line and the key that is wrong.
        Unavailable: a file cannot be read.
    """
    environ = os.environ if environ is None else environ
    files = [paths.config_file, *([repository / REPOSITORY_FILE] if repository else [])]
    if not _has_setting(environ) and all(map(is_missing, files)):
        return Config()
    from ctui.config.sources import read_config

    return read_config(paths, environ, repository)


def _has_setting(environ: Iterable[str]) -> bool:
    """Return True if a variable may be a key's: all of ctui's own may, but those of folders."""
    folders, weak = Paths.variables(), WEAK_VARIABLES.values()
    return any(
        name in weak or (name.startswith("CTUI_") and name not in folders) for name in environ
    )
