"""Values of secrets: stored where the person said, and read anew for each run."""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ctui.claude.login import keyring_store
from ctui.config.variables import check_variable
from ctui.errors import CtuiError, InvalidInput, Unavailable
from ctui.files import replace_file
from ctui.paths import Paths, private_folder
from ctui.redaction.forms import weakness
from ctui.small_file import read_small_file
from ctui.tasks.secrets.registry import (
    Secret,
    account_of,
    all_secrets,
    drop_secret,
    kept_file,
    put_secret,
)
from ctui.text import one_line

LONGEST = 128 * 1024
"""Bytes: no variable can be longer."""
_COMMAND_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_PORTION = 1 << 16


class Values(NamedTuple):
    """Secrets as they are now."""

    variables: dict[str, str]
    redacted: list[str]
    """Values that are taken out of what is stored and shown."""
    problem: CtuiError | None
    """Reason why one of them could not be had."""


def without_newline(data: bytes) -> bytes:
    """Return what a person, a file or a command gave, without the newline that ends its one line.

    Several lines stay as they are: a private key without its last newline is none.
    """
    if data.count(b"\n") == 1 and data.endswith(b"\n"):
        return data[:-1].removesuffix(b"\r")
    return data


def checked(name: str, data: bytes, *, redact: bool) -> str:
    """Return a value that was given, as text.

    Raises:
        InvalidInput: no variable can have it, or it cannot be redacted. The message never holds it.
    """
    try:
        value = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"the secret {name} is not UTF-8", hint="encode it first, for example by base64"
        ) from error
    if not value:
        raise InvalidInput(f"the secret {name} is empty", hint="give its value on stdin")
    check_variable(name, value, "secret")
    if redact and (why := weakness(value)):
        raise InvalidInput(
            f"the secret {name} could not be taken out of what a task prints: {why}",
            hint="choose a better one, or say --no-redact",
        )
    return value


def store_value(paths: Paths, name: str, value: str, *, redact: bool) -> Secret:
    """Store a value in the keyring, or in a file of mode 0600 where none works.

    Raises:
        Unavailable: neither takes it.
    """
    try:
        in_keyring = keyring_store.write(account_of(paths, name), value)
    except Unavailable:
        in_keyring = False
    file = kept_file(paths, name)
    try:
        if in_keyring:
            file.unlink(missing_ok=True)
            where = account_of(paths, name)
            return put_secret(
                paths, Secret(name=name, source="keyring", where=where, redact=redact)
            )
        private_folder(file.parent)
        replace_file(file, value.encode())
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror}") from error
    kept = Secret(name=name, source="file", where=str(file), kept=True, redact=redact)
    return put_secret(paths, kept)


def forget(paths: Paths, secret: Secret) -> None:
    """Forget a secret, and the value of one that ctui stored.

    Raises:
        Unavailable: its value cannot be removed; the secret is still there.
    """
    try:
        if secret.source == "keyring":
            keyring_store.forget(secret.where)
        elif secret.kept:
            kept_file(paths, secret.name).unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(f"{secret.where} cannot be removed: {error.strerror}") from error
    drop_secret(paths, secret.name)


def no_values(_names: Sequence[str], _environ: Mapping[str, str]) -> Values:
    """Return the values of tasks that have no secrets."""
    return Values({}, [], None)


def read_values(paths: Paths, names: Iterable[str], environ: Mapping[str, str]) -> Values:
    """Read secrets of a task: as many as can be had, and the first reason why one cannot."""
    variables: dict[str, str] = {}
    redacted: list[str] = []
    problem: CtuiError | None = None
    wanted = list(names)
    try:
        known = all_secrets(paths) if wanted else {}
    except CtuiError as error:
        return Values({}, [], error)
    for name in wanted:
        try:
            if (secret := known.get(name)) is None:
                raise Unavailable(
                    f"there is no secret {name} any more", hint=f"`ctui secret set {name}`"
                )
            variables[name] = value = read_value(secret, environ)
        except CtuiError as error:
            problem = problem or Unavailable(error.message, hint=error.hint or "mend that")
        else:
            if secret.redact:
                redacted.append(value)
    return Values(variables, redacted, problem)


