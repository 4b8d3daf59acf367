"""The tools for tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from ctui.client.journal.plain import turn_over
from ctui.client.worktrees.worktrees import open_store
from ctui.config import PermissionMode
from ctui.mcp_server.protocol.asks import first_asks
from ctui.mcp_server.protocol.call import Call
from ctui.mcp_server.protocol.pages import Cursor, page_of, position, wrong_cursor
from ctui.mcp_server.protocol.tool import ENDS, READS, WORKS, Tool, tool
from ctui.mcp_server.protocol.tool_schema import LONGEST
from ctui.mcp_server.tools.arguments import (
    AllowHosts,
    Network,
    Repo,
    SecretNames,
    TaskId,
    Variables,
    WaitSeconds,
)
from ctui.mcp_server.tools.output import Output, follow_output, read_output, text_portion
from ctui.mcp_server.tools.task_shapes import (
    TaskDetails,
    TaskItem,
    TaskList,
    TaskNow,
    brief,
    now,
)
from ctui.mcp_server.tools.texts import text_of
from ctui.tasks.calls import InterruptTask, StopTask
from ctui.tasks.model import Task, TaskOptions, TaskState
from ctui.tasks.store import Store

_MOST_RUNS = 20


class RunTask(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `run_task`."""

    prompt: Annotated[str, Meta(description="What to do.")]
    task_id: Annotated[
        str, Meta(max_length=LONGEST, description="Default: after the worktree.")
    ] = ""
    name: Annotated[
        str, Meta(max_length=LONGEST, description="The worktree's name; default: after the prompt.")
    ] = ""
    worktree: Annotated[
        str,
        Meta(
            max_length=LONGEST,
            description="Work in this worktree instead of a new one: name, branch or path.",
        ),
    ] = ""
    workspace_dir: Annotated[bool, Meta(description="Work in the repository's own checkout.")] = (
        False
    )
    base: Annotated[str, Meta(max_length=LONGEST, description="Where a new worktree begins.")] = (
        "HEAD"
    )
    model: Annotated[str, Meta(max_length=LONGEST, description="Default: the configured one.")] = ""
    permission_mode: Annotated[
        PermissionMode | None, Meta(description="What the task may do without asking.")
    ] = None
    skip_permissions: Annotated[
        bool, Meta(description="Ask nothing: the container is the limit.")
    ] = False
    budget: Annotated[float, Meta(gt=0, description="US dollars at most.")] | None = None
    mcp_config: Annotated[
        list[Annotated[str, Meta(max_length=LONGEST)]],
        Meta(max_length=16, description="Files of MCP servers."),
    ] = []
    approval_tool_permission: Annotated[
        str,
        Meta(
            max_length=LONGEST,
            description="mcp__server__tool: it decides on what the task asks.",
        ),
    ] = ""
    isolated: Annotated[
        bool,
        Meta(description="No other commits than those its worktree begins with."),
    ] = False
    network: Network = None
    allow_hosts: AllowHosts = []
    env: Variables = {}
    secrets: SecretNames = []
    repo: Repo = ""


@tool(RunTask, TaskNow, WORKS)
async def run_task(call: Call, given: RunTask) -> TaskNow:
    """Start a Claude Code task in its own worktree and sealed container.

    Returns at once with the task's id: wait for it with get_task, read it with get_task_output,
    answer asks with answer_ask. It goes on without this server.
    """
    from ctui.claude.mcp.mcp_config import read_mcp_servers
    from ctui.client.tasks.directory import directory_of
    from ctui.client.tasks.new_task import NewTask
    from ctui.client.tasks.reach import check_offered
    from ctui.client.tasks.tasks import start_task
    from ctui.config import load_config
    from ctui.config.variables import assignments
    from ctui.worktrees.layout import settings_folder

    repository = call.repository(given.repo)
    config = load_config(call.paths, repository=settings_folder(repository))
    servers = read_mcp_servers(Path(name).expanduser().absolute() for name in given.mcp_config)
    check_offered(config, given.network, given.allow_hosts, servers)
    new = NewTask(
        prompt=given.prompt,
        task=given.task_id,
        name=given.name,
        base=given.base,
        worktree=given.worktree,
        in_checkout=given.workspace_dir,
        directory=directory_of(repository, call.place(given.repo)),
        servers=servers,
        options=TaskOptions(
            model=given.model,
            permission_mode=given.permission_mode or config.claude.permission_mode,
            skip_permissions=given.skip_permissions,
            secrets=tuple(given.secrets),
            budget=given.budget,
            approval_tool=given.approval_tool_permission,
            isolated=given.isolated,
            network=given.network or "",
            allow_hosts=tuple(given.allow_hosts),
        ),
        env=assignments(given.env),
    )
    async with call.client() as client:
        await client.connect()
        return now((await start_task(client, repository, new)).task)


