"""The shapes of what commands print with `--json`: docs/schemas is made from them.

A shape may get more fields; none that is there changes its meaning or goes away.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ctui.client.access.services import ShownService
from ctui.client.landing.records import Check
from ctui.sandbox.docker.old_images import BuiltImage
from ctui.tasks.asks.shape import AskShape, ask_members
from ctui.tasks.model import Alarm, Answer, Ask, Run, Task
from ctui.tasks.turn import Turn
from ctui.worktrees.landing.land import Landed


class Failure(msgspec.Struct, frozen=True):
    """Reason why a command failed; the exit code is 1, or 2 for wrong usage."""

    error: str
    hint: str


class ListedTask(msgspec.Struct, frozen=True):
    """A task of `task list`."""

    task: Task
    asks: int
    """Number of its asks that wait for an answer."""


class ShownAsk(AskShape, frozen=True, kw_only=True):
    """One thing that a task asks, and what was answered."""

    id: int
    task: str
    run: int
    request: str
    input: msgspec.Raw
    """The tool's input; what is allowed runs with this."""
    details: msgspec.Raw
    created: int
    answer: Answer | None


def shown_ask(ask: Ask) -> ShownAsk:
    """Return an ask as commands print it."""
    return ShownAsk(
        id=ask.id,
        task=ask.task,
        run=ask.run,
        request=ask.request,
        input=ask.input,
        details=ask.details,
        created=ask.created,
        answer=ask.answer,
        **ask_members(ask),
    )


class ShownTask(msgspec.Struct, frozen=True):
    """A task with everything that it did and asked."""

    task: Task
    asks: list[ShownAsk]
    runs: list[Run]
    alarms: list[Alarm]
    """Events on its channel that its driver did not cause."""
    services: list[ShownService] = []
    """Services beside its sandbox."""


class ShownTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn of a task; they count from 1."""

    turn: int
    prompt: str
    started: int
    """Nanoseconds since the epoch."""
    ended: int | None
    snapshot: str | None
    """Id of the snapshot of its end; None where none could be taken, or not yet."""
    files: int | None
    """Number of files that it changed; None where that is not known."""
    added: int | None
    removed: int | None
    cost_usd: float
    commit: str | None
    """Commit that was checked out at its end."""


def shown_turn(turn: Turn) -> ShownTurn:
    """Return a turn as commands show it."""
    return ShownTurn(
        turn=turn.turn,
        prompt=turn.prompt,
        started=turn.started,
        ended=turn.ended,
        snapshot=turn.snapshot or None,
        files=turn.files,
        added=turn.added,
        removed=turn.removed,
        cost_usd=turn.cost_usd,
        commit=turn.head or None,
    )


class StartedTask(Task, kw_only=True):
    """A task that `run --detach` has started."""

    notes: list[str]
    """Things that it will not find, and the option that changes that."""


class ShownTrust(msgspec.Struct, frozen=True):
    """A repository whose own Claude settings are trusted for good."""

    id: int
    repository: str
    """The main repository's `.git` folder."""
    digest: str
    """SHA-256 of the settings' content; empty for one of an older ctui."""
    what: str
    created: int
    """Nanoseconds since the epoch."""
    state: Literal["counts", "changed", "unbound", "unknown"]
    """`changed`: HEAD has other settings now. `unbound`: of an older ctui, and counts nowhere."""


class RemovedTask(msgspec.Struct, frozen=True):
    """A task that has left the list."""

    removed: str
    purged: bool
    trash_id: str | None
    """Id that `worktree restore` takes, if the worktree went into the trash."""


class Committed(msgspec.Struct, frozen=True):
    """Result of `worktree commit`."""

    commit: str
    branch: str
    files: int


class LandedWorktree(Landed, frozen=True, kw_only=True, omit_defaults=True):
    """Result of `worktree land`, or with --dry-run what it would be."""

    pushed: bool
    dry_run: bool
    error: str = ""
    """Reason why it was landed but not pushed; left out otherwise."""
    hint: str = ""
    check: Check | None = None
    """The check that it passed; left out where there was none."""


class NotLanded(Failure, frozen=True, kw_only=True):
    """Failure of `worktree land` whose check did not pass."""

    check: Check


