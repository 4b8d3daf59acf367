"""Jobs, which take time in a run's life. A job changes nothing: its end, or what it reads, is mail.

All jobs can be cancelled at any moment. One that makes a sandbox then removes it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ctui.claude.protocol.events import is_partial
from ctui.errors import (
    Conflict,
    CtuiError,
    ExternalFailure,
    LoginRequired,
    NotFound,
    Refused,
    RunnerUnavailable,
    Unavailable,
)
from ctui.sandbox.runner import LogLine, SandboxState
from ctui.tasks.calls import RemoveTask
from ctui.tasks.disk_usage import Usage
from ctui.tasks.mailbox.mail import Lines
from ctui.tasks.mailbox.step import RunOver
from ctui.tasks.model import Run, Task, WorkState
from ctui.tasks.runs.channel import Channel
from ctui.tasks.runs.launch import Launch, first_line_of, home_of, prepare
from ctui.tasks.session.greeting import RELAY_GREETED, initialize, initialize_id

if TYPE_CHECKING:
    from ctui.tasks.mailbox.step import Standing
    from ctui.tasks.runs.actor import TaskActor

T = TypeVar("T")

_PASSING = (Unavailable, ExternalFailure)
"""Errors that a runner gives for what exists, and may not give the next time."""
RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 2.0
_GRACE_SECONDS = 5.0
_FROZEN_GRACE_SECONDS = 1.0
"""For what exceeded a limit: it goes on to write while it is asked to end."""
_CREATE_SECONDS = 120.0
_FREEZE_TRIES = 10
_PORTION = 100
"""Lines that are taken at once: other mail, and other tasks, have their turn between two."""


class Adopted(NamedTuple):
    """A run of an earlier driver whose journal was read to its present end."""

    state: SandboxState | None
    channel: Channel | None
    """None where the sandbox does not run."""


async def prepare_run(actor: TaskActor, standing: Standing) -> Launch:
    """Find the login, and describe the next sandbox.

    Raises:
        CtuiError: what is missing.
    """
    task = standing.task
    services = actor.services
    account = await services.logins.of(task, needed=True)
    config = standing.config or services.config()
    return await _patiently(actor, lambda: prepare(services, config, task, account))


async def create(actor: TaskActor, launch: Launch, run: Run) -> Channel:
    """Make the sandbox of a run and start the CLI in it, as soon as the runner answers.

    Raises:
        CtuiError: it cannot be made or started; nothing of it is left.
    """
    tries = 0
    while True:
        starting = asyncio.Event()
        attempt = asyncio.ensure_future(_attempt(actor, launch, run, starting))
        try:
            channel = await asyncio.shield(attempt)
        except asyncio.CancelledError:
            if starting.is_set():
                return await attempt  # it may have said something: it is followed, and then stopped
            # What a runner has begun it ends: whoever gives up here must not leave one behind.
            attempt.cancel()
            with suppress(asyncio.CancelledError, CtuiError):
                await attempt
            raise
        except (RunnerUnavailable, Conflict) as error:
            tries += 1
            await _wait(actor, error, tries)
        else:
            if tries:
                actor.around.trouble_over(actor)
            return channel


async def _attempt(actor: TaskActor, launch: Launch, run: Run, starting: asyncio.Event) -> Channel:
    runner, channel = actor.services.runner, None
    making = asyncio.ensure_future(runner.create(launch.spec))
    try:
        async with asyncio.timeout(_CREATE_SECONDS):
            channel = Channel(runner, await asyncio.shield(making))
            await channel.open(torn=False)
            greet(channel, launch.first_line, run)
            starting.set()
            await runner.start(channel.sandbox)
    except BaseException as error:  # whatever it was: the next attempt needs the name
        if channel is not None:
            await channel.close()
        with suppress(CtuiError):
            await asyncio.shield(making)
        with suppress(CtuiError):
            await runner.remove(launch.spec.name)
        if isinstance(error, TimeoutError):
            raise RunnerUnavailable("the engine makes no sandbox", hint="`ctui doctor`") from error
        raise
    return channel


def greet(channel: Channel, first_line: bytes, run: Run) -> None:
    """Say what begins every run: the secrets to the relay, and hello to the CLI."""
    channel.send(first_line, key=RELAY_GREETED)
    channel.send(initialize(run), key=initialize_id(run))


async def adopt(actor: TaskActor, run: Run, epoch: int) -> Adopted:
    """Find a run of an earlier driver, and read its journal to the present end.

    It needs neither image nor network nor volume: what runs is taken as it is.

    Raises:
        LoginRequired: the CLI was never started, and there is no login to start it with.
        CtuiError: the runner does not know what it says.
    """
    archived = await actor.services.journals.archived(run)
    while True:
        sandbox = await _find(actor, run)
        if sandbox is None:
            return Adopted(None, None)
        try:
            await _replay(actor, sandbox, archived, epoch)
            state = await actor.services.runner.state(sandbox)
            if state is None or not state.running:
                # It may have said something more before it ended.
                await _replay(actor, sandbox, archived, epoch)
                return Adopted(state, None)
            return Adopted(state, await _enter(actor, sandbox, run))
        except NotFound:
            continue
        except LoginRequired:
            raise
        except _PASSING as error:
            await _wait(actor, error, tries=1)


async def follow(actor: TaskActor, sandbox: str, epoch: int) -> RunOver:
    """Take the journal's lines as they come; return when the sandbox does not run any more."""
    runner = actor.services.runner
    lost = False
    while True:
        try:
            after = actor.standing.view.seen
            async for batch in runner.journal(sandbox, after, follow=True):
                await _take(actor, epoch, batch)
            state = await runner.state(sandbox)
            if state is not None and not state.running:
                # An engine that is busy ends the stream before it has told the last lines.
                after = actor.standing.view.seen
                async for batch in runner.journal(sandbox, after, follow=False):
                    await _take(actor, epoch, batch)
        except NotFound:
            return RunOver(None, lost)
        except _PASSING as error:
            lost = True
            await _wait(actor, error, tries=1)
            await _insist(actor, lambda: runner.state(sandbox))
            actor.around.trouble_over(actor)
            actor.renew_channel()
            continue
        if state is None or not state.running:
            return RunOver(state, lost)
        await asyncio.sleep(RETRY_SECONDS)


