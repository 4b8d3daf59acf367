"""A task's journal as plain lines, and whether its turn is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ctui.claude.protocol import events
from ctui.claude.protocol.decode import decode
from ctui.claude.transcript.summary import describe
from ctui.claude.transcript.transcript import Transcript
from ctui.tasks.journal.archive import Entry
from ctui.tasks.model import Notice, Task, TaskState
from ctui.text import one_line, sanitise


class PlainJournal:
    """Lines that a person reads of a journal, each thing once."""

    def __init__(
        self, echoed: Iterable[str] = (), costs_before: Mapping[int, float] | None = None
    ) -> None:
        """Begin with nothing read.

        Args:
            echoed: ids of messages that the CLI has taken before the first line.
            costs_before: what the task had cost when a run began, by the run's number, for a
                journal that is not read from its start.
        """
        self._costs_before = costs_before or {}
        self._run = 0
        self._before = 0.0
        self._cost = 0.0
        """Of the task: the CLI counts anew in each run."""
        self._echoed = set(echoed)
        self._queue: Transcript | None = None
        """The messages that follow each other right now: the CLI may merge them."""
        self._said = ""
        self.failure = ""
        """Failure of the last turn, as one line; "" for a turn that went well."""

    def lines(self, entry: Entry) -> list[str]:
        """Return what a person reads of a line, sanitised; often nothing."""
        if entry.run > self._run:
            self._run = entry.run
            self._before = max(self._cost, self._costs_before.get(entry.run, 0.0))
            self._cost = self._before
        if entry.stream == "ctui":
            return _notice(entry.line)
        if entry.stream == "err":
            said = decode(entry.line, "err")
            if not isinstance(said, events.RelayLine):
                return [f"! {sanitise(entry.line)}"]
            return [f"* {said.start_failure}"] if said.start_failure else []
        if events.is_partial(entry.line[:64].encode()):
            return []
        event = decode(entry.line)
        if isinstance(event, events.UserMessage) and event.is_replay:
            return self._echo(event)
        if isinstance(event, events.Result):
            return self._end(event)
        lines = describe(event)
        if lines:
            self._queue, self._said = None, "\n".join(lines)
        return lines

    def _echo(self, event: events.UserMessage) -> list[str]:
        if self._queue is None:
            self._queue = Transcript(self._echoed)
        self._echoed.add(event.uuid)
        return describe(event, self._queue)

    def _end(self, event: events.Result) -> list[str]:
        """Return the lines of a turn's end, without a failure that was said just before.

        The CLI says a failure of the API as a message of the model's, and once more here.
        """
        self._queue = None
        failed = event.is_error and not event.interrupted
        self.failure = one_line(event.text, 300) if failed else ""
        self._cost = max(self._cost, self._before + event.total_cost_usd)
        lines = describe(msgspec.structs.replace(event, total_cost_usd=self._cost))
        repeated = failed and sanitise(event.text).strip() == self._said.strip()
        return lines[-1:] if repeated else lines


def turn_over(task: Task) -> bool:
    """Return True where nothing more happens until the person says something."""
    if task.resume_at is not None:
        return task.options.unattended  # it goes on by itself, when nobody may be there any more
    if task.state is TaskState.WAITING:
        return bool(task.problem)
    # A task whose sandbox stops with its turn is idle for the moment until it has stopped.
    return task.state is TaskState.ENDED or (task.state is TaskState.IDLE and task.detached)


def _notice(line: str) -> list[str]:
    notice = msgspec.json.decode(line, type=Notice)
    return [] if notice.kind in {"started", "ended"} else [f"* {sanitise(notice.text)}"]
