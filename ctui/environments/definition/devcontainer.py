"""A devcontainer.json as a definition: what it says that a sealed task can have."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ctui.config.variables import NAME
from ctui.environments.definition.commit_files import Texts, path_in_commit
from ctui.environments.definition.definition import (
    Definition,
    Found,
    KeyReport,
    Status,
    Step,
    VolumeMount,
)
from ctui.environments.definition.devcontainer_keys import (
    FEATURE_OF_REGISTRY,
    FEATURE_REFUSED,
    RUN_ARGS,
    SPEC_KEYS,
    UNKNOWN_ARG,
)
from ctui.environments.definition.features import Feature, name_of, read_features
from ctui.environments.definition.jsonc import parse_jsonc
from ctui.environments.definition.mounts import read_mount
from ctui.environments.definition.own_service import Composed, OwnService
from ctui.environments.definition.port_keys import read_ports
from ctui.environments.definition.variable_names import allowed, build_arguments, text_values
from ctui.environments.definition.variables import (
    Names,
    host_variables,
    resolve_environment,
    substitute,
)
from ctui.errors import InvalidInput
from ctui.sandbox.named_ports import NamedPort
from ctui.sandbox.services import ImageBuild
from ctui.text import one_line

_STEPS = ("onCreateCommand", "updateContentCommand", "postCreateCommand")
COMPOSE = "dockerComposeFile"
_OF_COMPOSE = ("service", "runServices")
_STEP_LIMIT = 1 << 16
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def read_devcontainer(text: str, file: str, names: Names, commit: Texts) -> Found:
    """Return what a devcontainer.json says.

    Args:
        text: of the file.
        file: its path in the commit.
        names: values of its variables.
        commit: has the compose files that it names.

    Raises:
        InvalidInput: a key has a value that the specification does not allow.
        NotFound, Refused: its compose file is not there, or cannot be had.
    """
    said = parse_jsonc(text, file)
    try:
        return _Reader(said, file, names, commit).read()
    except RecursionError as error:  # the parser takes more than what reads it
        raise InvalidInput(f"{file}: is too deeply nested", hint="nest it less") from error


class _Reader:
    """Reads one file; what is done with each key is noted on the way."""

    def __init__(self, said: dict[str, Any], file: str, names: Names, commit: Texts) -> None:
        self._file = file
        self._commit = commit
        self._raw = said
        self._said: dict[str, Any] = substitute(said, names)
        self._keys: list[KeyReport] = []

    def read(self) -> Found:
        self._note_keys()
        composed = self._composed()
        own = composed.own
        features = self._features()
        container = self._container_env(own.env, features)
        remote = self._environment("remoteEnv")
        resolve_environment((container, remote), {}, self._file)  # a circle is said at once
        definition = Definition(
            source="devcontainer",
            file=self._file,
            name=self._text("name"),
            image=own.image,
            dockerfile=own.build.dockerfile if own.build else "",
            context=own.build.context if own.build else "",
            target=own.build.target if own.build else "",
            args=own.build.args if own.build else {},
            features=tuple(one.folder for one in features),
            root_steps=tuple(one.install() for one in features),
            steps=tuple(step for key in _STEPS for step in self._steps_of(key, features)),
            start_steps=tuple(self._steps_of("postStartCommand", features)),
            container_env=container,
            remote_env=remote,
            volumes=(*own.volumes, *self._mounts()),
            services=composed.services,
            ports=self._ports(),
        )
        return Found(definition, (*self._keys, *composed.keys))

    def _composed(self) -> Composed:
        """Return the image of the task's own environment, and the services beside it."""
        if COMPOSE not in self._said:
            return Composed(self._built(), (), ())
        if self._text("image") or self._value("build") or self._text("dockerFile"):
            self._wrong(COMPOSE, "and image or build exclude each other")
        from ctui.environments.definition.services.compose import compose_places, read_compose

        folder = posixpath.dirname(self._file)
        places = compose_places(self._value(COMPOSE), folder, self._file)
        run = [one for one in self._list("runServices") if isinstance(one, str)]
        return read_compose(places, self._text("service"), run, self._commit)

    def _built(self) -> OwnService:
        image, build = self._text("image"), self._table("build")
        dockerfile = self._text("build.dockerfile") or self._text("dockerFile")
        if build and not dockerfile:
            self._wrong("build", "has no dockerfile")
        if bool(image) == bool(dockerfile):
            self._wrong("image", "or build.dockerfile is needed, and not both")
        if not dockerfile:
            return OwnService(image=image)
        folder = posixpath.dirname(self._file)
        context = self._text("build.context") or self._text("context") or "."
        args = text_values(self._value("build.args") or {})
        if args is None:
            self._wrong("build.args", "is no table of names and texts")
        own = ImageBuild(
            dockerfile=path_in_commit(folder, dockerfile, self._at("build.dockerfile")),
            context=path_in_commit(folder, context, self._at("build.context")),
            target=self._text("build.target"),
            args=self._args(args or {}),
        )
        return OwnService(build=own)

    # -- what is noted

    def _note(self, key: str, status: Status, reason: str) -> None:
        self._keys.append(KeyReport(one_line(key), self._file, status, one_line(reason, 200)))

    def _note_keys(self) -> None:
        for key in self._written():
            known = SPEC_KEYS.get(key)
            if known is None:
                self._note(key, "ignored", "it is not in the specification")
                continue
            value = self._value(key)
            if key in _OF_COMPOSE and COMPOSE not in self._said:
                self._note(key, "ignored", "no compose file is named")
            elif key not in {"runArgs", "mounts"} or not value:
                harmless = known.status == "refused" and not value
                status: Status = "ignored" if harmless else known.status
                self._note(key, status, "asks for nothing" if harmless else known.reason)
            for name in host_variables(self._raw.get(key)):
                why = "variables of the host are not read: its default counts, else it is empty"
                self._note(f"{key}: ${{localEnv:{name}}}", "ignored", why)

    def _written(self) -> Iterator[str]:
        for key, value in self._said.items():
            if key == "build" and isinstance(value, dict):
                yield from (f"build.{inner}" for inner in value)
            else:
                yield key

    # -- values

    def _at(self, key: str) -> str:
        return f"{self._file}: {key}"

    def _wrong(self, key: str, what: str) -> None:
        raise InvalidInput(f"{self._at(key)} {what}", hint="see containers.dev, or remove it")

    def _value(self, key: str) -> Any:
        first, _, inner = key.partition(".")
        value = self._said.get(first)
        return (value.get(inner) if isinstance(value, dict) else None) if inner else value

    def _text(self, key: str) -> str:
        value = self._value(key)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.isprintable() or len(value) > 4096:
            self._wrong(key, "is no plain text")
        return str(value)

    def _table(self, key: str) -> dict[str, Any]:
        value = self._value(key)
        if value is not None and not isinstance(value, dict):
            self._wrong(key, "is no object")
        return value or {}

    def _list(self, key: str) -> list[Any]:
        value = self._value(key)
        if value is not None and not isinstance(value, list):
            self._wrong(key, "is no list")
        return value or []

    def _args(self, values: Mapping[str, str]) -> dict[str, str]:
        if not all(NAME.fullmatch(name) for name in values):
            self._wrong("build.args", "is no table of names and texts")
        used, refused = build_arguments(values)
        for name, why in refused.items():
            self._note(f"build.args.{name}", "refused", why)
        return used

    def _environment(self, key: str) -> dict[str, str]:
        values = text_values(self._table(key))
        if values is None:
            self._wrong(key, "is no table of names and texts")
        return self._counting(key, values or {})

    def _container_env(self, own: Mapping[str, str], features: Sequence[Feature]) -> dict[str, str]:
        """Lay the variables over each other; one that names itself means the layer below."""
        at = self._at("features")
        layers = [self._counting("features", one.environment(at)) for one in features]
        container = dict(own)
        for layer in (*layers, self._environment("containerEnv"), self._run_args()):
            for name, value in layer.items():
                itself = f"${{containerEnv:{name}}}"
                container[name] = value.replace(itself, container.get(name, itself))
        return container

    def _counting(self, key: str, values: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that a repository may set, and note the others."""
        used, refused = allowed(values)
        for name, why in refused.items():
            self._note(f"{key}.{name}", "refused", why)
        return used

    def _features(self) -> tuple[Feature, ...]:
        order = self._list("overrideFeatureInstallOrder")
        folder = posixpath.dirname(self._file)
        said, at = self._table("features"), self._at("features")
        local, others = read_features(said, order, at, self._commit, folder)
        for one in local:
            self._note(f"features: {one.reference}", "used", "root runs its install.sh once")
            for key in filter(one.said.get, FEATURE_REFUSED):
                self._note(f"features: {one.reference}: {key}", "refused", FEATURE_REFUSED[key])
        needed = (name for one in local for name in one.missing(said))
        for name in dict.fromkeys((*others, *needed)):
            short = name_of(name)
            why = FEATURE_OF_REGISTRY.format(place=posixpath.join(folder, short), name=short)
            self._note(f"features: {name}", "ignored", why)
        return local

    def _steps_of(self, key: str, features: Sequence[Feature]) -> Iterator[Step]:
        for said in (*(one.said for one in features), self._said):
            yield from self._steps(key, said.get(key))

    def _steps(self, key: str, value: Any) -> Iterator[Step]:
        many = value.values() if isinstance(value, dict) else [value]
        for one in many:
            words = [one] if isinstance(one, str) else one
            if words in (None, "", []):
                continue
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                self._wrong(key, "is no command")
            command = one if isinstance(one, str) else shlex.join(words)
            if len(command) > _STEP_LIMIT:
                self._wrong(key, "is longer than 64 KB")
            if _NO_TEXT.search(command):
                self._wrong(key, "has a character that no command can have")
            yield Step(key, command)

    def _mounts(self) -> Iterator[VolumeMount]:
        for one in self._list("mounts"):
            shown, mount, why = read_mount(one)
            self._note(f"mounts: {shown}", "used" if mount else "refused", why)
            if mount:
                yield mount

    def _ports(self) -> tuple[NamedPort, ...]:
        attributes, others = self._table("portsAttributes"), self._table("otherPortsAttributes")
        ports, notes = read_ports(self._list("forwardPorts"), attributes, others)
        for note in notes:
            self._note(*note)
        return ports

    def _run_args(self) -> dict[str, str]:
        """Note what is done with each argument, and return the variables that they set."""
        words = [word for word in self._list("runArgs") if isinstance(word, str)]
        found: dict[str, str] = {}
        while words:
            option, equals, value = words.pop(0).partition("=")
            known = RUN_ARGS.get(option, UNKNOWN_ARG)
            if known.takes_value and not equals and words:
                value = words.pop(0)
            status, why = known.status, known.reason
            if status == "used":
                name, _, text = value.partition("=")
                used, refused = allowed({name: text})
                found.update(used)
                status, why = ("refused", refused[name]) if refused else (status, why)
            self._note(f"runArgs: {option} {value}".strip(), status, why)
        return found
