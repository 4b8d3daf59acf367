"""Themes are files, and a wrong one is named."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from ctui.errors import InvalidInput
from ctui.paths import Paths
from ctui.tui.support.themes import DEFAULT, FALLBACK, choose_theme, find_themes, read_theme
from tests.tui.test_snapshots import SCREENS, Still

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
        ('"#123456"', '"#123456 50%"'),
        ('"#123456"', '"transparent"'),
        ("mine", "[/boom] [red]x"),
        ("mine", "x" * 41),
        ("primary", r'"\u001b]0;x\u0007"'),
        ("primary", "[" * 2000),
        ("mine", "x" * (1 << 14)),
    ],
)
def test_what_is_wrong_in_a_theme_is_said(tmp_path: Path, change: tuple[str, str]) -> None:
    file = tmp_path / "theme.toml"
    file.write_text(GOOD.replace(*change))
    with pytest.raises(InvalidInput, match=r"theme\.toml"):
        read_theme(file)


@pytest.mark.parametrize(
    "variable",
    [
        'border = "#xyz"',
        'border = "nonsense"',
        'border = ""',
        'border = "red; color: red"',
        'border = "red }"',
        'border = "#fff 35% 35%"',
        'border = "auto 50%"',
        'border = "$primary"',
        'foreground = "#fff 50%"',
        'background-darken-1 = "#fff 50%"',
        'link-style-hover = "#fff"',
        'block-cursor-text-style = "wobbly"',
        'brder = "#fff"',
        r'border = "\u001b[31m"',
        r'"\u001b[31m" = "#fff"',
    ],
)
def test_a_variable_that_no_style_sheet_could_use_is_said(tmp_path: Path, variable: str) -> None:
    file = tmp_path / "theme.toml"
    file.write_text(f"{GOOD}[variables]\n{variable}\n")
    with pytest.raises(InvalidInput, match=r"theme\.toml") as caught:
        read_theme(file)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("value", ["#aabbccdd", "rgb(1, 2, 3)", "transparent"])
async def test_a_theme_that_is_read_can_be_used(tmp_path: Path, value: str) -> None:
    """Every variable at once, on every screen that ctui has."""
    file = tmp_path / "theme.toml"
    file.write_text(GOOD)
    lines = []
    for name, usual in read_theme(file).to_color_system().generate().items():
        for made in (f"{value} 35%", value, usual):
            file.write_text(f'{GOOD}[variables]\n{name} = "{made}"\n')
            with suppress(InvalidInput):
                read_theme(file)
                lines.append(f'{name} = "{made}"\n')
                break
    assert len(lines) > 100
    file.write_text(f"{GOOD}[variables]\n{''.join(lines)}")
    app = Still()
    app.register_theme(read_theme(file))
    async with app.run_test() as pilot:
        app.theme = "mine"
        for make in SCREENS.values():
            await app.push_screen(make(app))
            await pilot.pause()
        assert app.current_theme.name == "mine"


def test_a_fifo_is_no_theme_and_is_not_waited_for(paths: Paths) -> None:
    folder = paths.config / "themes"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "a\x1b[31m.toml")
    _, (problem,) = find_themes(paths)
    assert "no regular file" in problem.message
    assert problem.message.isprintable()


def test_a_theme_that_is_wanted_and_not_there_is_said_in_one_line(paths: Paths) -> None:
    app = Still()
    (complaint,) = choose_theme(app, paths, "\x1b[31m\nx")
    assert complaint.isprintable()
    assert app.theme == FALLBACK
