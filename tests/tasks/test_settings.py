"""The driver's own settings, as their file is now."""

from __future__ import annotations

from ctui.paths import Paths
from ctui.tasks.settings import Settings


def write(paths: Paths, text: str) -> None:
    paths.config_file.parent.mkdir(parents=True, exist_ok=True)
    paths.config_file.write_text(text)


def test_a_change_counts_at_once(paths: Paths) -> None:
    write(paths, '[tasks]\nhome = "1m"\n')
    settings = Settings(paths)
    assert settings().tasks.home == "1m"
    write(paths, '[tasks]\nhome = "10m"\n')
    assert settings().tasks.home == "10m"
    assert settings() is settings()


def test_a_mistake_leaves_them_as_they_were(paths: Paths) -> None:
    write(paths, '[tasks]\nhome = "1m"\n')
    settings = Settings(paths)
    write(paths, "[tasks]\nhome = [\n")
    assert settings().tasks.home == "1m"
    paths.config_file.unlink()
    assert settings().tasks.home == "10g"
