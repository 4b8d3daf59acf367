"""Compose files of a commit as one table: read, variables put in, and laid over each other."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ctui.environments.definition.commit_files import FILE_LIMIT, Texts
from ctui.environments.definition.services.interpolation import Interpolation
from ctui.environments.definition.services.yaml_values import read_yaml
from ctui.errors import InvalidInput, NotFound

_MOST = 8
_REPLACED = {"command", "entrypoint", "test"}
"""Lists of which the later one counts, and not both."""


class ComposeFiles(NamedTuple):
    """Some files, laid over each other."""

    place: str
    """The first of them; paths in all are relative to its folder."""
    top: dict[str, Any]
    services: dict[str, dict[str, Any]]
    missing: tuple[str, ...]
    """Variables without a value."""

    @property
    def folder(self) -> str:
        return posixpath.dirname(self.place)


def read_compose_files(places: Sequence[str], commit: Texts) -> ComposeFiles:
    """Return what the files of a commit say; each counts over those before it.

    Raises:
        NotFound: one is not in the commit.
        InvalidInput: one cannot be read.
    """
    if not 1 <= len(places) <= _MOST:
        raise InvalidInput(f"dockerComposeFile names no file, or more than {_MOST}")
    beside = posixpath.join(posixpath.dirname(places[0]), ".env")
    values = env_values(commit.text(beside, FILE_LIMIT))
    top: dict[str, Any] = {}
    missing: dict[str, None] = {}
    for place in places:
        text = commit.text(place, FILE_LIMIT)
        if text is None:
            raise NotFound(
                f"{place} is not a file of the commit",
                hint="commit it: what lies around does not count",
            )
        variables = Interpolation(values, place)
        said = variables.put(read_yaml(text, place))
        services = said.get("services") or {}
        if not isinstance(services, dict) or not all(
            isinstance(one, dict) for one in services.values()
        ):
            raise InvalidInput(f"{place}: services is no table of tables", hint="mend it")
        said["services"] = {name: _plain(one, place) for name, one in services.items()}
        top = _merged(top, said)
        missing |= variables.missing
    return ComposeFiles(places[0], top, top.pop("services"), tuple(missing))


def env_values(text: str | None) -> dict[str, str]:
    """Return what an `.env` says: `K=V` a line, perhaps in quotes; other lines are left out."""
    found: dict[str, str] = {}
    for line in (text or "").splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        value = value.strip()
        if equals and name.strip() and not name.startswith("#"):
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[name.strip()] = value[1:-1] if quoted else value
    return found


def listed(value: object, what: str) -> list[Any]:
    """Return a list, or a list of the one value. Raises InvalidInput for a table."""
    if value is None or value == "":
        return []
    if isinstance(value, dict):
        raise InvalidInput(f"{what} is no list", hint="see docs.docker.com/reference/compose-file")
    return value if isinstance(value, list) else [value]


def _plain(service: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return a service in which what has two forms has one, so that files can be merged."""
    said = dict(service)
    if isinstance(said.get("environment"), list):
        pairs = [str(one).partition("=") for one in said["environment"]]
        said["environment"] = {name: text if sign else None for name, sign, text in pairs}
    if isinstance(said.get("depends_on"), dict):
        said["depends_on"] = list(said["depends_on"])
    if isinstance(said.get("build"), str):
        said["build"] = {"context": said["build"]}
    for key in ("env_file", "depends_on", "volumes", "profiles"):
        if key in said:
            said[key] = listed(said[key], f"{place}: {key}")
    return said


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    found = dict(below)
    for key, value in above.items():
        old = found.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            found[key] = _merged(old, value)
        elif isinstance(old, list) and isinstance(value, list) and key not in _REPLACED:
            found[key] = [*old, *(one for one in value if one not in old)]
        else:
            found[key] = value
    return found