async def stop(actor: TaskActor, task: str) -> None:
    """Stop every sandbox of the task; try until it is done."""
    runner = actor.services.runner
    grace = _FROZEN_GRACE_SECONDS if actor.standing.task.paused else _GRACE_SECONDS
    found = await _insist(actor, lambda: runner.list_ours(task))
    for item in found:
        if item.running:
            await _insist(actor, lambda one=item.id: runner.stop(one, grace=grace))  # type: ignore[misc]


class Closed(NamedTuple):
    """No sandbox of a task is left."""

    work: WorkState | None
    another_login: bool
    """There is another login than the one that was rejected."""


async def close(actor: TaskActor, task: Task, *, rejected: bool) -> Closed:
    """Leave no sandbox of the task behind, and bring its work home.

    With `rejected` it looks for another login.
    """
    runner = actor.services.runner
    await stop(actor, task.id)
    await actor.services.journals.sync(task.id)
    work = await actor.services.workspace.collect(task)
    while found := await _insist(actor, lambda: runner.list_ours(task.id)):
        for item in found:
            await _insist(actor, lambda one=item.id: runner.remove(one))  # type: ignore[misc]
    another = rejected and await actor.services.logins.another(task)
    return Closed(work, another)


async def bring_home(actor: TaskActor, task: Task) -> tuple[WorkState | None, str]:
    """Import what the task committed; also what is wrong with its folders."""
    workspace = actor.services.workspace
    return await workspace.collect(task), await workspace.trouble(task)


async def leave(actor: TaskActor, task: Task, call: RemoveTask) -> RemoveTask:
    """Bring home what an earlier import could not; with `purge` delete what only the task used.

    Returns:
        the call that it has carried out.

    Raises:
        Refused: its commits would be lost.
    """
    services = actor.services
    work = await services.workspace.collect(task)
    if call.purge and not call.force and work is not None and work.problem:
        raise Refused(
            f"{work.problem}; its own git directory is the only place where they are",
            hint="mend that first, or --force deletes them",
        )
    services.journals.close(task.id)
    if call.purge:
        await services.runner.discard_volumes(task.id)
        await services.workspace.discard(task)
    return call


async def look(actor: TaskActor, sandbox: str) -> SandboxState | None:
    """Return how a silent sandbox is."""
    return await actor.services.runner.state(sandbox)


