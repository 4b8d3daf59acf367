"""Themes: ctui's own, the person's own, and Textual's. A theme is a TOML file of colours."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from textual.app import App
from textual.color import Color, ColorParseError
from textual.theme import Theme

from ctui.errors import InvalidInput
from ctui.paths import Paths, resource
from ctui.text import one_line

DEFAULT = "ctui-dark"
FALLBACK = "textual-dark"
_COLOURS = ("primary", "secondary", "warning", "error", "success", "accent", "foreground")
_SHARE = re.compile(r"\d{1,3}%")
_GROUNDS = ("background", "surface", "panel", "boost")


class ThemeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a file holds."""

    name: str
    dark: bool
    colours: dict[str, str]
    """`primary`, … as `#rrggbb`; `primary` is needed."""
    variables: dict[str, str] = {}
    """Textual's further variables, by name."""


def find_themes(paths: Paths) -> tuple[list[Theme], list[InvalidInput]]:
    """All themes of files, the person's last, and what is wrong with those that are left out."""
    themes: list[Theme] = []
    problems: list[InvalidInput] = []
    for file in _files(paths):
        try:
            themes.append(read_theme(file))
        except InvalidInput as error:
            problems.append(error)
    return themes, problems


def choose_theme(app: App[Any], paths: Paths, wanted: str) -> list[str]:
    """Give an application its theme, ctui's own where none is wanted; what is wrong with themes.

    To be called before any style is computed: each change of the theme computes all of them anew.
    """
    themes, problems = find_themes(paths)
    for theme in themes:
        app.register_theme(theme)
    complaints = [problem.message for problem in problems]
    wanted = wanted or DEFAULT
    if wanted not in app.available_themes:
        complaints.append(f"there is no theme {one_line(wanted)}")
        wanted = FALLBACK
    app.theme = wanted
    return complaints


def read_theme(file: Path) -> Theme:
    """A theme from its file.

    Raises:
        InvalidInput: with the file and what is wrong in it.
    """
    try:
        found = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), ThemeFile)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InvalidInput(
            f"{file} is no theme: {error}", hint="see docs/configuration.md"
        ) from error
    unknown = set(found.colours) - {*_COLOURS, *_GROUNDS}
    if unknown or "primary" not in found.colours:
        raise InvalidInput(
            f"{file}: {min(unknown)} is no colour of a theme"
            if unknown
            else f"{file}: there is no primary",
            hint=f"the colours are {', '.join((*_COLOURS, *_GROUNDS))}",
        )
    for name, colour in found.colours.items():
        _check(file, name, colour)
    for name, value in found.variables.items():
        if value.startswith("#"):  # else it is a text style, or a name that Textual explains
            _check(file, name, value)
    return Theme(name=found.name, dark=found.dark, variables=dict(found.variables), **found.colours)  # type: ignore[arg-type] # the names were checked


def _check(file: Path, name: str, colour: str) -> None:
    colour, _, share = colour.partition(" ")
    try:
        Color.parse(colour)
        if share and not _SHARE.fullmatch(share):
            raise ColorParseError(share)
    except ColorParseError as error:
        raise InvalidInput(f"{file}: {name} = {colour!r} is no colour", hint="#rrggbb") from error


def _files(paths: Paths) -> Iterator[Path]:
    for folder in (resource("themes"), paths.config / "themes"):
        if folder.is_dir():
            yield from sorted(folder.glob("*.toml"))
