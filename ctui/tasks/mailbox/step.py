"""One step of a task: everything that some mail causes, stored at once, and then carried out.

A step works on copies. Where the store cannot take it, the copies are dropped, nothing has
happened, and the same mail is taken again later.
"""

from __future__ import annotations

import copy
import uuid
from asyncio import Future
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from ctui.claude.protocol import control
from ctui.config import Config
from ctui.errors import CtuiError
from ctui.sandbox.runner import NOTHING, SandboxState, Seen
from ctui.tasks.calls import RemoveTask, Update
from ctui.tasks.mailbox.open_shells import Opened, Shell
from ctui.tasks.mailbox.ports import Services
from ctui.tasks.mailbox.run_view import RunView
from ctui.tasks.mailbox.states import STRENGTH, Intent, Phase, check_phase, check_task
from ctui.tasks.model import Alarm, Cause, Notice, Run, Task, TaskState
from ctui.tasks.store import Unfinished
from ctui.text import one_line, sanitise

if TYPE_CHECKING:
    from ctui.tasks.runs.actor import TaskActor
    from ctui.tasks.runs.disks.limits import DiskLimits

_ALARMS_KEPT = 50

AlarmKind = Literal[
    "mode", "ask", "elicitation", "session", "figures", "home", "line", "exposed", "network"
]
Work = Callable[[], Coroutine[Any, Any, object]]
"""The coroutine function that is a job."""
Reply = Future[Any]
"""Whoever waits for the effect of a command; settled when the step is stored."""


class RunOver(NamedTuple):
    """End of a run's sandbox."""

    state: SandboxState | None
    """None where it is gone."""
    lost: bool
    """True if the runner was away while the run was followed."""


class Standing(msgspec.Struct):
    """State of a task in its driver: the record, what is stored beside it, and the rest."""

    task: Task
    phase: Phase = Phase.RESTING
    intent: Intent = ""
    run: Run | None = None
    view: RunView = msgspec.field(default_factory=RunView)
    stored: Seen | None = NOTHING
    """The lines of the run whose effect is stored; None in a run of an older version of ctui, where
    everything that is in the journal when it is adopted has had its effect."""
    epoch: int = 0
    """Counts the runs and attempts of this driver: what an older one says is late."""
    config: Config | None = None
    """The settings that the last command brought, for the runs until another brings its own."""
    again: bool = False
    """True if another run is to begin as soon as this one is over."""
    looked_at: Seen = NOTHING
    """The lines that were there when the sandbox was looked at last."""
    turn_watched: tuple[int, float] = (0, 0.0)
    """Begin of a turn as the view has it, and on the loop's clock."""
    interrupt: str = ""
    """Id of the request that is to end the turn, until the CLI has it or the turn is over."""
    mode: str = ""
    """Id of the request that is to restore the mode that was chosen, until the CLI has it."""
    told: tuple[str, ...] = ()
    """Requests to tell the person something that were followed, until the CLI has the reply."""
    call_told: int = 0
    """Time at which the call that runs was told last."""
    hosts_refused: tuple[str, ...] = ()
    """Hosts that this turn was told of, as nobody was there to be asked for them."""
    alarmed: bool = False
    """True if the turn was stopped by an alarm already."""
    edits_granted: bool | None = None
    """True if the person let the run make all edits; None before its asks were looked through."""
    look_paused: bool = False
    """True if it was paused then."""
    look_ended: bool = False
    """True if it did not run then."""
    ending: bool = False
    """True once the end of the run has begun."""
    importing: bool = False
    import_wanted: bool = False
    """True if something may have changed since the last import began."""
    snapshot_due: bool = False
    """True if a turn has ended, of whose end no snapshot was begun."""
    snapshotting: bool = False
    """True while a snapshot is taken; what is said to the task waits."""
    limits: DiskLimits | None = None
    """Those that the settings had when the run was looked at last."""
    look_every: float = 0.0
    """Seconds until it is looked at again."""
    measuring: bool = False
    freezing: bool = False
    """True while the sandbox is being frozen, or let go on."""
    thawing: bool = False
    """True if a paused task is to go on."""
    pause_text: str = ""
    """Text of a paused task's problem."""
    trouble_before: tuple[str, Cause] = ("", "")
    """The problem that it would have if it were not paused."""
    resuming: tuple[Reply, ...] = ()
    """Replies to those who wait until it goes on."""
    failure: CtuiError | None = None
    """Error that prevented the run."""
    over: RunOver | None = None
    """End of the run's sandbox, once it has ended."""
    notified: tuple[int, ...] = ()
    """Times at which the task told the person something, within the last minute."""
    taken_up: int = 0
    """Runs in a row that were begun because the runner had been away."""
    stopping: tuple[Reply, ...] = ()
    """Replies to those who wait until no sandbox of the task is left."""
    leaving: RemoveTask | None = None
    """Call by which the task is to go off the list."""
    leave_replies: tuple[Reply, ...] = ()
    shells: tuple[Shell, ...] = ()
    """Shells of a person that are open in its sandbox."""
    openers: tuple[Reply, ...] = ()
    """Replies to those who wait for a sandbox, for a shell."""
    opened: Opened | None = None
    """The sandbox without the CLI, until a run begins in it."""
    peeking: bool = False
    """True while it is looked at for those who wait."""
    gone: bool = False
    """True if the store does not have it any more."""

    def unfinished(self) -> Unfinished:
        """Return what the next driver has to go on with."""
        return Unfinished(
            intent=self.intent,
            again=self.again,
            interrupt=self.interrupt,
            mode=self.mode,
            told=self.told,
        )

    def clone(self) -> Standing:
        """Return a copy that can change apart."""
        other = copy.copy(self)
        other.task, other.run = copy.copy(self.task), copy.copy(self.run)
        other.view = self.view.clone()
        return other