class Measured(NamedTuple):
    """Disk space that a run takes, and that the disks have left."""

    usage: Usage
    free: int | None
    """Bytes; None where that is not known."""
    folder: str
    """On the disk that has the least left."""


async def measure(actor: TaskActor, task: Task, files: int) -> Measured:
    """Look at what the task's run can write."""
    workspace = actor.services.workspace
    return Measured(await workspace.usage(task, files), *await workspace.free_space(task))


async def freeze(actor: TaskActor, sandbox: str, *, frozen: bool) -> bool:
    """Freeze the sandbox or let it go on, as soon as the runner answers; return `frozen`.

    Raises:
        CtuiError: the runner cannot. A busy machine takes some tries.
    """
    runner = actor.services.runner
    call = runner.pause if frozen else runner.unpause
    for left in reversed(range(_FREEZE_TRIES)):
        try:
            await _patiently(actor, lambda: call(sandbox))
            break
        except ExternalFailure:
            if not left:
                raise
            await asyncio.sleep(RETRY_SECONDS)
    return frozen


async def _find(actor: TaskActor, run: Run) -> str | None:
    """Return the sandbox of a run by its name, or by its labels; None if there is none."""
    runner = actor.services.runner
    state = await _insist(actor, lambda: runner.state(run.container))
    if state is not None:
        return state.id
    found = await _insist(actor, lambda: runner.list_ours(run.task))
    return next((item.id for item in found if item.run == run.number), None)


async def _replay(actor: TaskActor, sandbox: str, archived: Counter[str], epoch: int) -> None:
    after = actor.standing.view.seen
    async for batch in actor.services.runner.journal(sandbox, after, follow=False):
        await _take(actor, epoch, batch, archived)


async def _enter(actor: TaskActor, sandbox: str, run: Run) -> Channel:
    """Open the way into a sandbox that runs, and say what begins a run if nobody did."""
    channel = Channel(actor.services.runner, sandbox)
    try:
        await channel.open(torn=True)
        if not actor.standing.view.relay_started:
            await _greet_late(actor, channel, run)
    except BaseException:  # whoever gives up here must not leave a connection behind
        await channel.close()
        raise
    return channel


async def _take(
    actor: TaskActor, epoch: int, batch: Sequence[LogLine], archived: Counter[str] | None = None
) -> None:
    for start in range(0, len(batch), _PORTION):
        portion = batch[start : start + _PORTION]
        new = portion if archived is None else _beyond(portion, archived)
        await actor.put_lines(Lines(epoch, portion, new))


async def _patiently(actor: TaskActor, call: Callable[[], Awaitable[T]]) -> T:
    """Ask the runner until it answers."""
    tries = 0
    while True:
        try:
            result = await call()
        except RunnerUnavailable as error:
            tries += 1
            await _wait(actor, error, tries)
        else:
            if tries:
                actor.around.trouble_over(actor)
            return result


async def _insist(actor: TaskActor, call: Callable[[], Awaitable[T]]) -> T:
    """Do what has to be done, whatever the runner says of it, until it is done."""
    tries = 0
    while True:
        try:
            result = await call()
        except CtuiError as error:
            tries += 1
            await _wait(actor, error, tries)
        else:
            if tries:
                actor.around.trouble_over(actor)
            return result


async def _wait(actor: TaskActor, error: CtuiError, tries: int) -> None:
    """Say what is wrong, the first time, and wait a moment."""
    if tries == 1:
        actor.around.tell_trouble(actor, error)
    await asyncio.sleep(min(RETRY_SECONDS * 2 ** min(tries - 1, 9), _LONGEST_RETRY_SECONDS))


async def _greet_late(actor: TaskActor, channel: Channel, run: Run) -> None:
    """Say the first line where the driver that made the sandbox was killed before it could."""
    services, task = actor.services, actor.standing.task
    account = await services.logins.of(task, needed=True)
    home = await home_of(services, services.config(), task, account)
    greet(channel, first_line_of(home, account), run)


def _beyond(lines: Sequence[LogLine], archived: Counter[str]) -> list[LogLine]:
    """Return the lines that the archive lacks; `archived` is counted down on the way."""
    new: list[LogLine] = []
    for line in lines:
        if archived[line.stream] <= 0:
            new.append(line)
        elif line.stream == "err" or not is_partial(line.data):
            archived[line.stream] -= 1
    return new