class Pushed(msgspec.Struct, frozen=True):
    """Result of `worktree push`."""

    remote: str
    branch: str
    commit: str
    pull_request: str | None


class KeptImage(msgspec.Struct, frozen=True):
    """An image that is needed, or not of this ctui."""

    name: str
    reason: str


class CleanedImages(msgspec.Struct, frozen=True):
    """Result of `image clean`, or with --dry-run what it would be."""

    removed: list[BuiltImage]
    refused: list[KeptImage]


class ShownSetting(msgspec.Struct, frozen=True):
    """A key, its value and where that comes from."""

    key: str
    value: Any
    default: Any
    origin: Literal["default", "user file", "repository file", "environment"]
    where: str
    """The file or the variable; empty for a default."""
    line: int | None
    """Line of the user's file."""


class ShownConfig(msgspec.Struct, frozen=True):
    """Every setting that counts now."""

    file: str
    settings: list[ShownSetting]


class FoundProblem(msgspec.Struct, frozen=True):
    """Something wrong in a file of settings, or a variable that means nothing."""

    line: int | None
    key: str
    message: str
    hint: str


class ValidatedConfig(msgspec.Struct, frozen=True):
    """Result of `config validate`."""

    file: str
    ok: bool
    problems: list[FoundProblem]


class TakenSetting(msgspec.Struct, frozen=True):
    """A setting of claude-task that is a setting here."""

    source: str
    key: str
    value: Any
    note: str


class LeftSetting(msgspec.Struct, frozen=True):
    """A setting of claude-task that was not taken over, and why."""

    source: str
    reason: str


class ImportedConfig(msgspec.Struct, frozen=True):
    """Result of `config import`, or with --dry-run what it would be."""

    file: str
    taken: list[TakenSetting]
    left: list[LeftSetting]


class DoneStep(msgspec.Struct, frozen=True):
    """One thing that `setup` saw to."""

    name: Literal["login", "image", "volumes"]
    done: bool
    """False where nothing had to be done."""
    said: str


class ShownHostRule(msgspec.Struct, frozen=True):
    """A host that somebody allows, denies, or lets tasks sign in at."""

    id: int | None
    """None for one of the settings."""
    effect: Literal["allow", "deny", "sign"]
    """`sign` lets it be signed in at by ssh, with the key that the settings name."""
    host: str
    origin: Literal["settings", "person", "repository", "task"]


class ShippedHost(msgspec.Struct, frozen=True):
    """A host of ctui's own list."""

    host: str
    ports: list[int]
    source: str
    """Document that says that a tool needs it."""


class OpenedHost(msgspec.Struct, frozen=True):
    """A host whose tunnels are opened, because requests to it get a credential."""

    host: str
    header: str
    """Name of the header."""
    secret: str
    """Name of the secret."""


class SshHost(msgspec.Struct, frozen=True):
    """A host that tasks may sign in at by ssh."""

    host: str
    key: str
    """File of the key."""


class ShownNetwork(msgspec.Struct, frozen=True):
    """The reach of tasks."""

    mode: Literal["open", "allow", "closed"]
    gateway: bool
    """New tasks are sealed behind the gateway."""
    rules: list[ShownHostRule]
    private: list[str]
    opened: list[OpenedHost]
    ssh: list[SshHost]
    shipped: list[ShippedHost]
    offered: list[str] = []
    """Hosts that whoever starts a task by HTTP or MCP may allow it."""


class ShownLogin(msgspec.Struct, frozen=True):
    """A login with a name, without its value."""

    name: str
    kind: Literal["api-key", "auth-token", "oauth"]
    place: Literal["keyring", "file"]
    stored: int
    """Nanoseconds since the epoch."""
    tasks: list[str]
    """Tasks on the list that have it."""


class ShownSecret(msgspec.Struct, frozen=True):
    """A secret, without its value."""

    name: str
    source: Literal["keyring", "environment", "file", "command"]
    where: str
    """The variable, the file's path or the command; of a keyring the account."""
    redacted: bool
    """It is taken out of everything that is stored and shown."""
    tasks: list[str]
    """Tasks on the list that have it."""
    last_given: int | None
    """Time of the last run that got it, in nanoseconds since the epoch."""


class ServeToken(msgspec.Struct, frozen=True):
    """Token that clients of `ctui serve` show."""

    token: str
