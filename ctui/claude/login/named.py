"""Logins with a name, beside the one that `ctui setup` stores: for tasks that ask for them.

The file of names has no secret in it. A value is in the platform's keyring, or where none works in
a file of mode 0600 of its own, as the other one's is.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from ctui.claude.login import keyring_store
from ctui.claude.login.credentials import Credential, Kind, account_of, credential_of, text_of
from ctui.errors import Conflict, InvalidInput, LoginRequired, NotFound, Unavailable
from ctui.file_lock import FileLock
from ctui.files import replace_file
from ctui.paths import Paths, private_folder
from ctui.small_file import read_small_file

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_RESERVED = frozenset({"default", "list", "remove"})
_LIMIT = 1 << 16
_LOCK_SECONDS = 10.0
_WINDOW = 300.0
"""Seconds for which a keyring is not asked again."""


class NamedLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A login without its value."""

    name: str
    kind: Kind
    place: Literal["keyring", "file"]
    stored: int
    """Nanoseconds since the epoch."""


_decode = msgspec.json.Decoder(dict[str, NamedLogin]).decode


def named_logins(paths: Paths) -> dict[str, NamedLogin]:
    """Return all of them by name.

    Raises:
        Unavailable: the file of names cannot be read, or is damaged.
    """
    try:
        return _decode(read_small_file(_file(paths), _LIMIT))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Unavailable(f"{_file(paths)} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        hint = "remove it, and `ctui login --login NAME` each of them"
        raise Unavailable(f"{_file(paths)} is damaged", hint=hint) from error


def check_login_name(name: str) -> None:
    """Refuse what no login can be called.

    Raises:
        InvalidInput: what is wrong with it.
    """
    if not NAME.fullmatch(name) or name in _RESERVED:
        raise InvalidInput(
            f"{name[:40]!r} cannot be a login's name",
            hint="use up to 32 of A-Z, a-z, 0-9, '.', '_' and '-', and not a command's word",
        )


def known_login(paths: Paths, name: str) -> NamedLogin:
    """Return the record of a login.

    Raises:
        NotFound: there is none of that name.
        Unavailable: as `named_logins`.
    """
    check_login_name(name)
    if (found := named_logins(paths).get(name)) is None:
        raise NotFound(f"there is no login {name}", hint=f"`ctui login --login {name}` stores it")
    return found


def store_named(paths: Paths, name: str, credential: Credential) -> NamedLogin:
    """Store a login in place of an older one of that name.

    Raises:
        Unavailable: neither a keyring nor the config folder takes it.
    """
    check_login_name(name)
    file = _kept(paths, name)
    try:
        in_keyring = keyring_store.write(_account(paths, name), text_of(credential))
    except Unavailable:
        in_keyring = False
    try:
        if in_keyring:
            file.unlink(missing_ok=True)
        else:
            private_folder(file.parent)
            replace_file(file, text_of(credential).encode())
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror}") from error
    made = NamedLogin(
        name=name,
        kind=credential.kind,
        place="keyring" if in_keyring else "file",
        stored=time.time_ns(),
    )
    with _changing(paths) as known:
        known[name] = made
    return made


def remove_named(paths: Paths, name: str) -> None:
    """Forget a login and its value.

    Raises:
        NotFound: there is none of that name.
        Unavailable: the value cannot be removed; the login is still there.
    """
    found = known_login(paths, name)
    try:
        if found.place == "keyring":
            keyring_store.forget(_account(paths, name))
        _kept(paths, name).unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(f"the login {name} cannot be removed: {error.strerror}") from error
    with _changing(paths) as known:
        known.pop(name, None)


class NamedSearch:
    """Values of named logins, each asked for once by all that start at once."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._lock = threading.Lock()
        self._found: dict[str, tuple[float, NamedLogin, Credential]] = {}

    def find(self, name: str, *, but: str = "") -> Credential:
        """Return the value of a login.

        Args:
            name: of the login.
            but: a value that was rejected: it is looked for anew.

        Raises:
            LoginRequired: it was removed, or its value cannot be had.
        """
        with self._lock:
            record = self._record(name)
            if (kept := self._found.get(name)) is not None:
                at, seen, credential = kept
                fresh = time.monotonic() - at < _WINDOW and seen == record
                if fresh and credential.value != but:
                    return credential
            credential = self._read(record)
            self._found[name] = (time.monotonic(), record, credential)
            return credential

    def _record(self, name: str) -> NamedLogin:
        try:
            return known_login(self._paths, name)
        except (NotFound, Unavailable, InvalidInput) as error:
            message = f"{error.message} any more" if isinstance(error, NotFound) else error.message
            raise LoginRequired(message, hint=error.hint) from error

    def _read(self, record: NamedLogin) -> Credential:
        try:
            if record.place == "keyring":
                text = keyring_store.read(_account(self._paths, record.name)) or ""
            else:
                text = read_small_file(_kept(self._paths, record.name), _LIMIT).decode().strip()
        except (Unavailable, OSError, UnicodeDecodeError) as error:
            why = error.message if isinstance(error, Unavailable) else "its file cannot be read"
            raise self._gone(record.name, why) from error
        if (found := credential_of(text)) is None:
            raise self._gone(record.name, f"the {record.place} does not have it")
        return found

    @staticmethod
    def _gone(name: str, why: str) -> LoginRequired:
        hint = f"`ctui login --login {name}` stores it anew"
        return LoginRequired(f"the login {name} cannot be had: {why}", hint=hint)


def _account(paths: Paths, name: str) -> str:
    return f"{account_of(paths)}:{name}"


def _kept(paths: Paths, name: str) -> Path:
    return paths.config / "logins" / name


def _file(paths: Paths) -> Path:
    return paths.config / "logins.json"


@contextmanager
def _changing(paths: Paths) -> Iterator[dict[str, NamedLogin]]:
    """Change the file of names as a whole, one process at a time."""
    try:
        private_folder(paths.config)
        lock = FileLock(private_folder(paths.state) / "logins.lock")
        if not lock.acquire(_LOCK_SECONDS):
            raise Conflict("another ctui changes the logins", hint="try it again then")
        with lock:
            known = named_logins(paths)
            yield known
            replace_file(_file(paths), msgspec.json.encode(known))
    except OSError as error:
        raise Unavailable(f"{_file(paths)} cannot be written: {error.strerror}") from error
