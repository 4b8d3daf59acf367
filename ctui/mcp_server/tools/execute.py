"""`execute_claude`: one turn of a task, from the prompt to its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import anyio
import msgspec
from mcp_types import InputRequiredResult
from msgspec import Meta

from ctui.client.worktrees.worktrees import open_store
from ctui.mcp_server.protocol.call import Call
from ctui.mcp_server.protocol.rounds import Round, earlier_round, take_answers
from ctui.mcp_server.protocol.tool import WORKS, Tool, tool
from ctui.mcp_server.tools.arguments import AllowHosts, Network, SecretNames, Variables
from ctui.mcp_server.tools.settings import settings
from ctui.mcp_server.tools.turn_wait import Execution, TurnWait
from ctui.mcp_server.tools.workplace import Workplace, workplace_of
from ctui.tasks.journal.archive import FILE_NAME
from ctui.tasks.model import Task, TaskOptions

if TYPE_CHECKING:
    from ctui.client.client import Client

_FALLBACK_MODEL = "haiku"
"""As mcp-claude-code: what is delegated without a word about the model is small."""


class ExecuteClaude(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Arguments of `execute_claude`."""

    prompt: Annotated[str, Meta(description="What to do.")] = ""
    model: Annotated[
        str,
        Meta(max_length=200, description="haiku=fast/simple, sonnet=complex, opus=critical."),
    ] = ""
    workspace_root: (
        Annotated[
            str,
            Meta(
                max_length=4096,
                description="The worktree or checkout to work in; default: the server's.",
            ),
        ]
        | None
    ) = None
    skip_permissions: Annotated[
        bool, Meta(description="Ask nothing: the container is the limit.")
    ] = False
    task_id: Annotated[
        str,
        Meta(
            max_length=200,
            description="Go on with this task of an earlier call: with a prompt it is told more, "
            "without one it is only waited for. Without both: the newest task in workspace_root.",
        ),
    ] = ""
    network: Network = None
    allow_hosts: AllowHosts = []
    env: Variables = {}
    secrets: SecretNames = []


@tool(ExecuteClaude, Execution, WORKS)
async def execute_claude(call: Call, given: ExecuteClaude) -> Execution | InputRequiredResult:
    """Delegate a coding task to Claude Code in a sealed container, and wait for its result.

    It works in workspace_root. Permissions, questions and plans are shown to the person;
    where the client cannot show them they wait for answer_ask. A call that is cancelled or times
    out ends nothing: the same call again, or one with task_id, waits on.
    """
    async with call.client() as client:
        earlier = earlier_round(call)
        if earlier is not None:
            task, start = _known(call, earlier.task), _journal_size(call, earlier.task)
            await take_answers(call, client, earlier)
        else:
            with anyio.CancelScope(shield=True):  # a task that nobody knows of would go on
                task, start = await _begin(call, client, given)
        wait = TurnWait(call, client, settings(call.paths).mcp, task, earlier or Round(task.id))
        call.state.unheard.add(task.id)
        found = await wait.run(start)
        call.state.unheard.discard(task.id)
        return found


async def _begin(call: Call, client: Client, given: ExecuteClaude) -> tuple[Task, int]:
    """Start the task, tell it more, or find it; return it with the byte where its news begin."""
    if given.task_id:
        start = _journal_size(call, given.task_id)
        if not given.prompt:
            return _known(call, given.task_id), start
        from ctui.client.tasks.caller import new_message

        return await client.call(new_message(call.paths, given.task_id, given.prompt)), start
    from ctui.client.tasks.new_task import NewTask
    from ctui.client.tasks.reach import check_offered
    from ctui.client.tasks.tasks import start_task
    from ctui.config.variables import assignments

    place = workplace_of(call, given.workspace_root or "")
    if task := _left_off(call, place, given.prompt):
        return task, _journal_size(call, task.id)
    config = settings(call.paths, repository=place.repository.work_tree)
    check_offered(config, given.network, given.allow_hosts)
    model = given.model or config.mcp.default_model or config.claude.model or _FALLBACK_MODEL
    await client.connect()
    new = NewTask(
        prompt=given.prompt,
        worktree=place.worktree,
        in_checkout=not place.worktree,
        directory=place.directory,
        options=TaskOptions(
            model=model,
            permission_mode=config.claude.permission_mode,
            skip_permissions=given.skip_permissions,
            network=given.network or "",
            allow_hosts=tuple(given.allow_hosts),
            secrets=tuple(given.secrets),
        ),
        env=assignments(given.env),
    )
    return (await start_task(client, place.repository, new)).task, 0


def _left_off(call: Call, place: Workplace, prompt: str) -> Task | None:
    """Return the task that a call was waiting for when it was cut off.

    It is the newest one of the place: with the same prompt while it works, or while nobody has
    heard of its end; with none in any case.
    """
    worktree = place.worktree or str(place.repository.work_tree)
    with open_store(call.paths) as store:
        task = store.tasks.newest(worktree)
    if task is None or not prompt:
        return task
    waits = task.state.live or task.id in call.state.unheard
    return task if waits and task.prompt == prompt else None


def _known(call: Call, task_id: str) -> Task:
    with open_store(call.paths) as store:
        return store.tasks.get(task_id)


def _journal_size(call: Call, task_id: str) -> int:
    _known(call, task_id)
    path = call.paths.task(task_id) / FILE_NAME
    return path.stat().st_size if path.is_file() else 0


TOOLS: tuple[Tool, ...] = (execute_claude,)
