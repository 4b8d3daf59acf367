"""Names of secrets and where their values come from; a file of the person's, without a value."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from ctui.config.variables import check_variable
from ctui.errors import Conflict, InvalidInput, NotFound, Unavailable
from ctui.file_lock import FileLock
from ctui.files import replace_file
from ctui.paths import Paths, private_folder
from ctui.small_file import read_small_file

Source = Literal["keyring", "environment", "file", "command"]

_FILE_LIMIT = 1 << 20
_LOCK_SECONDS = 10.0


class Secret(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A secret without its value."""

    name: str
    source: Source
    where: str = ""
    """The variable, the file's path or the command; of a keyring the account."""
    kept: bool = False
    """True if ctui wrote that file itself, because no keyring works here."""
    redact: bool = True
    """Take it out of everything that is stored and shown."""
    changed: int = 0
    """Nanoseconds since the epoch."""


_decode = msgspec.json.Decoder(dict[str, Secret]).decode


def all_secrets(paths: Paths) -> dict[str, Secret]:
    """Return every secret by its name.

    Raises:
        Unavailable: the file cannot be read, or is damaged.
    """
    try:
        return _decode(read_small_file(_file(paths), _FILE_LIMIT))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Unavailable(f"{_file(paths)} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise Unavailable(
            f"{_file(paths)} is damaged", hint="remove it, and `ctui secret set` each secret"
        ) from error


def known_secret(paths: Paths, name: str) -> Secret:
    """Return one secret.

    Raises:
        NotFound: there is none of that name.
        Unavailable: as `all_secrets`.
    """
    if (found := all_secrets(paths).get(name)) is None:
        check_variable(name, "", "secret")
        raise NotFound(f"there is no secret {name}", hint=f"`ctui secret set {name}`")
    return found


def check_given(paths: Paths, names: Iterable[str], variables: Iterable[str]) -> tuple[str, ...]:
    """Return the names of secrets for a task, each once.

    Raises:
        NotFound, Unavailable: as `known_secret`.
        InvalidInput: a variable of the task has the same name.
    """
    wanted = tuple(dict.fromkeys(names))
    for name in wanted:
        known_secret(paths, name)
    if twice := sorted(set(wanted) & set(variables)):
        raise InvalidInput(
            f"{twice[0]} is given twice: as a secret and as a variable",
            hint="leave one of them out",
        )
    return wanted


def wanted_secrets(
    paths: Paths, names: Iterable[str], given: Collection[str]
) -> tuple[tuple[str, ...], list[str]]:
    """Return those secrets of a repository's that the person has, and a note for each other one.

    Args:
        paths: whose secrets.
        names: that the repository names.
        given: names that the task has already, as variables or secrets.

    Raises:
        Unavailable: as `all_secrets`.
    """
    wanted = [name for name in dict.fromkeys(names) if name not in given]
    known = all_secrets(paths) if wanted else {}
    notes = [
        f"the repository asks for a secret {name}, and you have none: `ctui secret set {name}`"
        for name in wanted
        if name not in known
    ]
    return tuple(name for name in wanted if name in known), notes


def environment_names(paths: Paths, names: Iterable[str]) -> set[str]:
    """Return the variables that these secrets are taken from; unknown ones need none."""
    wanted = set(names)
    if not wanted:
        return set()
    known = all_secrets(paths)
    return {
        secret.where
        for name, secret in known.items()
        if name in wanted and secret.source == "environment"
    }


def put_secret(paths: Paths, secret: Secret) -> Secret:
    """Write a secret's record in place of an older one, and return it as it is now."""
    new = msgspec.structs.replace(secret, changed=time.time_ns())
    with _changing(paths) as known:
        known[secret.name] = new
    return new


def drop_secret(paths: Paths, name: str) -> None:
    """Forget a secret's record, if there is one."""
    with _changing(paths) as known:
        known.pop(name, None)


def kept_file(paths: Paths, name: str) -> Path:
    """Return where a value lies where no keyring works."""
    return paths.config / "secrets" / name


def account_of(paths: Paths, name: str) -> str:
    """Return the keyring's account of a secret; one for each CTUI_HOME, as that of the login."""
    home = f"-{paths.instance}" if os.environ.get("CTUI_HOME") else ""
    return f"secret{home}:{name}"


def _file(paths: Paths) -> Path:
    return paths.config / "secrets.json"


@contextmanager
def _changing(paths: Paths) -> Iterator[dict[str, Secret]]:
    """Change the file as a whole, one process at a time.

    Raises:
        Conflict: another one changes it for too long.
        Unavailable: it cannot be read or written.
    """
    private_folder(paths.config)
    lock = FileLock(private_folder(paths.state) / "secrets.lock")
    try:
        if not lock.acquire(_LOCK_SECONDS):
            raise Conflict("another ctui changes the secrets", hint="try again")
        with lock:
            known = all_secrets(paths)
            yield known
            replace_file(_file(paths), msgspec.json.encode(dict(sorted(known.items()))))
    except OSError as error:
        raise Unavailable(f"{_file(paths)} cannot be written: {error.strerror}") from error
