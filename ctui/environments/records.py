"""Records of environments on this machine: those that were built, consents, choices.

Each is a small file of JSON below the state folder, written as a whole.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from ctui.environments.definition.definition import KeyReport, VolumeMount
from ctui.errors import NotFound
from ctui.file_lock import FileLock
from ctui.files import replace_file
from ctui.paths import Paths, private_folder
from ctui.rmtree import erase_folder
from ctui.sandbox.named_ports import NamedPort
from ctui.sandbox.services import Service
from ctui.small_file import read_small_file
from ctui.text import one_line

State = Literal["none", "stale", "building", "ready", "failed"]
T = TypeVar("T")

_LIMIT = 4 << 20
_END_BYTES = 1 << 14
_END_LINES = 20
_ID = re.compile(r"[0-9a-f]{16}")


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """An environment that was built, or should have been."""

    id: str
    repository: str
    """The main repository's `.git` folder."""
    source: str
    file: str
    commit: str
    state: Literal["building", "ready", "failed"]
    image: str = ""
    """Tag of the image that tasks run in."""
    made_with: str = ""
    """Tag of ctui's own image when it was built: another one means another ctui or settings."""
    bases: dict[str, str] = {}
    """Images underneath, those that the definition names or ctui's own, with the ids of then."""
    carry: tuple[str, ...] = ()
    """Folders below `carried` that come into new worktrees."""
    volumes: tuple[VolumeMount, ...] = ()
    secrets: tuple[str, ...] = ()
    """Names of secrets that its tasks get where the person has set one."""
    start_commands: tuple[str, ...] = ()
    """Lines for the shell that run at each start of its tasks."""
    services: tuple[Service, ...] = ()
    ports: tuple[NamedPort, ...] = ()
    """Words on the ports of its tasks."""
    env: dict[str, str] = {}
    """Variables of its definition, as they are in the image."""
    keys: tuple[KeyReport, ...] = ()
    seconds: float = 0.0
    created: int = 0
    used: int = 0
    """Time of the last task that started in it, in nanoseconds since the epoch."""
    problem: str = ""

    @property
    def mount_points(self) -> dict[str, str]:
        """Return the names of its volumes by where they are mounted."""
        return {one.target: one.name for one in self.volumes}


class Consent(msgspec.Struct, frozen=True):
    """A person's consent to what is built and run."""

    repository: str
    digest: str
    what: str
    created: int


class Records:
    """The files of one home."""

    def __init__(self, paths: Paths) -> None:
        self._folder = paths.state / "environments"
        self._data = paths.data / "environments"

    # -- environments

    def get(self, environment: str) -> Environment | None:
        """Return what is known of an environment, or None."""
        found = self._read(self._folder / f"{environment}.json", Environment)
        if found is not None and found.state == "building" and not self.is_building(found.id):
            return msgspec.structs.replace(
                found, state="failed", problem="its build was cut off: build it again"
            )
        return found

    def all(self, repository: str | None = None) -> list[Environment]:
        """Return the environments of a repository, or all; newest first."""
        found = [one for name in self._names() if (one := self.get(name)) is not None]
        chosen = [one for one in found if repository is None or one.repository == repository]
        return sorted(chosen, key=lambda one: (-one.created, one.id))

    def named(self, name: str) -> Environment:
        """Return the environment whose id begins so.

        Raises:
            NotFound: there is none, or there are several.
        """
        found = [one for one in self._names() if name and one.startswith(name)]
        record = self.get(found[0]) if len(found) == 1 else None
        if record is None:
            what = "no environment" if not found else "more than one environment"
            raise NotFound(f"there is {what} {one_line(name)}", hint="ctui env list")
        return record

    def save(self, environment: Environment) -> None:
        self._write(self._folder / f"{environment.id}.json", environment)

    def touch(self, environment: Environment) -> None:
        """Note that a task starts in it."""
        self.save(msgspec.structs.replace(environment, used=time.time_ns()))

    def remove(self, environment: str) -> None:
        """Forget an environment, with its log and the folders that it carries."""
        for name in (f"{environment}.json", f"{environment}.log"):
            (self._folder / name).unlink(missing_ok=True)
        erase(self.place(environment))

    def state(self, environment: str, repository: str) -> State:
        """Return the state of an environment for `env show`."""
        found = self.get(environment)
        if found is not None:
            return found.state
        if self.is_building(environment):
            return "building"
        ready = [one for one in self.all(repository) if one.state == "ready"]
        return "stale" if ready else "none"

    def lock(self, environment: str) -> FileLock:
        """Return the lock of whoever builds it."""
        return FileLock(private_folder(self._folder) / f"{environment}.lock")

    def is_building(self, environment: str) -> bool:
        """Return True while another process builds it."""
        if not (self._folder / f"{environment}.lock").exists():
            return False
        lock = self.lock(environment)
        if not lock.acquire(0):
            return True
        with lock:
            return False

    def log(self, environment: str) -> Path:
        """Return the file that has all that its build and set-up printed."""
        return private_folder(self._folder) / f"{environment}.log"

    def log_end(self, environment: str) -> list[str]:
        """Return the last lines of a log, sanitised, from the step that they are of."""
        with suppress(OSError), self.log(environment).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _END_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()[-_END_LINES:]
            steps = [number for number, line in enumerate(lines) if line.startswith("$ ")]
            return [one_line(line, 400) for line in lines[steps[-1] if steps else 0 :]]
        return []

    def place(self, environment: str) -> Path:
        """Return the folder of its set-up and of what it carries."""
        return self._data / environment

    def carried(self, environment: str) -> Path:
        return self.place(environment) / "carry"

    # -- consents and choices

    def consents(self, repository: str) -> list[Consent]:
        """Return what the person consented to in a repository."""
        found = (
            self._read(path, Consent)
            for path in sorted((self._folder / "consents").glob(f"{_key(repository)}-*.json"))
        )
        return [one for one in found if one is not None and one.repository == repository]

    def has_consent(self, repository: str, digest: str) -> bool:
        """Return True if the person consented to exactly this content in that repository."""
        return any(one.digest == digest for one in self.consents(repository))

    def give_consent(self, repository: str, digest: str, what: str) -> None:
        """Remember the person's consent."""
        path = self._folder / "consents" / f"{_key(repository)}-{digest}.json"
        private_folder(path.parent)
        self._write(path, Consent(repository, digest, what, time.time_ns()))

    def chosen(self, repository: str) -> str:
        """Return the name of the devcontainer that was chosen, or ""."""
        return self._read(self._folder / "chosen" / f"{_key(repository)}.json", str) or ""

    def choose(self, repository: str, devcontainer: str) -> None:
        """Remember which of several devcontainers counts."""
        path = self._folder / "chosen" / f"{_key(repository)}.json"
        private_folder(path.parent)
        self._write(path, devcontainer)

    def _names(self) -> Iterator[str]:
        with suppress(FileNotFoundError):
            for path in sorted(self._folder.iterdir()):
                if path.suffix == ".json" and _ID.fullmatch(path.stem):
                    yield path.stem

    def _read(self, path: Path, kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode(read_small_file(path, _LIMIT), type=kind)
        except (OSError, msgspec.MsgspecError):
            return None

    def _write(self, path: Path, value: object) -> None:
        private_folder(self._folder)
        replace_file(path, msgspec.json.encode(value))


def erase(folder: Path) -> None:
    """Delete what a set-up has written, whatever modes its folders have; no link is followed."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
        return
    erase_folder(folder)


def _key(repository: str) -> str:
    return hashlib.sha256(os.fsencode(repository)).hexdigest()[:16]
