"""Port of one task's actor to all tasks together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ctui.errors import CtuiError
from ctui.tasks.mailbox.step import Reply
from ctui.tasks.model import Ask, Task
from ctui.tasks.runs.slots import Slots

if TYPE_CHECKING:
    from ctui.tasks.runs.actor import TaskActor


class AllTasks(Protocol):
    """The tasks of a driver, among which an actor is one."""

    slots: Slots

    def rested(self, actor: TaskActor) -> None:
        """Take note that the actor has taken all its mail."""

    def occupied(self, task: Task) -> str:
        """Return the id of another task that has a run on the same worktree, or ""."""

    def make_room(self) -> None:
        """Put idle tasks to sleep for those that wait for a place."""

    def tell_trouble(self, actor: TaskActor, error: CtuiError) -> None:
        """Show what keeps a task waiting: the runner or the store does not answer."""

    def trouble_over(self, actor: TaskActor) -> None:
        """Show that it waits no more."""

    def stored_again(self, actor: TaskActor) -> None:
        """Show a task as it is, after its trouble with the store."""

    async def store_writable(self, seconds: float) -> bool:
        """Wait for at most so long; return True once the store is not locked any more."""

    def ask_changed(self, ask: Ask) -> None: ...

    def await_receipt(self, ask_id: int, reply: Reply) -> None:
        """Settle the reply when the ask's answer has arrived, or did not."""

    def removed(self, task_id: str) -> None: ...
