"""A world in memory: sandboxes, the CLI in them, their homes: whatever outlives a driver.

Each call takes a random virtual time, so that calls of a driver and of several front ends meet in
every order. All of it follows from one seed.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Coroutine
from random import Random
from typing import Any

from ctui.config import ImageConfig
from ctui.errors import Conflict, ExternalFailure, NotFound, RunnerUnavailable
from ctui.paths import WORKSPACE
from ctui.sandbox.runner import FoundSandbox, LogLine, SandboxState, Seen
from ctui.sandbox.spec import LABEL_RUN, LABEL_TASK, SandboxSpec

_CLOCK_JUMPS = 0.05
"""Part of the steps before which it does."""

_UNREADABLE = 0.2
"""Part of the worlds in which a task's git directory is."""


class Dead(BaseException):
    """The driver that called was killed."""


class Broken(AssertionError):
    """An invariant does not hold."""


class Generation:
    """One life of a driver."""

    def __init__(self) -> None:
        self.dead = False
        self.steps_left: int | None = None
        """Steps that it still carries out before it dies in one; None lets it live."""

    def dies_in_a_step(self, world: World) -> None:
        """Die when the last step is stored, and nothing of it is carried out."""
        if self.steps_left:
            self.steps_left -= 1
            return
        world.log("the driver dies in a step that is stored")
        self.dead = True
        raise Dead

    def check(self) -> None:
        if self.dead:
            raise Dead


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
        self._state("running")
        fresh = self._consume()
        await world.pause()
        await self._not_frozen()
        if not fresh:
            self._state("idle")
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


