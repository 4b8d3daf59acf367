"""`[environment.services.NAME]` of `.ctui.toml`, and the same tables in the person's own file."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping
from typing import Any

from ctui.config.variables import NAME
from ctui.environments.definition.commit_files import path_in_commit
from ctui.environments.definition.definition import KeyReport
from ctui.environments.definition.services.rules import check_name, checked_services
from ctui.environments.definition.variable_names import text_values
from ctui.errors import InvalidInput
from ctui.sandbox.services import WAIT_SECONDS, ImageBuild, Service
from ctui.text import one_line

SERVICE_KEYS: Mapping[str, tuple[str, Any]] = {
    "image": ("the image that it runs; the engine's own, or pulled", "postgres:16"),
    "dockerfile": ("is built instead; a path in the repository", "db/Dockerfile"),
    "context": ("the folder that the build gets; the repository without it", "db"),
    "env": ("its variables", {"POSTGRES_PASSWORD": "postgres"}),
    "command": ("instead of the image's command", ["-c", "fsync=off"]),
    "health": ("a command in it, which succeeds once it is ready", "pg_isready"),
    "port": ("the port that it listens on; what is checked without `health`", 5432),
    "wait": ("seconds until it must be ready; 60 without it", 120),
    "data": (
        "`run`: nothing is kept; `task`: what it writes into its volumes; or a folder",
        "task",
    ),
    "user": ("the user that it begins as; the image's own without it", "postgres"),
}
"""Key of a service -> what is done with it, and an example."""

LONGEST_WAIT = 900
_IMAGE = re.compile(r"[A-Za-z0-9][\w./:@-]{0,254}", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9_][\w.-]{0,63}(:[A-Za-z0-9_][\w.-]{0,63})?", re.ASCII)
_WORDS, _WORD_BYTES = 200, 1 << 15
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def read_services(table: object, file: str) -> tuple[tuple[Service, ...], list[KeyReport]]:
    """Return the services that a table of tables says, and a report of each key.

    Raises:
        InvalidInput: with the key that is wrong.
    """
    where = f"{file}: environment.services"
    if not isinstance(table, dict):
        raise InvalidInput(f"{where} is a section", hint="write [environment.services.db]")
    found, keys = [], []
    for name, said in table.items():
        check_name(name, where)
        if not isinstance(said, dict):
            raise InvalidInput(
                f"{where}.{name} is a section", hint=f"write [environment.services.{name}]"
            )
        found.append(_Table(said, f"{where}.{name}").service(name))
        keys += [
            KeyReport(f"environment.services.{name}.{key}", file, "used", SERVICE_KEYS[key][0])
            for key in said
        ]
    return checked_services(found, file), keys


class _Table:
    """Reads the keys of one service."""

    def __init__(self, table: dict[str, Any], where: str) -> None:
        self._table = table
        self._where = where

    def service(self, name: str) -> Service:
        for key in self._table:
            if key not in SERVICE_KEYS:
                import difflib

                near = difflib.get_close_matches(key, SERVICE_KEYS, n=1)
                every = ", ".join(SERVICE_KEYS)
                hint = f"did you mean {near[0]}?" if near else f"its keys: {every}"
                raise InvalidInput(f"{self._where} has no {one_line(key)}", hint=hint)
        data = self._text("data", "run")
        if data not in {"run", "task"}:
            data = check_folder(data, f"{self._where}.data")
        build = self._build()
        return Service(
            name=name,
            image="" if build else check_image(self._text("image"), f"{self._where}.image"),
            build=build,
            env=self._env(),
            command=command_words(self._table.get("command", []), f"{self._where}.command"),
            health=health_words(self._table.get("health", []), f"{self._where}.health"),
            port=self._number("port", 0, 65535),
            wait=self._number("wait", WAIT_SECONDS, LONGEST_WAIT),
            user=check_user(self._text("user"), f"{self._where}.user"),
            keeps_data=data == "task",
            kept=() if data in {"run", "task"} else (data,),
        )

    def _build(self) -> ImageBuild | None:
        dockerfile, context = self._text("dockerfile"), self._text("context")
        if (dockerfile or context) and self._text("image"):
            raise InvalidInput(
                f"{self._where}: image and dockerfile exclude each other", hint="keep one"
            )
        if not dockerfile:
            return None
        return ImageBuild(
            dockerfile=path_in_commit("", dockerfile, f"{self._where}.dockerfile"),
            context=path_in_commit("", context, f"{self._where}.context"),
        )

    def _text(self, key: str, default: str = "") -> str:
        value = self._table.get(key, default)
        if not isinstance(value, str) or not value.isprintable():
            raise _wrong(f"{self._where}.{key}", "is no plain text")
        return value

    def _number(self, key: str, default: int, most: int) -> int:
        value = self._table.get(key, default)
        if value == default:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise _wrong(f"{self._where}.{key}", f"is no number from 1 to {most}")
        return value

    def _env(self) -> dict[str, str]:
        return check_variables(self._table.get("env", {}), f"{self._where}.env")


def check_image(image: str, where: str) -> str:
    """Return the reference of an image. Raises InvalidInput if it can be none."""
    if not _IMAGE.fullmatch(image):
        raise InvalidInput(f"{where}: {one_line(image)!r} is no image", hint="such as postgres:16")
    return image


def check_user(user: str, where: str) -> str:
    """Return the name or number of a user, "" for the image's. Raises InvalidInput."""
    if user and not _USER.fullmatch(user):
        raise InvalidInput(f"{where}: {one_line(user)!r} is no user", hint="such as postgres")
    return user


def check_folder(path: str, where: str) -> str:
    """Return a folder in a service's container. Raises InvalidInput if it can be none."""
    normal = posixpath.normpath(path)
    outside = not path.startswith("/") or normal in {"/", "//"}
    if outside or any(f"{normal}/".startswith(f"{one}/") for one in ("/proc", "/sys", "/dev")):
        raise InvalidInput(
            f"{where}: {one_line(path)!r} can be no folder of a service",
            hint="an absolute path in its image, such as /var/lib/data",
        )
    if not normal.isprintable() or len(normal) > 255 or ":" in normal:
        raise _wrong(where, "has a character that no folder should have")
    return normal


def check_variables(value: object, where: str) -> dict[str, str]:
    """Return a service's variables. Raises InvalidInput if a name or a value can be none."""
    values = text_values(value)
    if values is None or not all(NAME.fullmatch(name) for name in values):
        raise _wrong(where, "is no table of names and texts")
    if any(len(one) > _WORD_BYTES for one in values.values()) or len(values) > _WORDS:
        raise _wrong(where, "is too long")
    return values


def command_words(value: object, where: str) -> tuple[str, ...]:
    """Return a command's words; a text is cut as a shell cuts it. Raises InvalidInput."""
    if isinstance(value, str):
        try:
            value = shlex.split(value)
        except ValueError as error:
            raise _wrong(where, "has a quote that is not closed") from error
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _wrong(where, "is no command: a text, or a list of texts")
    if len(value) > _WORDS or any(len(one) > _WORD_BYTES or _NO_TEXT.search(one) for one in value):
        raise _wrong(where, "is too long, or has a character that no command can have")
    return tuple(value)


def health_words(value: object, where: str) -> tuple[str, ...]:
    """Return the command that looks whether it is ready; a text is one for the shell."""
    if isinstance(value, str) and value.strip():
        value = ["/bin/sh", "-c", value]
    return command_words(value or [], where)


def _wrong(where: str, what: str) -> InvalidInput:
    return InvalidInput(f"{where} {what}", hint="see docs/environments.md, Services")
