"""Records of landings that were checked, with the logs of the checks."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from ctui.files import replace_file
from ctui.paths import Paths, private_folder
from ctui.small_file import read_small_file
from ctui.worktrees.landing.landing_commit import Method

_LIMIT = 1 << 18
_RECORDS = 200
_LOGS = 20

Outcome = Literal["passed", "failed", "timed out", "interrupted", "landed"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a check."""

    command: str
    exit: int | None
    """None where it was killed, or did not come to its end."""
    seconds: float
    tree: str
    """Id of the tree that was checked, which is that of the landing's commit."""
    log: str
    """File with what it printed."""


class LandingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A landing that was checked."""

    id: str
    repository: str
    """The main repository's `.git` folder."""
    worktree: str
    branch: str
    target: str
    method: Method
    before: str
    after: str
    commits: int
    environment: str
    """Id of the environment that it was checked in; empty for ctui's default image."""
    outcome: Outcome
    """`passed`: it was not landed, as the target had moved or something was in the way, or ctui was
    killed just then. `interrupted`: by the person, or as the engine failed."""
    when: int
    """Nanoseconds since the epoch."""
    check: Check


class LandingRecords:
    """The files of one home; the oldest go."""

    def __init__(self, paths: Paths) -> None:
        self.folder = paths.state / "landings"

    def new_id(self) -> str:
        """Return an id that comes after all earlier ones, and make room for its files."""
        private_folder(self.folder)
        for kind, kept in (("json", _RECORDS), ("log", _LOGS)):
            for path in sorted(self.folder.glob(f"*.{kind}"))[: -kept + 1]:
                path.unlink(missing_ok=True)
        return f"{int(time.time()):08x}{secrets.token_hex(2)}"

    def log(self, identity: str) -> Path:
        return self.folder / f"{identity}.log"

    def save(self, record: LandingRecord) -> None:
        replace_file(self.folder / f"{record.id}.json", msgspec.json.encode(record))

    def all(self, repository: str | None = None) -> list[LandingRecord]:
        """Return the landings of a repository, or all; newest first."""
        found = sorted(self._read(), key=lambda one: (-one.when, one.id))
        return [one for one in found if repository is None or one.repository == repository]

    def _read(self) -> Iterator[LandingRecord]:
        for path in self.folder.glob("*.json"):
            with suppress(OSError, msgspec.MsgspecError):
                yield msgspec.json.decode(read_small_file(path, _LIMIT), type=LandingRecord)
