"""A task's mailbox at work: the one coroutine that changes the task.

Mail is taken in order. What it causes is one `Step`: stored in one transaction, then carried out.
A handler waits for nothing; what takes time is a job, whose end is mail. So there is no moment in
which two things happen to a task at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from ctui.errors import CtuiError, StoreLocked, Unavailable
from ctui.tasks.mailbox.mail import JobDone, Lines, Mail, Remove, Slot, Stop
from ctui.tasks.mailbox.ports import Services
from ctui.tasks.mailbox.states import Phase
from ctui.tasks.mailbox.step import Reply, Standing, Step
from ctui.tasks.model import Notice
from ctui.tasks.runs import dispatch
from ctui.tasks.runs.all_tasks import AllTasks
from ctui.tasks.runs.channel import Channel
from ctui.tasks.runs.crash import handle_crash
from ctui.tasks.runs.jobs.adopt import channel_of
from ctui.tasks.runs.jobs.close import stop
from ctui.tasks.runs.pending import Pending

log = logging.getLogger(__name__)

_STORE_RETRY_SECONDS = 0.5
_BRIEF_SECONDS = 0.2
"""Time for which a lock of the store is nothing to tell of: front ends write as well."""
_PATIENCE_SECONDS = 8.0
"""Time limit of a command that waits for a store that cannot be written."""


def _not_stored(mail: Mail) -> Unavailable:
    what = "it is stopped all the same" if isinstance(mail, Stop | Remove) else "try again"
    return Unavailable("the store cannot be written", hint=f"`ctui doctor` looks at it; {what}")


class TaskActor:
    """One task of the driver, from its first mail until nothing more is to be done for it."""

    def __init__(self, standing: Standing, services: Services, around: AllTasks) -> None:
        self.standing = standing
        """As the store has it; changed only by a step that was stored."""
        self.services = services
        self.around = around
        self.pending = Pending(standing.task.id, self.put)
        self._channel: Channel | None = None
        self._mail: deque[Mail] = deque()
        self._arrived = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        return self.standing.task.id

    @property
    def at_rest(self) -> bool:
        """Return True where nothing is under way or to be done, now or later."""
        quiet = not self._mail and not self.pending
        return self.standing.phase is Phase.RESTING and quiet

    def put(self, mail: Mail) -> None:
        """Add mail. Returns at once."""
        mail.arrived = asyncio.get_running_loop().time()
        self._mail.append(mail)
        self._arrived.set()
        if self._loop is None:
            self._loop = asyncio.create_task(self._take_mail(), name=f"task {self.id}")

    async def put_lines(self, lines: Lines) -> None:
        """Add lines, and wait until their effect is stored."""
        self.put(lines)
        await lines.taken.wait()

    async def let_go(self) -> None:
        """End everything of this driver's, and leave the sandbox as it is."""
        jobs = await self.pending.let_go()
        ending = [*jobs, *([self._loop] if self._loop else [])]
        for job in ending:
            job.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        if self._channel is not None:
            await self._channel.close()

    def dismiss(self) -> None:
        """End the loop of an actor that is at rest."""
        if self._loop is not None:
            self._loop.cancel()

    # -- the loop

    async def _take_mail(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._mail:
                await self._settle(self._mail[0])
                self._mail.popleft()
            self.around.rested(self)

    async def _settle(self, mail: Mail) -> None:
        """Take one piece of mail, again and again until it is stored; then carry it out."""
        tries, told = 0, False
        while True:
            tries += 1
            try:
                effects = self._attempt(mail)
                break
            except Exception as error:  # noqa: BLE001 - a task's loop outlives every fault of the store
                failure = error
            locked = isinstance(failure, StoreLocked)
            ready = locked and tries == 1 and await self.around.store_writable(_BRIEF_SECONDS)
            while not ready:
                if not told:
                    self._tell_of_store(failure)
                    told = True
                ready = await self._wait_for_store(locked=locked)
                if self._give_up_waiting(mail):
                    return
        if told:
            self.around.stored_again(self)
        for effect in effects:
            try:
                effect()
            except Exception:  # the step is stored: what else it causes must still be done
                log.exception("task %s: an effect of %s", self.id, type(mail).__name__)
        if isinstance(mail, Lines):
            mail.taken.set()

    async def _wait_for_store(self, *, locked: bool) -> bool:
        """Wait a moment; return True if the mail can be tried again."""
        if locked:
            return await self.around.store_writable(_STORE_RETRY_SECONDS)
        await asyncio.sleep(_STORE_RETRY_SECONDS)
        return True

    def _tell_of_store(self, error: Exception) -> None:
        known = (
            error if isinstance(error, CtuiError) else CtuiError(f"ctui made a mistake: {error!r}")
        )
        unknown = None if error is known else error
        log.warning("task %s waits: %s", self.id, known.one_line(), exc_info=unknown)
        self.around.tell_trouble(self, known)

    def _give_up_waiting(self, mail: Mail) -> bool:
        """Refuse the commands that wait for too long; True if the mail at hand is one of them.

        Whoever wants the task to stop gets that all the same: a sandbox needs no store to be
        stopped, and where there is none yet, the mail is taken as soon as the store takes it.
        """
        now, refused = asyncio.get_running_loop().time(), False
        for waiting in [one for one in self._mail if now - one.arrived > _PATIENCE_SECONDS]:
            reply: Reply | None = getattr(waiting, "reply", None)
            if reply is None or (reply.done() and isinstance(waiting, Stop | Remove)):
                continue
            if not reply.done():
                reply.set_exception(_not_stored(waiting))
            if isinstance(waiting, Stop | Remove):
                self._stop_unstored()
            elif waiting is mail:
                refused = True
            else:
                self._mail.remove(waiting)
        return refused

    def _stop_unstored(self) -> None:
        """Stop the run's sandbox, if there is one, without a word in the store."""
        if (run := self.standing.run) is not None:
            self.pending.start("stop", lambda: stop(self, run), self.standing.epoch)

    def _attempt(self, mail: Mail) -> Sequence[Callable[[], None]]:
        """Handle the mail on a copy, and store that; a mistake of ours ends the run, not the loop.

        Raises:
            Unavailable: the store or the archive cannot be written now; nothing happened.
        """
        if isinstance(mail, Lines):
            self._archive(mail)
        try:
            return self._store(mail, crash=None)
        except Unavailable:
            raise
        except Exception as error:  # whatever it was: one line must not bring down a driver
            if not isinstance(error, CtuiError):
                log.exception("task %s: %s", self.id, type(mail).__name__)
            return self._store(mail, crash=error)

    def _archive(self, mail: Lines) -> None:
        run = self.standing.run
        if mail.unarchived and run is not None and mail.epoch == self.standing.epoch:
            self.services.journals.of(run.task).append(run.number, mail.unarchived)
        mail.unarchived = ()

    def _store(self, mail: Mail, *, crash: Exception | None) -> Sequence[Callable[[], None]]:
        step = Step(self.standing.clone(), self.services, self)
        with self.services.store.transaction():
            if crash is not None:
                handle_crash(step, mail, crash)
            elif not dispatch.is_late(mail, self.standing.epoch):
                dispatch.handle(step, mail)
            elif isinstance(mail, JobDone) and (late := channel_of(mail.result)) is not None:
                step.after(late.drop)
            step.save()
        self.standing = step.standing
        if step.durable:
            self.services.store.sync()
        return step.effects()

    # -- what steps make it do

    def say(self, line: bytes, key: str, *, droppable: bool = False) -> None:
        """Send a line to the CLI; with a key until its echo is seen."""
        if self._channel is not None:
            self._channel.send(line, key=key, droppable=droppable)

    def control(self, line: bytes) -> None:
        """Send a request of the driver's own to the CLI, before all that waits."""
        if self._channel is not None:
            self._channel.control(line)

    def forget(self, key: str) -> None:
        """Do not send that line again."""
        if self._channel is not None:
            self._channel.seen(key)

    def renew_channel(self) -> None:
        """Connect anew, and say again what may have been lost."""
        if self._channel is not None:
            self._channel.renew()

    def mend_channel(self) -> None:
        """Connect anew where the connection broke and nobody noticed."""
        if self._channel is not None:
            self._channel.renew_if_broken()

    def say_unseen_again(self) -> None:
        """Send everything again that has no echo: the relay dropped a line."""
        if self._channel is not None:
            self._channel.send_unseen_again()

    def note(self, run: int, time: int, notice: Notice) -> None:
        """Add a line of the driver's own to the journal, if it can be written."""
        with suppress(Unavailable):
            self.services.journals.of(self.id).note(run, time, notice)

    def use(self, channel: Channel) -> None:
        """Speak through this channel from now on."""
        self._channel = channel

    def drop_channel(self) -> None:
        """Let go of the channel; the run is over, and no open block of it will ever close."""
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.drop()
        self.services.journals.of(self.id).forget_parts()

    def want_slot(self) -> None:
        """Wait for a place among the runs."""
        self.around.slots.want(self.id, lambda: self.put(Slot()))
        if self.around.slots.crowded:
            self.around.make_room()

    def take_slot(self) -> None:
        """Take a place for what runs already."""
        self.around.slots.take(self.id)

    def free_slot(self) -> None:
        """Give the place back."""
        self.around.slots.free(self.id)
