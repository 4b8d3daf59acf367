"""The user's configuration file, and what else lies beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.paths import Paths

SEVENTH = '# 1\n# 2\n[sandbox]\nmemory = "8g"\ncpus = 1.5\n\npids = "many"\n'
"""With a mistake in line 7."""


@pytest.fixture
def file(paths: Paths) -> Path:
    paths.config.mkdir(parents=True, mode=0o700)
    return paths.config_file


def leftovers(file: Path) -> list[str]:
    return sorted(path.name for path in file.parent.iterdir())
