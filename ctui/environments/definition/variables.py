"""Variables of devcontainer.json (containers.dev, "Variables in devcontainer.json").

Nothing of the host is put in: a repository must not read the person's environment, nor learn where
the person keeps it. `${localEnv:…}` is its default, else empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ctui.environments.definition.variable_names import BREAKS
from ctui.errors import InvalidInput
from ctui.paths import WORKSPACE
from ctui.text import one_line

_VARIABLE = re.compile(r"\$\{([A-Za-z]+)(?::([^:}]*))?(?::([^}]*))?\}")
_VALUE_LIMIT = 1 << 15
_DEPTH = 50
_FIXED = {
    "localWorkspaceFolder": WORKSPACE,
    "containerWorkspaceFolder": WORKSPACE,
    "localWorkspaceFolderBasename": WORKSPACE.strip("/"),
    "containerWorkspaceFolderBasename": WORKSPACE.strip("/"),
}
_OF_HOST = {"localEnv", "env"}
_OF_CONTAINER = "containerEnv"


class Names(NamedTuple):
    """Values of a devcontainer.json's variables."""

    devcontainer_id: str


def host_variables(value: object) -> list[str]:
    """Return the names of the host's variables that a value asks for."""
    found = {
        match[2] or ""
        for text in _texts(value)
        for match in _VARIABLE.finditer(text)
        if match[1] in _OF_HOST
    }
    return sorted(found)


def substitute(value: Any, names: Names) -> Any:
    """Return a value with all variables put in but those of the container."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _put(match, names), value)
    if isinstance(value, list):
        return [substitute(one, names) for one in value]
    if isinstance(value, dict):
        return {key: substitute(one, names) for key, one in value.items()}
    return value


def resolve_environment(
    layers: tuple[Mapping[str, str], ...], image: Mapping[str, str], file: str
) -> dict[str, str]:
    """Return the variables of some layers, with `${containerEnv:…}` put in.

    A later layer is stronger. A variable that names itself means the value below it.

    Args:
        layers: containerEnv first.
        image: variables of the image, below them all.
        file: as the person knows it.

    Raises:
        InvalidInput: variables go round in a circle, or grow without end.
    """
    known = dict(image)
    for layer in layers:
        known.update(_resolved(layer, known, file))
    return {name: known[name] for layer in layers for name in layer}


def _resolved(layer: Mapping[str, str], below: Mapping[str, str], file: str) -> dict[str, str]:
    done: dict[str, str] = {}

    def value_of(name: str, way: tuple[str, ...]) -> str:
        if name in done:
            return done[name]
        if name in way:
            circle = " → ".join((*way[way.index(name) :], name))
            raise InvalidInput(
                f"{file}: variables go round in a circle: {one_line(circle, 120)}",
                hint="give one of them a value of its own",
            )

        if len(way) > _DEPTH:
            raise InvalidInput(
                f"{file}: more than {_DEPTH} variables name each other", hint="name fewer"
            )

        def put(match: re.Match[str]) -> str:
            if match[1] != _OF_CONTAINER:
                return match[0]
            inner, default = match[2] or "", match[3] or ""
            if inner != name and inner in layer:
                return value_of(inner, (*way, name))
            return below.get(inner, default)

        value = _VARIABLE.sub(put, layer[name])
        _check(name, value, file)
        done[name] = value
        return value

    for name in layer:
        value_of(name, ())
    return done


def _check(name: str, value: str, file: str) -> None:
    shown = f"{file}: the variable {one_line(name)}"
    if len(value) > _VALUE_LIMIT:
        raise InvalidInput(f"{shown} is longer than {_VALUE_LIMIT >> 10} KB")
    if BREAKS.search(value):
        raise InvalidInput(
            f"{shown} has a line break, or another sign that no instruction of an image can have",
            hint="its image has that in a variable: give it a value of its own",
        )


def _put(match: re.Match[str], names: Names) -> str:
    kind = match[1]
    if kind in _OF_HOST:
        return match[3] or ""
    if kind == "devcontainerId":
        return names.devcontainer_id
    return _FIXED.get(kind, match[0])


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]
