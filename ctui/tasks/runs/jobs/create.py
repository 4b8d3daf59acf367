"""Jobs that make the sandbox of a run, and start the CLI in it."""

from __future__ import annotations

import asyncio
import copy
from contextlib import suppress
from typing import TYPE_CHECKING

from ctui.errors import Conflict, CtuiError, RunnerUnavailable
from ctui.tasks.mailbox.open_shells import Opened
from ctui.tasks.mailbox.ports import BuiltEnvironment
from ctui.tasks.model import Notice, Run, Task
from ctui.tasks.runs.channel import Channel
from ctui.tasks.runs.consents import agreed
from ctui.tasks.runs.jobs.patience import insist
from ctui.tasks.runs.jobs.services import bring_up
from ctui.tasks.runs.jobs.snapshot import snapshot
from ctui.tasks.runs.launch import Launch, prepare
from ctui.tasks.session.greeting import RELAY_GREETED, initialize, initialize_id
from ctui.tasks.session.turn_record import next_number

if TYPE_CHECKING:
    from ctui.config import Config
    from ctui.tasks.mailbox.step import Standing
    from ctui.tasks.runs.actor import TaskActor

_CREATE_SECONDS = 120.0


async def prepare_run(actor: TaskActor, standing: Standing) -> Launch:
    """Find the login, keep the files as they are, and describe the next sandbox.

    Raises:
        CtuiError: what is missing.
    """
    task = standing.task
    services = actor.services
    config = standing.config or services.config()
    built = await _environment(actor, task, config)
    if built is not None:
        task = copy.copy(task)
        task.options = built.given_to(task.options)
    turn = next_number(services.store.turns.last(task.id))
    keeping = asyncio.ensure_future(snapshot(actor, task, turn, at_end=False))
    try:
        account = await services.logins.of(task, needed=True)
        again_on = (RunnerUnavailable,)
        launch = await insist(actor, lambda: prepare(services, config, task, account), on=again_on)
        return launch._replace(built=built, before=await keeping)
    finally:
        keeping.cancel()


async def _environment(actor: TaskActor, task: Task, config: Config) -> BuiltEnvironment | None:
    """Build the environment that a task waits for; None if it waits for none."""
    services = actor.services
    if not task.options.environment_due or services.environments is None:
        return None

    def say(text: str) -> None:
        actor.note(0, services.now(), Notice(kind="environment", text=text))

    done = agreed(services.store, task.id)
    return await services.environments.provide(task, config, done, say)


async def create(
    actor: TaskActor, launch: Launch, run: Run, opened: Opened | None = None
) -> Channel:
    """Make the sandbox of a run and start the CLI in it, as soon as the runner answers.

    One that is open for a person's shell is taken where it is exactly what the run needs;
    otherwise it is removed, and the shell ends.

    Raises:
        CtuiError: it cannot be made or started; nothing of it is left.
    """
    again_on = (RunnerUnavailable, Conflict)
    if (sealed := launch.sealed) is not None:
        # Also where the sandbox is there: a shell's may be served without the run's login.
        await insist(actor, lambda: actor.services.network.open(sealed), on=again_on)
    if opened is not None:
        if opened.spec == launch.spec and (channel := await _enter(actor, launch, run, opened)):
            return channel
        await insist(actor, lambda: actor.services.runner.remove(opened.sandbox))
    await insist(actor, lambda: bring_up(actor, launch.spec), on=(RunnerUnavailable,))
    return await insist(actor, lambda: _attempt(actor, launch, run), on=again_on)


async def _enter(actor: TaskActor, launch: Launch, run: Run, opened: Opened) -> Channel | None:
    """Start the CLI in a sandbox that waits for it; None where it does not any more."""
    runner = actor.services.runner
    channel = Channel(runner, opened.sandbox)
    try:
        state = await runner.state(opened.sandbox)
        if state is None or not state.running:
            return None
        await channel.open(torn=False)
    except CtuiError:
        await channel.close()
        return None
    except BaseException:  # whoever gives up here must not leave a connection behind
        await channel.close()
        raise
    greet(channel, launch.first_line, run)
    return channel


async def _attempt(actor: TaskActor, launch: Launch, run: Run) -> Channel:
    """Make the sandbox once. Cancelled it leaves none behind, or returns one that was started."""
    starting = asyncio.Event()
    making = asyncio.ensure_future(_make(actor, launch, run, starting))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        if not starting.is_set():
            making.cancel()
        # What a runner has begun it ends: whoever gives up here must not leave one behind.
        with suppress(asyncio.CancelledError, CtuiError):
            return await making  # it may have said something: it is followed, and then stopped
        raise


async def _make(actor: TaskActor, launch: Launch, run: Run, starting: asyncio.Event) -> Channel:
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