class ListTasks(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `list_tasks`."""

    removed: Annotated[bool, Meta(description="Those that were removed, but not purged.")] = False
    active: Annotated[bool, Meta(description="Only those that work, wait or ask.")] = False
    cursor: Cursor = ""


@tool(ListTasks, TaskList, READS)
async def list_tasks(call: Call, given: ListTasks) -> TaskList:
    """List all tasks of all repositories, oldest first, with how much each asks, page by page."""
    with open_store(call.paths) as store:
        asked = store.asks.pending_by_task()
        items = (
            TaskItem(brief(task), asked.get(task.id, 0))
            for task in _tasks(store, given)
            if not given.active or task.state.live or task.id in asked
        )
        page, after = page_of(items, lambda item: (item.task.created, item.task.id), given.cursor)
    return TaskList(page, after)


def _tasks(store: Store, given: ListTasks) -> Iterator[Task]:
    """Return the tasks from the cursor on."""
    match position(given.cursor):
        case ():
            last = (-1, "")
        case (int() as created, str() as task_id):
            last = (created, task_id)
        case _:
            raise wrong_cursor()
    return store.tasks.after(*last, removed=given.removed)


class GetTask(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `get_task`."""

    task_id: TaskId
    wait_seconds: WaitSeconds = 0


@tool(GetTask, TaskDetails, READS)
async def get_task(call: Call, given: GetTask) -> TaskDetails:
    """Show one task: its state, the last turn's closing text, its runs, and what it asks.

    States: queued, starting, running, waiting (it asks), idle (the turn is over), ended. With
    wait_seconds it returns as soon as the turn is over or something is asked.
    """
    found = _details(call, given.task_id)
    asks = bool(found.asks) and found.task.state is TaskState.WAITING
    if given.wait_seconds and not (found.over or asks):
        from ctui.mcp_server.tools.turn import Turn

        async with call.client() as client:
            await Turn(client, found.task).needs_person(given.wait_seconds)
        found = _details(call, given.task_id)
    return found


class GetTaskOutput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `get_task_output`."""

    task_id: TaskId
    offset: Annotated[
        int, Meta(ge=0, description="Where to begin: 0, or next_offset of the call before.")
    ] = 0
    of: Annotated[
        str,
        Meta(
            max_length=40,
            description="Read one text that was cut: prompt, result, problem, ask:ID or "
            "entry:OFFSET; offset is then in it.",
        ),
    ] = ""
    tail: Annotated[
        int, Meta(ge=0, le=2000, description="Only the last lines, so many; instead of offset.")
    ] = 0
    wait_seconds: WaitSeconds = 0


@tool(GetTaskOutput, Output, READS)
async def get_task_output(call: Call, given: GetTaskOutput) -> Output:
    """Read what a task said and did, as plain text, from the start or from where you left off.

    With wait_seconds it waits for more where there is nothing new yet and the turn goes on.
    """
    shown = _details(call, given.task_id)
    path = call.paths.task(given.task_id)
    if given.of:
        text = await asyncio.to_thread(text_of, call.paths, shown.task, given.of)
        return msgspec.structs.replace(text_portion(text, given.offset), over=shown.over)
    found = await asyncio.to_thread(read_output, path, given.offset, given.tail)
    if not found.lines and given.wait_seconds and not given.tail and not shown.over:
        async with call.client() as client:
            await follow_output(client, given.task_id, found.next_offset, given.wait_seconds)
        found = await asyncio.to_thread(read_output, path, given.offset, 0)
        shown = _details(call, given.task_id)
    return msgspec.structs.replace(found, over=shown.over)


class Send(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `send_message`."""

    task_id: TaskId
    message: Annotated[str, Meta(description="What the task should do next.")]


@tool(Send, TaskNow, WORKS)
async def send_message(call: Call, given: Send) -> TaskNow:
    """Send a follow-up to a task; one that sleeps or ended goes on. Returns at once."""
    from ctui.client.tasks.caller import new_message

    message = new_message(call.paths, given.task_id, given.message)
    async with call.client() as client:
        return now(await client.call(message))


class OneTask(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `interrupt_task` and `stop_task`."""

    task_id: TaskId


@tool(OneTask, TaskNow, ENDS)
async def interrupt_task(call: Call, given: OneTask) -> TaskNow:
    """End a task's turn; the conversation stays open for send_message."""
    async with call.client() as client:
        return now(await client.call(InterruptTask(given.task_id)))


@tool(OneTask, TaskNow, ENDS)
async def stop_task(call: Call, given: OneTask) -> TaskNow:
    """Stop a task's container once its commits are home; send_message starts it again."""
    async with call.client() as client:
        return now(await client.call(StopTask(given.task_id)))


def _details(call: Call, task_id: str) -> TaskDetails:
    with open_store(call.paths) as store:
        task = store.tasks.get(task_id)
        asks, after = first_asks(store.asks.pending_after(0, task=task_id))
        runs = store.runs.of(task_id)
    return TaskDetails(task, asks, runs[-_MOST_RUNS:], turn_over(task), after)


TOOLS: tuple[Tool, ...] = (
    run_task,
    list_tasks,
    get_task,
    get_task_output,
    send_message,
    interrupt_task,
    stop_task,
)
