"""Sources of settings, and their precedence."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from ctui.config.model import REPOSITORY_FILE, WEAK_VARIABLES, Config, known_keys
from ctui.config.problems import (
    Problem,
    image_exclusion,
    parse,
    problems_of,
    retired_lines,
    value_problem,
    without_retired,
)
from ctui.errors import InvalidInput, Unavailable
from ctui.paths import Paths
from ctui.small_file import read_small_file
from ctui.text import one_line

REPOSITORY_KEYS = ("claude.model", "claude.permission_mode", "worktrees.prefix")
"""Keys that a repository may set for the tasks that work on it."""

COMMITTED_KEYS = ("landing.check",)
"""Keys that a repository may say in its file and that no checkout's copy of it sets: they count as
the commit that they are about says them."""

CONSENTED_SECTIONS = ("environment",)
"""Sections of a repository's file that are no settings: what they say is built and run, and so
counts only after the person's consent to it (`ctui.environments`)."""

_STRICTNESS = ("plan", "dontAsk", "default", "acceptEdits")
"""Permission modes in the order of what they allow; a repository may only choose an earlier one."""

FILE_LIMIT = 1 << 18
_REPOSITORY_LIMIT = 1 << 12
"""Bytes of each file. The time that tomllib takes grows with the square of a key's parts."""

Origin = Literal["default", "user file", "repository file", "environment"]


class Setting(NamedTuple):
    """The effective value of one key, and where it comes from."""

    key: str
    value: Any
    origin: Origin
    where: str = ""
    """File or variable that the value comes from."""


def read_config(paths: Paths, environ: Mapping[str, str], repository: Path | None) -> Config:
    """Read the settings that are in force now; see `load_config`."""
    sections: dict[str, dict[str, Any]] = {}
    for setting in effective(paths, environ, repository):
        section, _, key = setting.key.partition(".")
        sections.setdefault(section, {})[key] = setting.value
    return msgspec.convert(sections, Config, strict=False)


def effective(
    paths: Paths,
    environ: Mapping[str, str] | None = None,
    repository: Path | None = None,
) -> list[Setting]:
    """Return every key with its effective value, in the file's order; see `load_config`."""
    environ = os.environ if environ is None else environ
    user = read_values(paths.config_file)
    found = {key.path: Setting(key.path, key.default, "default") for key in known_keys()}
    found.update({one.key: one for one in _of_environment(environ, weak=True)})
    for path, value in _flat(user).items():
        found[path] = Setting(path, value, "user file", str(paths.config_file))
    if repository is not None:
        file = repository / REPOSITORY_FILE
        for path, value in _narrowing(file, found).items():
            found[path] = Setting(path, value, "repository file", str(file))
    found.update({one.key: one for one in _of_environment(environ)})
    image = {key.name: found[key.path].value for key in known_keys() if key.section == "image"}
    if said := image_exclusion(image):
        raise InvalidInput(f"the environment: {said}", hint="keep one of them")
    return list(found.values())


def read_values(path: Path) -> dict[str, Any]:
    """Return the values of a file of settings, or none if there is no file.

    Raises:
        InvalidInput: with the first thing that is wrong.
        Unavailable: it cannot be read.
    """
    text = read_text(path, FILE_LIMIT)
    if text is None:
        return {}
    values, problems = checked(text)
    for problem in problems:
        raise problem.error(path)
    return without_retired(values)


def retired_in(path: Path) -> list[str]:
    """Return a line for each key of a file of settings that does nothing any more."""
    values = parse(read_text(path, FILE_LIMIT) or "")
    return [] if isinstance(values, Problem) else retired_lines(values)


def checked(text: str) -> tuple[dict[str, Any], list[Problem]]:
    """Return the values of a text, and all of its problems."""
    values = parse(text)
    if isinstance(values, Problem):
        return {}, [values]
    return values, problems_of(values, text)


def read_text(path: Path, limit: int, *, follow_links: bool = True) -> str | None:
    """Read a file of settings, or return None if there is none.

    Raises:
        Unavailable: it cannot be read, is no file, or is larger than `limit` bytes.
        InvalidInput: it is not UTF-8.
    """
    try:
        if not follow_links and not path.is_file():
            return None
        return read_small_file(path, limit, follow_links=follow_links).decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = f"{path}:{line}: is not TOML: it is not UTF-8"
        raise InvalidInput(message, hint="save it as UTF-8") from error
    except OSError as error:
        if error.errno == errno.ELOOP and not follow_links:
            return None
        raise Unavailable(
            f"{path} cannot be read: {error.strerror}", hint="`ctui --config-path` names the file"
        ) from error


def _flat(values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{name}.{key}": value for name, keys in values.items() for key, value in keys.items()}


def committed_value(text: str, file: str, key: str) -> str:
    """Return what a repository's file, as a commit has it, says of one of `COMMITTED_KEYS`; or "".

    Raises:
        InvalidInput: it is not TOML, or the value is none of that key.
    """
    if len(text.encode()) > _REPOSITORY_LIMIT:
        hint = f"make it smaller than {_REPOSITORY_LIMIT >> 10} KB"
        raise InvalidInput(f"{file} is too large", hint=hint)
    values = parse(text)
    if isinstance(values, Problem):
        raise values.error(file)
    section, _, name = key.partition(".")
    said = values.get(section, {})
    if not isinstance(said, dict) or name not in said:
        return ""
    for problem in problems_of({section: {name: said[name]}}, text):
        raise problem.error(file)
    return str(said[name])


def _narrowing(file: Path, found: Mapping[str, Setting]) -> dict[str, Any]:
    """Return the keys that a repository sets and may set. Raises as `read_values`."""
    text = read_text(file, _REPOSITORY_LIMIT, follow_links=False)
    if text is None:
        return {}
    values = parse(text)
    if isinstance(values, Problem):
        raise values.error(file)
    values = {name: keys for name, keys in values.items() if name not in CONSENTED_SECTIONS}
    said = {f"{name}.{key}" for name, keys in values.items() for key in _keys(keys)}
    allowed = (*REPOSITORY_KEYS, *COMMITTED_KEYS)
    if not said <= set(allowed):
        raise InvalidInput(
            f"{file}: a repository may only set {', '.join(allowed)}",
            hint=f"remove {one_line(min(said - set(allowed)))}",
        )
    for problem in problems_of(values, text):
        raise problem.error(file)
    flat = {key: one for key, one in _flat(values).items() if key not in COMMITTED_KEYS}
    mode = flat.get("claude.permission_mode", "acceptEdits")
    if _STRICTNESS.index(mode) >= _STRICTNESS.index(found["claude.permission_mode"].value):
        flat.pop("claude.permission_mode", None)
    return flat


def _keys(section: object) -> list[str]:
    return list(section) if isinstance(section, dict) else ["(no section)"]


def _of_environment(environ: Mapping[str, str], *, weak: bool = False) -> list[Setting]:
    """Return the keys that variables set; weak ones count only where no file sets the key."""
    found: list[Setting] = []
    for key in known_keys():
        variable = WEAK_VARIABLES.get(key.path, "") if weak else key.variable
        text = environ.get(variable)
        if text is None:
            continue
        if problem := value_problem(key, text, strict=False):
            hint = f"{problem.hint}: set {variable} so, or `unset {variable}`"
            raise problem._replace(hint=hint).error(f"the environment variable {variable}")
        value = msgspec.convert(text, key.type, strict=False)
        found.append(Setting(key.path, value, "environment", variable))
    return found
