"""A sandbox in memory: the relay and the CLI in it, which follows a little script."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from ctui.paths import WORKSPACE
from ctui.sandbox.runner import LogLine
from ctui.sandbox.spec import LABEL_RUN, LABEL_TASK, SandboxSpec

if TYPE_CHECKING:
    from tests.simulation.world import World


class Sandbox:
    """A container with a relay and a CLI that follows a little script."""

    def __init__(self, world: World, spec: SandboxSpec) -> None:
        self.world = world
        self.spec = spec
        self.id = f"box-{len(world.sandboxes)}"
        self.task = spec.labels[LABEL_TASK]
        self.run = int(spec.labels[LABEL_RUN])
        self.worktree = next(m.source for m in spec.mounts if m.target == WORKSPACE)
        self.log: list[LogLine] = []
        self.grown = asyncio.Event()
        self.running = self.started = self.greeted = self.paused = False
        self.thawed = asyncio.Event()
        self.exit_code = 0
        self.removed = False
        self.heard: list[dict[str, Any]] = []
        """Everything that was said to it."""
        self._input: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._queue: list[dict[str, Any]] = []
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._interrupted = asyncio.Event()
        self._work: list[asyncio.Task[None]] = []
        self._current: set[str] = set()
        """Messages of this turn."""

    # -- what the runner does with it

    def start(self) -> None:
        if self.spec.network == "none" and f"{self.task}/{self.run}" not in self.world.open_runs:
            raise self.world.breaks(f"{self.id} starts, and the gateway does not serve it")
        self.running = self.started = True
        self._work.append(self.world.spawn(self._listen()))

    def end(self, code: int) -> None:
        if not self.running:
            return
        self.running, self.exit_code = False, code
        self.thaw()
        for job in self._work:
            job.cancel()
        self.grown.set()

    def hear(self, line: bytes) -> None:
        if line.strip() and not self.removed:
            self.heard.append(json.loads(line))
            self._input.put_nowait(self.heard[-1])

    def freeze(self) -> None:
        self.paused = self.running
        self.thawed.clear()

    def thaw(self) -> None:
        self.paused = False
        self.thawed.set()

    # -- the relay and the CLI

    async def _not_frozen(self) -> None:
        while self.paused:
            await self.thawed.wait()

    def _say(self, value: dict[str, Any], stream: str = "out") -> None:
        self.forge(json.dumps(value, separators=(",", ":")).encode(), stream)

    def forge(self, data: bytes, stream: str = "out") -> None:
        """Add a line, as a hostile process in the sandbox may."""
        if self.paused:
            raise self.world.breaks(f"{self.id} of {self.task} is frozen, and says something")
        self.log.append(LogLine(self.world.time(), stream, data))  # type: ignore[arg-type]
        self.grown.set()

    async def _listen(self) -> None:
        while True:
            line = await self._input.get()
            await self._not_frozen()
            if not self.greeted:
                if "env" in line:
                    self.greeted = True
                    self._say({"ctui_relay": "started", "pid": 7}, "err")
                    self._work.append(self.world.spawn(self._turns()))
                continue
            match line.get("type"):
                case "user":
                    self._queue.append(line)
                    self._interrupted.clear()
                    self.world.nudge(self)
                case "control_request":
                    self._control(line["request_id"], line["request"])
                case "control_response":
                    self._answered(line["response"])

    def _control(self, request_id: str, request: dict[str, Any]) -> None:
        if request["subtype"] == "interrupt":
            self._interrupted.set()
        response = {"subtype": "success", "request_id": request_id, "response": {"commands": []}}
        self._say({"type": "control_response", "response": response})

    def _answered(self, response: dict[str, Any]) -> None:
        future = self._answers.get(response["request_id"])
        if future is not None and not future.done():
            self.world.answers_taken[(self.task, self.run, response["request_id"])] += 1
            future.set_result(response)
            self._say({"type": "control_response", "response": response})

    async def _turns(self) -> None:
        while True:
            while not self._queue:
                await self.world.wait_nudge(self)
            await self._not_frozen()
            await self._turn()

    async def _turn(self) -> None:
        world = self.world
        self._interrupted.clear()
        self._current.clear()
        session = world.sessions[self.task]
        if any(line["uuid"] not in session for line in self._queue):
            self._state("running")
        fresh = self._consume()
        await world.pause()
        await self._not_frozen()
        if not fresh:
            self._state("idle")  # what its session has already it only echoes
            return
        for _ in range(world.random.choice(world.tool_counts)):
            await self._tool()
            fresh = self._consume() or fresh
            if self._interrupted.is_set():
                break
        aborted = self._interrupted.is_set()
        self._say(
            {
                "type": "result",
                "subtype": "error_during_execution" if aborted else "success",
                "is_error": aborted,
                "terminal_reason": "aborted_tools" if aborted else "completed",
                "result": "" if aborted else "done",
                "total_cost_usd": 0.01,
                "usage": {"input_tokens": 1, "output_tokens": 1},
            }
        )
        for message in self._current:
            world.turns_over.add(message)
        if not self._queue:
            self._state("idle")

    def _consume(self) -> bool:
        """Take every message that waits; True if one of them is new to the session."""
        session, fresh = self.world.sessions[self.task], False
        for line in self._queue:
            uuid = line["uuid"]
            self._say({**line, "isReplay": True})
            if uuid not in session:
                session.add(uuid)
                self.world.consumed[uuid] += 1
                fresh = True
                self._current.add(uuid)
        self._queue.clear()
        return fresh

    async def _tool(self) -> None:
        world = self.world
        number = world.count()
        call, request = f"toolu-{number}", f"ask-{number}"
        block = {"type": "tool_use", "id": call, "name": "Bash", "input": {"command": f"c{number}"}}
        message = {"id": f"m{number}", "role": "assistant", "content": [block]}
        self._say({"type": "assistant", "message": message})
        answer: asyncio.Future[Any] = world.loop.create_future()
        self._answers[request] = answer
        asked = {
            "subtype": "can_use_tool",
            "tool_name": "Bash",
            "input": block["input"],
            "tool_use_id": call,
        }
        self._say({"type": "control_request", "request_id": request, "request": asked})
        waiting: asyncio.Future[Any] = asyncio.ensure_future(self._interrupted.wait())
        await asyncio.wait({answer, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await self._not_frozen()
        if not answer.done():
            answer.cancel()
            self._say({"type": "control_cancel_request", "request_id": request})
        await world.pause()
        await self._not_frozen()
        content = [{"type": "tool_result", "tool_use_id": call, "content": "ok"}]
        self._say({"type": "user", "message": {"role": "user", "content": content}})

    def _state(self, state: str) -> None:
        self._say({"type": "system", "subtype": "session_state_changed", "state": state})
