"""Checks of a file of settings: every problem with its line and a likely correction."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ctui.config.durations import parse_duration
from ctui.config.gateway_section import check_rules
from ctui.config.key_ids import DEFAULT_KEYS, clashes
from ctui.config.lines import line_of, lines_of
from ctui.config.model import Config, Key, known_keys
from ctui.config.sizes import parse_size
from ctui.config.variables import person_variables
from ctui.errors import CtuiError, InvalidInput
from ctui.paths import Paths
from ctui.text import one_line

_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_BAD_PREFIX = re.compile(r"\.\.|//|/\.|\.lock/|^refs/|^HEAD$")
"""Characters that git-check-ref-format(1) forbids, and beginnings of other kinds of refs."""

_NETWORK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_MODEL = re.compile(r"[A-Za-z0-9][\x21-\x7e]{0,199}")
_VERSION = re.compile(r"\d{1,6}\.\d{1,6}\.\d{1,6}(-[0-9A-Za-z.-]{1,40})?")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2})?")
_SYNTAX_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_PATH_OF_ERROR = re.compile(r" - at `[^`]*`$")

_OTHER_VARIABLES = ("CTUI_CA_FILE", "CTUI_DEMO", "CTUI_SERVED", "CTUI_TASK")
"""Variables that are no key's and no folder's."""

RETIRED: Mapping[str, str] = {
    "sandbox.shared_caches": "tasks share no caches any more: each home begins with those that its "
    "environment's set-up has filled (docs/environments.md)"
}
"""Keys that older files have: each is said in one line, and does nothing."""

_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_PORT = r"(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
_DOMAIN = re.compile(rf"\*(?:\.{_LABEL}){{1,10}}(?<!localhost)(?::{_PORT})?")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Problem(NamedTuple):
    """One problem of a file of settings."""

    key: str
    """Dotted path such as `claude.model`, or "" for the file as a whole."""
    message: str
    hint: str = ""
    line: int | None = None
    """Line of the file, counted from 1; None where there is no file."""

    def error(self, source: Path | str) -> InvalidInput:
        """Return the problem as the error that stops a command."""
        where = f"{source}:{self.line}" if self.line else str(source)
        key = f"{self.key}: " if self.key else ""
        return InvalidInput(f"{where}: {key}{self.message}", hint=self.hint or "mend or remove it")


def parse(text: str) -> dict[str, Any] | Problem:
    """Return the values of a TOML text, or the problem that makes it unreadable."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        match = _SYNTAX_LINE.search(said)
        line = int(match.group(1)) if match else None
        if said.endswith("(at end of document)"):
            line = text.count("\n") + 1
        return Problem("", f"is not TOML: {one_line(said)}", "mend that line", line)
    except RecursionError:
        return Problem("", "is not TOML that can be read: too deeply nested", "make it simpler")


def problems_of(values: Mapping[str, Any], text: str = "") -> list[Problem]:
    """Return all problems of the values of a file, in the order of its lines.

    Args:
        values: of the text.
        text: of the file, for the lines.
    """
    lines = lines_of(text) if text else {}

    def placed(problem: Problem, *path: str) -> Problem:
        return problem._replace(line=line_of(lines, path))

    found = [
        placed(problem, *path)
        for section, value in values.items()
        for path, problem in _of_section(section, value)
    ]
    return sorted(found, key=lambda problem: problem.line or 0)


def retired_lines(values: Mapping[str, Any]) -> list[str]:
    """Return a line for each key of a file that does nothing any more."""
    return [
        f"{path} does nothing: {why}; remove it"
        for path, why in RETIRED.items()
        if path.partition(".")[2] in _section(values, path.partition(".")[0])
    ]


