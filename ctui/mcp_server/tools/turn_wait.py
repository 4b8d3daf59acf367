"""Waiting for a task's turn, and showing what it asks meanwhile.

A client of 2025-11-25 is asked by requests of the server, one ask at a time, while the task is
watched; a later one by results (`rounds`).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

import anyio
import msgspec
from mcp.shared.exceptions import MCPError
from mcp_types import InputRequiredResult

from ctui.errors import CtuiError
from ctui.mcp_server.protocol.asks import AskItem, first_asks
from ctui.mcp_server.protocol.call import Call
from ctui.mcp_server.protocol.elicit import form_of
from ctui.mcp_server.protocol.rounds import Round, send_answer
from ctui.mcp_server.tools.turn import Turn
from ctui.tasks.calls import InterruptTask, StopTask
from ctui.tasks.model import Ask, EndReason, Task, TaskState

if TYPE_CHECKING:
    from ctui.client.client import Client
    from ctui.config import McpConfig

_HEARTBEAT = 5.0
_INTERRUPT_SECONDS = 5.0

_MOST_ATTEMPTS = 3
"""Times that a form is shown again because what was filled in does not fit."""


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """Result of `execute_claude`."""

    task_id: str
    success: bool
    """True if the turn is over, and nothing went wrong."""
    over: bool
    """True if the turn is over; if not, the task goes on or waits for an answer."""
    state: TaskState
    result: str
    """Claude's closing text."""
    note: str
    """Note of what is wrong, or of what to do next; "" if nothing."""
    asks: list[AskItem]
    """Asks that wait for an answer."""
    worktree: str
    branch: str | None
    cost: float
    """US dollars of the task until now."""
    denials: int
    """Tool calls that were denied in the turn."""


class TurnWait:
    """One wait for a turn."""

    def __init__(
        self, call: Call, client: Client, config: McpConfig, task: Task, earlier: Round
    ) -> None:
        self.turn = Turn(client, task)
        self._call = call
        self._client = client
        self._config = config
        self._round = earlier
        self._began = monotonic()
        self._deadline = self._began + config.max_execution_seconds

    async def run(self, start: int) -> Execution | InputRequiredResult:
        """Wait until there is something to return."""
        jobs: list[asyncio.Task[None]] = [
            asyncio.create_task(work)
            for work in (self.turn.watch(), self.turn.listen(start), self._report())
        ]
        waiting = asyncio.create_task(self._wait())
        try:
            await asyncio.wait({waiting, *jobs}, return_when=asyncio.FIRST_COMPLETED)
            for job in jobs:
                if job.done():
                    job.result()
            return await waiting
        finally:
            waiting.cancel()
            for job in jobs:
                job.cancel()

    async def _wait(self) -> Execution | InputRequiredResult:
        while not self.turn.over:
            if self.turn.asking and (ask := self._next_ask()):
                if not self._call.can_elicit:
                    return self._result("it asks something, and this client shows no forms")
                if self._call.asks_by_result:
                    if self._round.last:
                        return self._result("this call asked as often as a call can")
                    return self._round.asking(self.turn.pending.values())
                await self._elicit(ask)
            elif self.turn.asking:
                return self._result("nobody answered here what it asks")
            elif (left := self._time_left()) <= 0:
                await interrupt(self._client, self.turn.task)
                return self._result("it took longer than max_execution_seconds: interrupted")
            elif (silent := self._silence_left()) <= 0:
                return self._result("it has said nothing for long, and goes on")
            else:
                await self.turn.news(min(left, silent))
        return self._result("")

    def _next_ask(self) -> Ask | None:
        pending = self.turn.pending
        closed = self._round.left_alone
        return next((pending[key] for key in sorted(pending) if key not in closed), None)

    def _time_left(self) -> float:
        if self.turn.task.state in {TaskState.QUEUED, TaskState.STARTING}:
            self._deadline = monotonic() + self._config.max_execution_seconds
        return self._deadline - monotonic()

    def _silence_left(self) -> float:
        if self.turn.task.state is TaskState.STARTING:
            self.turn.heard = monotonic()
        return self.turn.heard + self._config.inactivity_timeout_seconds - monotonic()

    async def _report(self) -> None:
        """Tell at once what the task does, and every five seconds that it still does it."""
        number, told = 0, ""
        while True:
            beat = monotonic() + _HEARTBEAT
            while self.turn.doing == told and (left := beat - monotonic()) > 0:
                await self.turn.news(left)
            if self.turn.doing != told:
                text = told = self.turn.doing
            else:
                text = f"⏳ Still working... ({monotonic() - self._began:.0f}s elapsed)"
            number += 1
            await self._call.progress(number, text)

    # -- asks

    async def _elicit(self, ask: Ask) -> None:
        """Show one ask, unless somebody else answers it first."""
        asked = monotonic()
        shown = asyncio.create_task(self._show(ask))
        gone = asyncio.create_task(self.turn.answered(ask))
        try:
            await asyncio.wait(
                {shown, gone},
                timeout=self._config.permission_timeout_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if shown.done():
                shown.result()
        finally:
            for job in (shown, gone):
                job.cancel()
            await asyncio.wait({shown, gone})
        self._round.left_alone.append(ask.id)
        self._deadline += monotonic() - asked
        self.turn.heard = monotonic()

    async def _show(self, ask: Ask) -> None:
        problem = ""
        for _ in range(_MOST_ATTEMPTS):
            form = form_of(ask, problem)
            try:
                filled = await self._call.session.elicit_form(
                    form.message, form.schema, self._call.context.request_id
                )
            except MCPError:
                return  # the client cannot show it, or is gone: the ask waits for somebody else
            if filled.action == "cancel":
                return
            problem = await send_answer(self._client, ask, filled)
            if not problem:
                await self.turn.answered(ask)
                return

    # -- the end

    def _result(self, note: str) -> Execution:
        task = self.turn.task
        asks, _ = first_asks(ask for _, ask in sorted(self.turn.pending.items()))
        note = task.problem or note
        if asks:
            note = (
                f"{note}: answer_ask answers it; then execute_claude or get_task "
                f"with task_id {task.id} goes on"
            )
        elif not self.turn.over:
            note = f"{note}: get_task with task_id {task.id} waits for it"
        return Execution(
            task_id=task.id,
            success=self.turn.over and not task.problem and task.reason is not EndReason.FAILED,
            over=self.turn.over,
            state=task.state,
            result=task.result if self.turn.over else "",
            note=note,
            asks=asks,
            worktree=task.worktree,
            branch=task.branch,
            cost=task.cost,
            denials=task.denials,
        )


async def interrupt(client: Client, task: Task) -> None:
    """End the turn; one that has not begun is stopped."""
    waits = task.state in {TaskState.QUEUED, TaskState.STARTING}
    call: StopTask | InterruptTask = StopTask(task.id) if waits else InterruptTask(task.id)
    with anyio.move_on_after(_INTERRUPT_SECONDS, shield=True), suppress(CtuiError):
        await client.call(call)
