"""Comments on a worktree as one follow-up to its task."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ctui.client.tasks.caller import new_message
from ctui.client.worktrees.worktrees import open_index, open_store
from ctui.errors import NotFound, Refused
from ctui.tasks.threads import Thread
from ctui.text import one_line, sanitise

if TYPE_CHECKING:
    from ctui.client.client import Client
    from ctui.client.review.reviewing import Reviewed
    from ctui.tasks.model import Task

_QUOTED = 20
"""Lines of each comment that are repeated in the message."""

_BEGIN = (
    "Review of your changes. Deal with each comment below, and answer it by its number with "
    "mcp__ctui__resolve_comment: what you changed, or why nothing."
)


class Sent(NamedTuple):
    """Comments that a task was told."""

    task: Task
    comments: int


async def send_comments(client: Client, of: Reviewed) -> Sent:
    """Tell the worktree's newest task all comments that no task was told; one that ended goes on.

    Raises:
        Refused: there is nothing to tell.
        NotFound: there is no task. The comments are kept.
        CtuiError: the task could not be told. The comments are kept.
    """
    path, name = of.record.path, one_line(of.worktree.name, 60)
    with open_index(client.paths) as index:
        threads = [thread for thread in index.threads.of(path, of.record.created) if thread.unsent]
    if not threads:
        raise Refused(f"there is no new comment on {name}", hint="comment on a line first")
    with open_store(client.paths) as store:
        task = store.tasks.newest(path)
    if task is None:
        raise NotFound(
            f"no task works in {name}: nobody is there to be told; the comments are kept",
            hint=f"start one there: ctui run --worktree {name} PROMPT",
        )
    remarks = [remark.id for thread in threads for remark in thread.unsent]
    call = new_message(client.paths, task.id, follow_up(threads), _message_id(task.id, remarks))
    told = await client.call(call)
    with open_index(client.paths) as index:
        index.threads.mark_sent(remarks, task.id, time.time_ns())
    return Sent(told, len(remarks))


def follow_up(threads: Iterable[Thread]) -> str:
    """Return the message that says what is new in these threads."""
    return "\n\n".join([_BEGIN, *(_section(thread) for thread in threads)])


def _section(thread: Thread) -> str:
    side = "before your change" if thread.side == "old" else f"at {thread.commit[:10]}"
    lines = [f"#{thread.id} {one_line(thread.place, 300)} ({side})"]
    lines += [f"> {sanitise(line)}" for line in thread.quote[:_QUOTED]]
    if len(thread.quote) > _QUOTED:
        lines.append(f"> … {len(thread.quote) - _QUOTED} more lines")
    lines += [remark.text for remark in thread.unsent]
    return "\n".join(lines)


def _message_id(task: str, remarks: Sequence[int]) -> str:
    """Return the same id for the same comments: a call that is repeated is one message."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{task}:{','.join(map(str, remarks))}"))