def without_retired(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a file without the keys that do nothing any more."""
    return {
        name: {key: one for key, one in keys.items() if f"{name}.{key}" not in RETIRED}
        if isinstance(keys, dict)
        else keys
        for name, keys in values.items()
    }


def _section(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def variable_problems(environ: Mapping[str, str]) -> list[Problem]:
    """Return a problem for each variable `CTUI_…` that nothing reads: most are mistyped."""
    known = [*(key.variable for key in known_keys()), *Paths.variables(), *_OTHER_VARIABLES]
    found = []
    for name in sorted(environ):
        if name.startswith("CTUI_") and name not in known:
            import difflib

            near = difflib.get_close_matches(name[:80], known, n=1, cutoff=0.8)
            hint = f"did you mean {near[0]}?" if near else "unset it"
            found.append(Problem(one_line(name), "there is no such variable", hint))
    return found


def value_problem(key: Key, value: object, *, strict: bool = True) -> Problem | None:
    """Return the problem of one key's value, or None; `strict` is off for environment variables."""
    if any(map(_NO_TEXT.search, _texts(value))):
        hint = "write it in one line of plain text"
        return Problem(key.path, "has a control character in it, or no UTF-8", hint)
    try:
        converted = msgspec.convert(value, key.type, strict=strict)
    except msgspec.ValidationError as error:
        said = _PATH_OF_ERROR.sub("", str(error))
        hint = f"such as {toml_value(key.default)}" if key.default != () else key.about
        return Problem(key.path, f"{one_line(said, 200)}", hint)
    try:
        if key.section == "gateway":
            check_rules(converted)
        else:
            _check(key.path, converted)
    except CtuiError as error:
        return Problem(key.path, error.message, error.hint)
    return None


def _texts(value: object) -> Iterator[str]:
    """Yield the texts of a value, of a list of them, and of the tables in such a list."""
    for one in value if isinstance(value, list) else [value]:
        inner = one.values() if isinstance(one, dict) else [one]
        yield from (text for text in inner if isinstance(text, str))


def toml_value(value: object) -> str:
    """Return a text, number, truth value, table or list of them as TOML writes it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, dict):
        pairs = [f"{_toml_key(name)} = {toml_value(one)}" for name, one in value.items()]
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return repr(value)
    # JSON's escapes are TOML's, and only TOML wants DEL escaped.
    return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")


def _toml_key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else toml_value(name)


def _of_section(section: str, value: object) -> Iterator[tuple[tuple[str, ...], Problem]]:
    shown = one_line(section)
    known = msgspec.structs.asdict(Config())
    if section not in known:
        # A table is meant as a section, whatever key has a name like it.
        keys = [key for key in known_keys() if key.name == section and not isinstance(value, dict)]
        hint = f"it belongs into [{keys[0].section}]" if keys else _nearest(section, list(known))
        yield (section,), Problem(shown, "there is no such section", hint)
    elif not isinstance(value, dict):
        yield (section,), Problem(shown, "is a section", f"write [{section}] and its keys below")
    elif section == "keys":
        yield from _of_bindings(value)
    else:
        yield from _of_keys(section, value)


def _of_bindings(values: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Problem]]:
    chosen: dict[str, str] = {}
    for name, keys in values.items():
        path = f"keys.{one_line(name)}"
        if name not in DEFAULT_KEYS:
            hint = _nearest(name, list(DEFAULT_KEYS), "keys.")
            yield ("keys", name), Problem(path, "there is no such binding", hint)
        elif not isinstance(keys, str) or not keys.strip():
            yield ("keys", name), Problem(path, "is no text", 'such as "ctrl+n"')
        else:
            chosen[name] = keys
    for name, key, other in clashes(chosen):
        said = f"{one_line(key)} is the key of {other} too"
        yield ("keys", name), Problem(f"keys.{name}", said, "choose another, or change both")


def _of_keys(section: str, values: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Problem]]:
    known = {key.name: key for key in known_keys() if key.section == section}
    for name, value in values.items():
        if f"{section}.{name}" in RETIRED:
            continue
        if (key := known.get(name)) is None:
            hint = _elsewhere(section, name) or _nearest(name, list(known), f"{section}.")
            yield (
                (section, name),
                Problem(f"{section}.{one_line(name)}", "there is no such key", hint),
            )
        elif problem := value_problem(key, value):
            yield (section, name), problem
    if section == "image" and (said := image_exclusion(values)):
        path = said.split()[2]
        yield tuple(path.split(".")), Problem(path, said, "keep one of them")


def image_exclusion(values: Mapping[str, Any]) -> str:
    """Return which two of an image's settings exclude each other; empty if none do."""
    others = {"variant": "default"}
    said = [
        f"image.{key}"
        for key in ("variant", "base", "dockerfile", "name")
        if values.get(key) not in ("", None, others.get(key))
    ]
    return f"{said[0]} and {said[1]} exclude each other" if len(said) > 1 else ""


def _elsewhere(section: str, name: str) -> str:
    found = [key.section for key in known_keys() if key.name == name and key.section != section]
    return f"did you mean {found[0]}.{name}?" if found else ""


def _nearest(word: str, known: list[str], prefix: str = "") -> str:
    # The time of a comparison grows with the product of both lengths.
    import difflib

    near = difflib.get_close_matches(word[:80].lower(), known, n=1, cutoff=0.5)
    if near:
        return f"did you mean {prefix}{near[0]}?"
    return "there are: " + ", ".join(known)


class _Pattern(NamedTuple):
    form: re.Pattern[str]
    wrong: str
    hint: str


_PATTERNS = {
    "serve.ports_domain": _Pattern(
        _DOMAIN,
        "names no domain and what is below it",
        "write it like *.tasks.example.org, or *.tasks.example.org:6080",
    ),
    "image.cli_version": _Pattern(_VERSION, "is no version", "such as 2.1.300"),
    "image.updated": _Pattern(
        _TIME, "is no time", "`ctui image update` writes it; remove it for the image as it was"
    ),
    "claude.model": _Pattern(_MODEL, "is no model's name", "such as opus"),
}
"""Key -> the form that its text has, if it is not empty."""


def _check(path: str, value: Any) -> None:
    """Raise InvalidInput for values of the right type that would still do harm."""
    shown = one_line(repr(value))
    match path:
        case (
            "sandbox.memory"
            | "sandbox.tmp"
            | "tasks.journal"
            | "tasks.home"
            | "tasks.worktree"
            | "tasks.free_space"
            | "worktrees.include_limit"
        ):
            parse_size(value)
        case "landing.timeout":
            parse_duration(value)
        case "sandbox.env":
            person_variables((), (), [value] if isinstance(value, str) else value, {})
        case "worktrees.prefix" if value and not _fits_prefix(value):
            hint = "write it like ctui/"
            raise InvalidInput(f"{shown} cannot begin a branch's name", hint=hint)
        case "sandbox.network" if value and not _fits_network(value):
            hint = "name a network of your own: the host's would not seal a task off"
            raise InvalidInput(f"{shown} cannot be used", hint=hint)
        case "claude.base_url" if value and not value.startswith(("http://", "https://")):
            raise InvalidInput(
                f"{shown} is no web address", hint="it begins with https:// or http://"
            )
        case _ if value and path in _PATTERNS and not _PATTERNS[path].form.fullmatch(value):
            raise InvalidInput(f"{shown} {_PATTERNS[path].wrong}", hint=_PATTERNS[path].hint)


def _fits_prefix(prefix: str) -> bool:
    return bool(_PREFIX.fullmatch(prefix)) and not _BAD_PREFIX.search(prefix)


def _fits_network(network: str) -> bool:
    return bool(_NETWORK.fullmatch(network)) and network not in {"host", "none", "default"}
