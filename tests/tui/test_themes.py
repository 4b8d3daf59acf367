"""Themes are files, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.errors import InvalidInput
from ctui.paths import Paths
from ctui.tui.themes import DEFAULT, find_themes, read_theme

GOOD = 'name = "mine"\ndark = true\n[colours]\nprimary = "#123456"\n'


def test_ctui_brings_a_dark_and_a_light_one(paths: Paths) -> None:
    themes, problems = find_themes(paths)
    assert problems == []
    assert {theme.name: theme.dark for theme in themes} == {DEFAULT: True, "ctui-light": False}


def test_a_person_s_own_theme_is_found(paths: Paths) -> None:
    folder = paths.config / "themes"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text(GOOD)
    (folder / "broken.toml").write_text("nonsense")
    themes, (problem,) = find_themes(paths)
    assert "mine" in {theme.name for theme in themes}
    assert "broken.toml" in problem.message


@pytest.mark.parametrize(
    "change",
    [
        ('"#123456"', '"no colour"'),
        ("primary", "primry"),
        ("dark = true", ""),
        ("[colours]", "[colors]"),
        ("dark = true", "dark = true\nextra = 1"),
        ('"#123456"\n', '"#123456"\n[variables]\nborder = "#xyz"\n'),
    ],
)
def test_what_is_wrong_in_a_theme_is_said(tmp_path: Path, change: tuple[str, str]) -> None:
    file = tmp_path / "theme.toml"
    file.write_text(GOOD.replace(*change))
    with pytest.raises(InvalidInput, match=r"theme\.toml"):
        read_theme(file)
