"""The job that takes over a run of an earlier driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ctui.errors import LoginRequired, NotFound
from ctui.sandbox.runner import SandboxState
from ctui.tasks.model import Run
from ctui.tasks.network.sealed import is_sealed
from ctui.tasks.runs.channel import Channel
from ctui.tasks.runs.given import given_environment
from ctui.tasks.runs.jobs.create import greet
from ctui.tasks.runs.jobs.follow import read
from ctui.tasks.runs.jobs.patience import PASSING, insist, wait
from ctui.tasks.runs.launch import first_line_of, home_of, sealed_run_of

if TYPE_CHECKING:
    from ctui.tasks.runs.actor import TaskActor


class Adopted(NamedTuple):
    """A run of an earlier driver whose journal was read to its present end."""

    state: SandboxState | None
    channel: Channel | None
    """None where the sandbox does not run."""


def channel_of(result: object) -> Channel | None:
    """Return the way into a sandbox that a job's result has, or None."""
    found = result.channel if isinstance(result, Adopted) else result
    return found if isinstance(found, Channel) else None


async def adopt(actor: TaskActor, run: Run, epoch: int) -> Adopted:
    """Find a run of an earlier driver, and read its journal to the present end.

    It needs neither image nor network nor volume: what runs is taken as it is.

    Raises:
        LoginRequired: the CLI was never started, and there is no login to start it with.
        CtuiError: the runner does not know what it says.
    """
    services = actor.services
    archived = await services.journals.archived(run)
    # A driver that has just begun knows no secret, and what it reads is kept.
    await services.logins.of(actor.standing.task, needed=False)
    while True:
        sandbox = await _find(actor, run)
        if sandbox is None:
            return Adopted(None, None)
        try:
            await read(actor, sandbox, epoch, archived)
            state = await actor.services.runner.state(sandbox)
            if state is None or not state.running:
                # It may have said something more before it ended.
                await read(actor, sandbox, epoch, archived)
                return Adopted(state, None)
            return Adopted(state, await _enter(actor, sandbox, run))
        except NotFound:
            continue
        except LoginRequired:
            raise
        except PASSING as error:
            await wait(actor, error)


async def _find(actor: TaskActor, run: Run) -> str | None:
    """Return the sandbox of a run by its name, or by its labels; None if there is none."""
    runner = actor.services.runner
    state = await insist(actor, lambda: runner.state(run.container))
    if state is not None:
        return state.id
    found = await insist(actor, lambda: runner.list_ours(run.task))
    return next((item.id for item in found if item.run == run.number and not item.service), None)


async def _enter(actor: TaskActor, sandbox: str, run: Run) -> Channel:
    """Open the way into a sandbox that runs, and say what begins a run if nobody did."""
    await open_network(actor, run.number)
    channel = Channel(actor.services.runner, sandbox)
    try:
        await channel.open(torn=True)
        if not actor.standing.view.relay_started:
            await _greet_late(actor, channel, run)
    except BaseException:  # whoever gives up here must not leave a connection behind
        await channel.close()
        raise
    return channel


async def open_network(actor: TaskActor, number: int) -> None:
    """Have the gateway serve a sealed sandbox, which may have lost it with the last driver.

    Raises:
        RunnerUnavailable: it does not.
    """
    services, task = actor.services, actor.standing.task
    if not is_sealed(task):
        return
    account = await services.logins.of(task, needed=False)
    config = actor.standing.config or services.config()
    sealed = sealed_run_of(services, config, task, number, account)
    if sealed is not None:
        await services.network.open(sealed.taken_over)


async def _greet_late(actor: TaskActor, channel: Channel, run: Run) -> None:
    """Say the first line where the driver that made the sandbox was killed before it could."""
    services, task = actor.services, actor.standing.task
    account = await services.logins.of(task, needed=True)
    config = actor.standing.config or services.config()
    home = await home_of(services, config, task, account)
    given = given_environment(services, task, account)
    greet(channel, first_line_of(home, account, given, task), run)