class Step:
    """Changes that mail makes to a task, until they are stored."""

    def __init__(self, standing: Standing, services: Services, actor: TaskActor) -> None:
        self.standing = standing
        self.services = services
        self.store = services.store
        self.time = services.now()
        self.actor = actor
        self.durable = False
        """True if it must be on the disk itself before it is carried out."""
        self._before = copy.copy(standing.task)
        self._unfinished, self._config = standing.unfinished(), standing.config
        self._effects: list[Callable[[], None]] = []
        self._alarmed: set[AlarmKind] = set()

    @property
    def task(self) -> Task:
        return self.standing.task

    @property
    def view(self) -> RunView:
        return self.standing.view

    @property
    def was_live(self) -> bool:
        """Return True if the task was live before this step."""
        return self._before.state.live

    @property
    def run(self) -> Run:
        """Return the run; only where there is one."""
        if self.standing.run is None:
            raise AssertionError("the task has no run")
        return self.standing.run

    # -- what changes

    def move(self, state: TaskState) -> None:
        """Put the task into another state."""
        check_task(self.task.state, state)
        self.task.state = state
        if state is not TaskState.ENDED:
            self.task.reason = None

    def enter(self, phase: Phase) -> None:
        """Go on to another phase of the run; what the older one still says is late."""
        check_phase(self.standing.phase, phase)
        self.standing.phase = phase
        self.standing.epoch += 1

    def intend(self, intent: Intent) -> None:
        """End the run for this reason, unless there is a stronger one already."""
        if STRENGTH[intent] > STRENGTH[self.standing.intent]:
            self.standing.intent = intent
            if self.standing.run is not None:
                self.standing.run.intent = intent
                self.store.runs.save(self.standing.run)

    def go_on_after(self) -> None:
        """Let what ends the run be no more than a pause: the task is told something meanwhile."""
        if self.standing.intent in {"completed", "stopped"}:
            self.standing.intent = "asleep"
            if self.standing.run is not None:
                self.standing.run.intent = "asleep"
                self.store.runs.save(self.standing.run)

    def trouble(self, problem: str, cause: Cause = "other") -> None:
        """Say what keeps the task from going on; the next good turn clears it."""
        self.task.problem, self.task.cause = problem, cause

    def alarm(self, kind: AlarmKind, text: str, evidence: bytes | str, *, stop: bool) -> bool:
        """Record what the driver did not cause, and stop the turn where it is told to.

        Returns:
            True for the first of its kind in this step: a flood is answered once.
        """
        head = evidence[:2000]
        raw = head.decode("utf-8", "replace") if isinstance(head, bytes) else head
        self.task.alarm_count += 1
        if len(self.task.alarms) < _ALARMS_KEPT:
            alarm = Alarm(
                at=self.time, kind=kind, text=text, evidence=one_line(raw, 300), stopped=stop
            )
            self.task.alarms = (*self.task.alarms, alarm)
            self.note(Notice(kind="problem", text=f"alarm: {text}", urgent=True))
        if stop:
            self.trouble(f"stopped by an alarm: {text}", "alarm")
            if not self.standing.alarmed:
                self.standing.alarmed = True
                self.interrupt()
        first = kind not in self._alarmed
        self._alarmed.add(kind)
        return first

    # -- what is carried out once it is stored

    def after(self, effect: Callable[[], None]) -> None:
        """Do this when the step is stored."""
        self._effects.append(effect)

    def send(self, line: bytes, *, key: str = "", droppable: bool = False) -> None:
        """Say a line to the CLI; with a key until its echo is seen (see `Channel.send`)."""
        self.after(lambda: self.actor.say(line, key, droppable=droppable))

    def control(self, line: bytes) -> None:
        """Send a request of the driver's own to the CLI, before all that waits."""
        self.after(lambda: self.actor.control(line))

    def interrupt(self) -> None:
        """End the turn; what cannot be said now is said as soon as the run is caught up with.

        A message that waits until the files are kept begins the turn that is meant.
        """
        self.standing.interrupt = str(uuid.uuid4())
        if not (self.standing.snapshotting and self.store.messages.undelivered(self.task.id)):
            self.control(control.interrupt(self.standing.interrupt))

    def seen(self, key: str) -> None:
        """Forget a line that the CLI has echoed."""
        self.after(lambda: self.actor.forget(key))

    def note(self, notice: Notice) -> None:
        """Add a line of the driver's own to the journal."""
        safe = Notice(kind=notice.kind, text=sanitise(notice.text), urgent=notice.urgent)
        run = self.standing.run
        number, time = run.number if run else 0, self.time
        self.after(lambda: self.actor.note(number, time, safe))

    def publish_ask(self, ask_id: int) -> None:
        """Tell everybody how an ask is now."""
        ask = self.store.asks.get(ask_id)
        self.after(lambda: self.actor.around.ask_changed(ask))

    def start(self, name: str, work: Work) -> None:
        """Begin a job; its end comes as mail. A job of the same name must not run."""
        epoch = self.standing.epoch
        self.after(lambda: self.actor.pending.start(name, work, epoch))

    def start_anew(self, name: str, work: Work) -> None:
        """Begin a job in the place of one that hangs, whose end is no mail any more."""
        epoch = self.standing.epoch
        self.after(lambda: self.actor.pending.drop(name))
        self.after(lambda: self.actor.pending.start(name, work, epoch))

    def cancel(self, name: str) -> None:
        """End a job; its end still comes as mail."""
        self.after(lambda: self.actor.pending.cancel(name))

    def timer(self, name: str, seconds: float | None) -> None:
        """Send mail in so many seconds; None takes the timer back."""
        epoch = self.standing.epoch
        self.after(lambda: self.actor.pending.set_timer(name, seconds, epoch))

    def reply(self, reply: Reply, value: object) -> None:
        """Answer whoever gave a command, with what no power cut takes back."""
        self.durable = True
        self.after(lambda: None if reply.done() else reply.set_result(value))

    def refuse(self, reply: Reply, error: Exception) -> None:
        """Tell whoever gave a command why nothing came of it."""
        self.after(lambda: None if reply.done() else reply.set_exception(error))

    # -- the end

    def save(self) -> None:
        """Write the task if it changed; part of the step's transaction."""
        task, run = self.task, self.standing.run
        if run is not None and self.standing.stored is not None:
            seen = Seen(*map(max, self.view.seen, self.standing.stored))
            if seen != self.standing.stored:
                self.store.runs.set_seen(run.task, run.number, *seen)
                self.standing.stored = seen
        unfinished = self.standing.unfinished()
        if unfinished != self._unfinished:
            self.store.unfinished.save(task.id, unfinished)
        if self.standing.config is not self._config:
            self.store.unfinished.set_config(task.id, self.standing.config)
        if task == self._before:
            return
        # What it does at the moment, and who has read it, is no news of how it stands.
        before = self._before
        told = msgspec.structs.replace(task, activity=before.activity, read=before.read)
        if stands := told != before:
            task.updated = self.time
        self.store.tasks.save(task)
        shown = copy.copy(task)
        self._effects.insert(0, lambda: self.services.publish(Update(task=shown)))
        if stands:
            self._effects.append(lambda: self.services.journals.keep(shown))

    def effects(self) -> list[Callable[[], None]]:
        """Return what is to be done now that it is stored, in order."""
        return self._effects