def stored_secrets(paths: Paths) -> list[Secret]:
    """Return the secrets whose values ctui stored itself. Raises as `all_secrets`."""
    known = all_secrets(paths).values()
    return [one for one in known if one.source == "keyring" or one.kept]


def at_hand(paths: Paths, environ: Mapping[str, str]) -> list[str]:
    """Return the values of secrets that can be read without asking anybody."""
    try:
        known = all_secrets(paths).values()
    except CtuiError:
        return []
    names = [one.name for one in known if one.source in {"environment", "file"}]
    return read_values(paths, names, environ).redacted


def read_value(secret: Secret, environ: Mapping[str, str]) -> str:
    """Return the value of a secret as it is now.

    Raises:
        CtuiError: it cannot be had, or is none; one line says which secret, and why.
    """
    what = f"the secret {secret.name}"
    match secret.source:
        case "keyring":
            found = keyring_store.read(secret.where)
            if found is None:
                raise Unavailable(
                    f"{what} is not in the keyring", hint=f"`ctui secret rotate {secret.name}`"
                )
            data = found.encode("utf-8", "surrogatepass")
        case "environment":
            if secret.where not in environ:
                raise Unavailable(f"{what}: {secret.where} is not set", hint=f"set {secret.where}")
            data = os.fsencode(environ[secret.where])
        case "file":
            try:
                data = read_small_file(Path(secret.where), LONGEST)
                data = data if secret.kept else without_newline(data)
            except OSError as error:
                raise Unavailable(f"{what}: {secret.where}: {error.strerror}") from error
        case "command":
            data = without_newline(_output(secret.name, secret.where, environ))
    return checked(secret.name, data, redact=secret.redact)


def _output(secret: str, command: str, environ: Mapping[str, str]) -> bytes:
    """Return what a command prints; it may ask nobody, and has half a minute."""
    what, name = f"the secret {secret}", one_line(command.split(" ", maxsplit=1)[0], 40)
    try:
        argv = shlex.split(command)
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            cwd="/",
            start_new_session=True,
        )
    except (OSError, ValueError, IndexError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no command"
        raise Unavailable(f"{what}: {name} does not start: {why}") from error
    with process:
        try:
            output, said = _streams(process)
        except subprocess.TimeoutExpired as error:
            raise Unavailable(
                f"{what}: {name} took longer than {_COMMAND_SECONDS:.0f} s",
                hint="unlock it, and try again",
            ) from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    if len(output) > LONGEST:
        check_variable(secret, output.decode("utf-8", "replace"), "secret")
    if process.returncode:
        last = one_line(said.decode("utf-8", "replace").strip().rpartition("\n")[2], 200)
        why = last or f"exit status {process.returncode}"
        raise Unavailable(f"{what}: {name} failed: {why}", hint=f"`{one_line(command, 80)}`")
    return output


def _streams(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Return what a command prints until it ends, and the end of what it says on stderr.

    It is over with the command itself: what that has started may hold the streams for ever.

    Raises:
        TimeoutExpired: it goes on for too long.
    """
    deadline = time.monotonic() + _COMMAND_SECONDS
    output = said = b""
    with selectors.DefaultSelector() as selector:
        for stream in filter(None, (process.stdout, process.stderr)):
            selector.register(stream, selectors.EVENT_READ)
        while len(output) <= LONGEST:
            ended = process.poll() is not None
            ready = selector.select(0 if ended else _LOOK_SECONDS) if selector.get_map() else []
            for key, _ in ready:
                data = os.read(key.fd, _PORTION)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    output += data
                else:
                    said = (said + data)[-_PORTION:]
            if ended and not ready:
                break
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(process.args, _COMMAND_SECONDS)
            if not selector.get_map() and not ended:
                process.wait(max(0.0, deadline - time.monotonic()))
    return output, said