class World:
    """Everything that is not a driver."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self.loop = loop
        self.random = Random(seed)  # noqa: S311 - it has to be reproducible
        self.sandboxes: dict[str, Sandbox] = {}
        self.sessions: defaultdict[str, set[str]] = defaultdict(set)
        """Messages that each task's CLI has read, as its home keeps them."""
        self.consumed: Counter[str] = Counter()
        self.turns_over: set[str] = set()
        """Messages whose turn is over."""
        self.answers_taken: Counter[tuple[str, int, str]] = Counter()
        self.tool_counts = [0, 0, 1, 2]
        """How many tools a turn uses: one of these."""
        self.engine_up = True
        self.store_locked = False
        self.disk_full = False
        self.flaky = False
        self.space_low = False
        self.worktree_full = False
        # Apart, so that a seed means the same with and without.
        unreadable = Random(seed ^ 0x817).random()  # noqa: S311 - it has to be reproducible
        self.unreadable = {"one"} if unreadable < _UNREADABLE else set[str]()
        """Tasks whose git directory holds what no import reads; it does not heal."""
        self.stopped: set[str] = set()
        """Tasks that were said to be stopped, and that nobody woke since."""
        self.broken: list[str] = []
        self.steps: list[str] = []
        """What happened, for a person who reads a broken schedule."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._nudges: dict[str, asyncio.Event] = {}
        self._number = 0
        self._clock_off = 0.0
        # Apart, so that a seed means the same with and without.
        self._clock_random = Random(seed ^ 0xC10C)  # noqa: S311 - as above

    def time(self) -> int:
        return 1_700_000_000_000_000_000 + int((self.loop.time() + self._clock_off) * 1e9)

    def count(self) -> int:
        self._number += 1
        return self._number

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        job = self.loop.create_task(work)
        self._tasks.add(job)
        job.add_done_callback(self._tasks.discard)
        return job

    def owns(self, job: asyncio.Task[Any]) -> bool:
        return job in self._tasks

    def log(self, text: str) -> None:
        self.steps.append(f"{self.loop.time():9.3f} {text}")

    def breaks(self, text: str) -> Broken:
        """Note a broken invariant, whoever catches what is raised."""
        self.log(f"BROKEN: {text}")
        self.broken.append(text)
        return Broken(text)

    async def pause(self) -> None:
        await asyncio.sleep(self.random.choice((0, 0, 0.001, 0.01, 0.1, 0.7)))

    def nudge(self, box: Sandbox) -> None:
        self._nudges.setdefault(box.id, asyncio.Event()).set()

    async def wait_nudge(self, box: Sandbox) -> None:
        event = self._nudges.setdefault(box.id, asyncio.Event())
        await event.wait()
        event.clear()

    # -- faults

    def crash_engine(self) -> None:
        """Kill the engine: every sandbox dies with it."""

        self.engine_up = False
        for box in self.sandboxes.values():
            box.end(255)

    def lose_engine(self) -> None:
        """Make the engine unreachable; sandboxes go on."""

        self.engine_up = False
        for box in self.sandboxes.values():
            box.grown.set()

    def maybe_set_clock(self) -> None:
        """Now and then, let the clock of the whole machine jump, mostly back."""
        if self._clock_random.random() < _CLOCK_JUMPS:
            self._clock_off += self._clock_random.choice((-7200.0, -30.0, -0.5, 7200.0))
            self.log(f"the clock is set: {self._clock_off:+}")

    def kill_sandbox(self) -> None:
        running = [box for box in self.sandboxes.values() if box.running]
        if running:
            box = self.random.choice(running)
            self.log(f"{box.id} of {box.task} is killed")
            box.end(137)

    def heal(self) -> None:
        self.engine_up, self.store_locked, self.disk_full = True, False, False
        self.flaky = False
        self.space_low = self.worktree_full = False

    def running(self, task: str) -> list[Sandbox]:
        return [box for box in self.sandboxes.values() if box.task == task and box.running]


_ERRORS = (
    (RunnerUnavailable, "the engine broke off"),
    (ExternalFailure, "the engine says: 500"),
)
"""What a call fails with now and then, although the next one may not."""
PASSING = ("the engine does not answer", "the engine broke off", "the store is locked")
"""Problems that a task must not have any more when they are over."""


class SimulatedInput:
    """A way into a sandbox."""

    def __init__(self, world: World, generation: Generation, box: Sandbox) -> None:
        self._world, self._generation, self._box = world, generation, box
        self._open = True

    async def send(self, *lines: bytes) -> None:
        for line in lines:
            await self._send(line)

    async def _send(self, line: bytes) -> None:
        self._generation.check()
        was_up = self._world.engine_up and self._open and not self._box.removed
        await self._world.pause()
        self._generation.check()
        if was_up and not self._world.engine_up and self._world.random.random() < 0.5:
            self._open = False
            return  # the engine took it, and has lost it
        if not self._world.engine_up or self._box.removed or not self._open:
            raise OSError("broken")
        self._box.hear(line)

    def close(self) -> None:
        self._open = False


class SimulatedRunner:
    """The runner that one driver has of the world."""

    def __init__(self, world: World, generation: Generation) -> None:
        self._world, self._generation = world, generation

    async def _call(self) -> None:
        self._generation.check()  # who is dead draws no lots
        await self._world.pause()
        self._generation.check()
        if not self._world.engine_up:
            raise RunnerUnavailable("the engine does not answer")
        if self._world.flaky and self._world.random.random() < 0.2:
            kind, text = self._world.random.choice(_ERRORS)
            raise kind(text)

    async def ensure_image(self, config: ImageConfig) -> str:
        del config
        await self._call()
        return "image"

    async def create(self, spec: SandboxSpec) -> str:
        await self._call()
        if any(b.spec.name == spec.name and not b.removed for b in self._world.sandboxes.values()):
            raise Conflict(f"there is a sandbox {spec.name}")
        box = Sandbox(self._world, spec)
        self._world.sandboxes[box.id] = box
        return box.id

    async def start(self, sandbox: str) -> None:
        await self._call()
        box = self._box(sandbox)
        same = [b for b in self._world.sandboxes.values() if b.running]
        if any(other.worktree == box.worktree for other in same):
            raise self._world.breaks(f"two sandboxes on {box.worktree}")
        if box.task in self._world.stopped:
            raise self._world.breaks(f"{box.task} was said to be stopped, and starts")
        self._world.log(f"{box.id} of {box.task} starts")
        box.start()

    async def attach(self, sandbox: str, *, torn: bool) -> SimulatedInput:
        del torn
        await self._call()
        return SimulatedInput(self._world, self._generation, self._box(sandbox))

    async def journal(
        self, sandbox: str, after: Seen, *, follow: bool
    ) -> AsyncIterator[list[LogLine]]:
        await self._call()
        box, position, seen = self._box(sandbox), 0, Seen()
        while True:
            self._generation.check()
            if not self._world.engine_up:
                raise RunnerUnavailable("the engine broke off")
            batch = []
            end = min(len(box.log), position + self._world.random.choice((1, 2, 50)))
            for line in box.log[position:end]:
                seen = seen.plus(line)
                if getattr(seen, line.stream) > getattr(after, line.stream):
                    batch.append(line)
            position = end
            if batch:
                yield batch
                await self._world.pause()
            elif position < len(box.log):
                continue
            elif not follow or not box.running:
                return
            else:
                box.grown.clear()
                await box.grown.wait()

    async def state(self, sandbox: str) -> SandboxState | None:
        await self._call()
        named = (b for b in self._world.sandboxes.values() if b.spec.name == sandbox)
        found = self._world.sandboxes.get(sandbox) or next(named, None)
        if found is None or found.removed:
            return None
        return SandboxState(
            found.id, found.running, found.exit_code, found.paused, started=found.started
        )

    async def stop(self, sandbox: str, *, grace: float) -> None:
        del grace
        await self._call()
        if sandbox in self._world.sandboxes:
            self._world.sandboxes[sandbox].end(0)

    async def pause(self, sandbox: str) -> None:
        await self._call()
        if sandbox in self._world.sandboxes:
            self._world.sandboxes[sandbox].freeze()

    async def unpause(self, sandbox: str) -> None:
        await self._call()
        if sandbox in self._world.sandboxes:
            self._world.sandboxes[sandbox].thaw()

    async def remove(self, sandbox: str) -> None:
        await self._call()
        for box in self._world.sandboxes.values():
            if sandbox in {box.id, box.spec.name} and not box.removed:
                box.end(137)
                box.removed = True

    async def list_ours(self, task: str = "") -> list[FoundSandbox]:
        await self._call()
        return [
            FoundSandbox(box.id, box.task, box.run, box.running)
            for box in self._world.sandboxes.values()
            if not box.removed and task in {"", box.task}
        ]

    async def discard_volumes(self, task: str) -> None:
        await self._call()
        self._world.sessions.pop(task, None)

    async def close(self) -> None: ...

    def _box(self, sandbox: str) -> Sandbox:
        box = self._world.sandboxes.get(sandbox)
        if box is None or box.removed:
            raise NotFound(f"no sandbox {sandbox}")
        return box
