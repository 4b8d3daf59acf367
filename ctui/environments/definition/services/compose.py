"""A compose file as services of a task, and as the task's own environment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ctui.environments.definition.commit_files import FILE_LIMIT, Texts, path_in_commit
from ctui.environments.definition.definition import KeyReport, Status, VolumeMount
from ctui.environments.definition.mounts import read_mount
from ctui.environments.definition.own_service import Composed, OwnService
from ctui.environments.definition.services.compose_builds import BUILD_ROWS, read_build
from ctui.environments.definition.services.compose_files import (
    ComposeFiles,
    env_values,
    read_compose_files,
)
from ctui.environments.definition.services.compose_keys import (
    EXTENSION,
    OWN_ROWS,
    SERVICE_ROWS,
    TOP_ROWS,
    UNKNOWN,
)
from ctui.environments.definition.services.compose_values import (
    ServiceMount,
    health_of,
    mounts_of,
    service_mount,
    text_of,
    variables_of,
)
from ctui.environments.definition.services.rules import check_name, checked_services
from ctui.environments.definition.services.table import (
    check_folder,
    check_image,
    check_user,
    check_variables,
    command_words,
)
from ctui.environments.definition.variable_names import allowed
from ctui.errors import InvalidInput
from ctui.sandbox.services import ImageBuild, Service
from ctui.text import one_line

_NOTHING: tuple[object, ...] = (None, "", "false", "0", [], {})
_HARMLESS_NETWORKS = ("service:", "none", "bridge", "default")


def read_compose(places: Sequence[str], own: str, run: Sequence[str], commit: Texts) -> Composed:
    """Return what compose files of a commit say.

    Args:
        places: paths of the files.
        own: name of the service that is the task's own environment.
        run: names of the others that are started; empty for all.
        commit: has the files.

    Raises:
        InvalidInput, NotFound: with the file and the key that is wrong.
    """
    return _Reader(read_compose_files(places, commit), commit).read(own, run)


class _Reader:
    """Reads the services of files; what is done with each key is noted on the way."""

    def __init__(self, files: ComposeFiles, commit: Texts) -> None:
        self._files = files
        self._commit = commit
        self._keys: list[KeyReport] = []

    def read(self, own: str, run: Sequence[str]) -> Composed:
        place = self._files.place
        if own not in self._files.services:
            names = one_line(", ".join(self._files.services), 120)
            raise InvalidInput(
                f"{place}: there is no service {one_line(own) or 'that `service` names'}",
                hint=f"it has: {names}" if names else "it has none",
            )
        self._note_top()
        found = self._own(own)
        started = self._started(own, run)
        services = [self._service(name) for name in started]
        for name in self._files.services:
            if name not in {own, *started}:
                self._note(f"services.{name}", "ignored", "runServices or its profile leave it out")
        return Composed(found, checked_services(services, place), tuple(self._keys))

    def _started(self, own: str, run: Sequence[str]) -> list[str]:
        """Return which services are started: those that are named, and what they depend on."""
        services = self._files.services
        waiting = list(run) or [name for name, one in services.items() if not one.get("profiles")]
        waiting += services[own].get("depends_on") or []
        found: dict[str, None] = {}
        while waiting:
            name = str(waiting.pop(0))
            if name not in services:
                raise InvalidInput(
                    f"{self._files.place}: there is no service {one_line(name)}",
                    hint="mend runServices or depends_on",
                )
            if name != own and name not in found:
                found[name] = None
                waiting += services[name].get("depends_on") or []
        return list(found)

    # -- what is noted

    def _note(self, key: str, status: Status, reason: str) -> None:
        report = KeyReport(one_line(key), self._files.place, status, one_line(reason, 200))
        self._keys.append(report)

    def _note_top(self) -> None:
        self._note("services", *TOP_ROWS["services"][:2])
        for key, value in self._files.top.items():
            known = TOP_ROWS.get(key)
            if known is None:
                self._note(key, "ignored", EXTENSION if key.startswith("x-") else UNKNOWN)
            elif known.status == "refused" and value in _NOTHING:
                self._note(key, "ignored", "asks for nothing")
            else:
                self._note(key, known.status, known.reason)
        for name in self._files.missing:
            why = "variables of the host are not read: its default counts, else it is empty"
            self._note(f"${{{name}}}", "ignored", why)

    def _note_keys(self, name: str, *, own: bool) -> None:
        for key, value in self._files.services[name].items():
            at = f"services.{name}.{key}"
            known = SERVICE_ROWS.get(key)
            if known is None:
                self._note(at, "ignored", EXTENSION if key.startswith("x-") else UNKNOWN)
            elif own and key in OWN_ROWS:
                self._note(at, *OWN_ROWS[key])
            elif known.status == "refused" and value in _NOTHING:
                self._note(at, "ignored", "asks for nothing")
            elif key == "network_mode" and str(value).startswith(_HARMLESS_NETWORKS):
                self._note(at, "ignored", known.reason)
            elif key != "volumes":
                self._note(at, known.status, known.reason)

    # -- the services

    def _service(self, name: str) -> Service:
        said, at = self._files.services[name], self._at(name)
        check_name(name, f"{self._files.place}: services")
        build = self._build(name)
        if not build and not said.get("image"):
            hint = "extends is not followed: write it out" if "extends" in said else "name one"
            raise InvalidInput(f"{at} has no image", hint=hint)
        self._note_keys(name, own=False)
        mounts = list(self._mounts(name))
        health = health_of(said.get("healthcheck"), f"{at}.healthcheck")
        directory = text_of(said, "working_dir", at)
        return Service(
            name=name,
            image="" if build else check_image(text_of(said, "image", at), f"{at}.image"),
            build=build,
            env=check_variables(self._variables(name), f"{at}.environment"),
            command=command_words(said.get("command") or [], f"{at}.command"),
            entrypoint=command_words(said.get("entrypoint") or [], f"{at}.entrypoint"),
            user=check_user(text_of(said, "user", at), f"{at}.user"),
            directory=check_folder(directory, f"{at}.working_dir") if directory else "",
            health=health.command,
            checked=health.checked,
            wait=health.wait,
            kept=tuple(dict.fromkeys(one.kept for one in mounts if one.kept)),
            files=tuple(one.file for one in mounts if one.file is not None),
            after=tuple(str(one) for one in said.get("depends_on") or ()),
        )

    def _own(self, name: str) -> OwnService:
        said, at = self._files.services[name], self._at(name)
        self._note_keys(name, own=True)
        image, build = text_of(said, "image", at), self._build(name)
        if not (image or build):
            raise InvalidInput(f"{at} has neither image nor build", hint="give it one of them")
        values, refused = allowed(self._variables(name))
        for variable, why in refused.items():
            self._note(f"services.{name}.environment.{variable}", "refused", why)
        return OwnService("" if build else image, build, values, tuple(self._own_volumes(name)))

    def _build(self, name: str) -> ImageBuild | None:
        """Return what a service's image is built from, or None; its keys are noted."""
        said = self._files.services[name].get("build")
        if said in _NOTHING:
            return None
        build, refused = read_build(said, self._files.folder, f"{self._at(name)}.build")
        at = f"services.{name}.build"
        for key, value in said.items() if isinstance(said, dict) else ():
            status, reason, _ = BUILD_ROWS.get(key, ("ignored", UNKNOWN, None))
            if status == "refused" and value in _NOTHING:
                status, reason = "ignored", "asks for nothing"
            self._note(f"{at}.{key}", status, reason)
        for argument, why in refused.items():
            self._note(f"{at}.args.{argument}", "refused", why)
        return build

    def _variables(self, name: str) -> dict[str, str]:
        """Return a service's variables: of its files, and over them its own."""
        said, at = self._files.services[name], self._at(name)
        found: dict[str, str] = {}
        for one in said.get("env_file") or ():
            path = one.get("path") if isinstance(one, dict) else one
            found |= self._of_file(str(path), f"services.{name}.env_file")
        own = variables_of(said.get("environment"), f"{at}.environment")
        for variable, value in own.items():
            if value is None:
                why = "variables of the host are not read"
                self._note(f"services.{name}.environment.{variable}", "ignored", why)
        return {**found, **{one: value for one, value in own.items() if value is not None}}

    def _of_file(self, path: str, key: str) -> dict[str, str]:
        try:
            place = path_in_commit(self._files.folder, path, key)
        except InvalidInput:
            self._note(f"{key}: {path}", "refused", "it is not in the repository")
            return {}
        text = self._commit.text(place, FILE_LIMIT)
        if text is None:
            self._note(f"{key}: {path}", "ignored", "the commit has no such file")
        return env_values(text)

    def _mounts(self, name: str) -> Iterator[ServiceMount]:
        at, has = f"services.{name}.volumes", self._commit.entry_id
        where = f"{self._files.place}: {at}"
        for one in mounts_of(self._files.services[name].get("volumes"), where):
            mount = service_mount(one, self._files.folder, has, where)
            self._note(f"{at}: {one.shown}", mount.status, mount.reason)
            yield mount

    def _own_volumes(self, name: str) -> Iterator[VolumeMount]:
        at = f"services.{name}.volumes"
        where = f"{self._files.place}: {at}"
        for one in mounts_of(self._files.services[name].get("volumes"), where):
            if one.is_path:
                self._note(f"{at}: {one.shown}", "ignored", "the worktree is at /workspace")
                continue
            said = {"type": "volume", "source": one.source, "target": one.target}
            shown, mount, why = read_mount(said)
            self._note(f"{at}: {shown}", "used" if mount else "refused", why)
            if mount:
                yield mount

    def _at(self, name: str) -> str:
        return f"{self._files.place}: services.{one_line(name, 60)}"


def compose_places(value: Any, folder: str, file: str) -> list[str]:
    """Return the paths in the commit of `dockerComposeFile`. Raises InvalidInput."""
    many = value if isinstance(value, list) else [value]
    if not many or not all(isinstance(one, str) and one.isprintable() for one in many):
        raise InvalidInput(f"{file}: dockerComposeFile names no file", hint="see containers.dev")
    return [path_in_commit(folder, one, f"{file}: dockerComposeFile") for one in many]
