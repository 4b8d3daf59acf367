"""Themes: ctui's own, the person's own, and Textual's. A theme is a TOML file of colours."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from textual.app import App
from textual.color import Color, ColorParseError
from textual.css.constants import VALID_STYLE_FLAGS
from textual.theme import Theme

from ctui.errors import InvalidInput
from ctui.paths import Paths, resource
from ctui.small_file import read_small_file
from ctui.text import one_line

DEFAULT = "ctui-dark"
FALLBACK = "textual-dark"
_COLOURS = ("primary", "secondary", "warning", "error", "success", "accent", "foreground")
_GROUNDS = ("background", "surface", "panel", "boost")
_NAME = re.compile(r"[\w. -]{1,40}")
_COLOUR = re.compile(r"(.+?)( \d{1,3}%)?")
_LIMIT = 1 << 14
_WIDTH = 200


class ThemeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of a file."""

    name: str
    dark: bool
    colours: dict[str, str]
    """`primary`, … as `#rrggbb`; `primary` is needed."""
    variables: dict[str, str] = {}
    """Textual's further variables, by name."""


class _WrongTheme(Exception):
    """Error in a theme, in words of its file."""


_WRONG = (
    UnicodeDecodeError,
    tomllib.TOMLDecodeError,
    RecursionError,
    msgspec.ValidationError,
    ColorParseError,
    _WrongTheme,
)


def find_themes(paths: Paths) -> tuple[list[Theme], list[InvalidInput]]:
    """Return all themes of files, the person's last, and what is wrong with those left out."""
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
    """Return the theme of a file, one that no part of the screen stumbles over.

    Raises:
        InvalidInput: with the file and what is wrong in it.
    """
    try:
        text = read_small_file(file, _LIMIT).decode()
        found = msgspec.convert(tomllib.loads(text), ThemeFile)
        _check_names(found)
        for name, colour in found.colours.items():
            _parse(name, colour)
        plain = Theme(name=found.name, dark=found.dark, **found.colours)  # type: ignore[arg-type] # the names were checked
        _check_variables(found.variables, plain.to_color_system().generate())
        theme = dataclasses.replace(plain, variables=dict(found.variables))
        theme.to_color_system().generate()  # some variables are made from others
    except OSError as error:
        raise _wrong(file, f"it cannot be read: {error.strerror}") from error
    except _WRONG as error:
        raise _wrong(file, str(error)) from error
    return theme


def _wrong(file: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"{one_line(str(file), _WIDTH)} is no theme: {one_line(why, _WIDTH)}",
        hint="see docs/configuration.md",
    )


def _check_names(found: ThemeFile) -> None:
    if not _NAME.fullmatch(found.name):
        raise _WrongTheme("its name may have letters, digits, spaces, - _ and . in it")
    if "primary" not in found.colours:
        raise _WrongTheme("there is no primary")
    for name in found.colours:
        if name not in {*_COLOURS, *_GROUNDS}:
            raise _WrongTheme(f"{name} is none of {', '.join((*_COLOURS, *_GROUNDS))}")


def _check_variables(variables: dict[str, str], usual: dict[str, str]) -> None:
    """Raise unless each is of its usual kind: else the style sheet cannot be read with it."""
    for name, value in variables.items():
        if name not in usual:
            raise _WrongTheme(f"{name} is no variable of a theme")
        if "-style" in name:
            if not value or not set(value.split(" ")) <= VALID_STYLE_FLAGS:
                raise _WrongTheme(f"{name} = {value!r} is no style of text")
            continue
        match = _COLOUR.fullmatch(value)
        # A colour of its own right has its share where it is used: `$foreground 5%`.
        if match is None or (match[2] and name in {*_COLOURS, *_GROUNDS}):
            raise _WrongTheme(f"{name} = {value!r} is no colour")
        kind = usual[name].split(" ")[0]
        if match[1] not in {"auto", "initial"} or match[1] != kind:
            _parse(name, match[1])


def _parse(name: str, colour: str) -> None:
    try:
        alpha = Color.parse(colour).a
    except ColorParseError as error:
        raise _WrongTheme(f"{name} = {colour!r} is no colour") from error
    # A text area needs to know what it is written on.
    if alpha < 1 and name in {*_COLOURS, *_GROUNDS} - {"boost"}:
        raise _WrongTheme(f"{name} = {colour!r} lets something shine through")


def _files(paths: Paths) -> Iterator[Path]:
    for folder in (resource("themes"), paths.config / "themes"):
        if folder.is_dir():
            yield from sorted(folder.glob("*.toml"))
