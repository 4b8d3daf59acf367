"""Making, reading, telling and stopping tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ctui.client.tasks.attaching import GivenFile, staged
from ctui.client.tasks.caller import new_message
from ctui.client.tasks.new_task import NewTask
from ctui.client.tasks.reach import check_offered
from ctui.client.tasks.tasks import start_task
from ctui.config import load_config
from ctui.config.variables import assignments
from ctui.errors import InvalidInput, NotFound
from ctui.tasks.calls import StopTask
from ctui.tasks.model import TaskOptions
from ctui.tasks.session.messages import check_text
from ctui.web import shapes
from ctui.web.endpoint import Endpoint, Parameter, body_of, whole_number
from ctui.web.failure import as_json
from ctui.web.output import recent_output, whole_output
from ctui.web.service import Service
from ctui.web.views import current_status, record_fields, seconds, task_record, task_summary
from ctui.web.workdir import Workdir, workdir_at
from ctui.worktrees.layout import settings_folder

_RECENT_LINES = 50
_RECENT_BYTES = 1 << 20
_MOST_LINES = 1_000_000


async def create(service: Service, request: Request) -> Response:
    """Start a task in a new worktree.

    Answers at once; the task runs in a container of its own. What it asks waits for an answer, here
    or in any other of ctui's front ends.
    """
    wanted = await body_of(request, shapes.NewTask)
    check_text(wanted.prompt)
    repository, directory = await _place(service, wanted.workdir)
    config = load_config(service.paths, repository=settings_folder(repository))
    check_offered(config, wanted.network, wanted.allow_hosts)
    new = NewTask(
        prompt=wanted.prompt,
        name=wanted.name or "",
        base=wanted.base or "HEAD",
        directory=directory,
        options=TaskOptions(
            model=wanted.model or "",
            permission_mode=wanted.permission_mode or config.claude.permission_mode,
            skip_permissions=wanted.skip_permissions,
            budget=wanted.budget,
            isolated=wanted.isolated,
            network=wanted.network or "",
            allow_hosts=tuple(wanted.allow_hosts),
            secrets=tuple(wanted.secrets),
        ),
        env=assignments(wanted.env),
        attach=_given(wanted.attach),
    )
    async with service.client() as client:
        try:
            task = (await start_task(client, repository, new)).task
        except NotFound as error:  # the base: the path itself was found
            raise InvalidInput(error.message, hint=error.hint) from error
    return as_json(task_record(service.store, task), status=201)


async def list_all(service: Service, _request: Request) -> Response:
    """List all tasks, newest first."""
    tasks = [task_summary(service.store, task) for task in reversed(service.store.tasks.list())]
    return as_json(shapes.TaskList(tasks))


async def detail(service: Service, request: Request) -> Response:
    """Show one task, what it asks, and the end of its output."""
    task = service.store.tasks.get(request.path_params["task_id"])
    # Some kilobytes that were just written: a thread would take longer than the read.
    recent = recent_output(service.archive(task.id), _RECENT_LINES, _RECENT_BYTES)
    fields = record_fields(service.store, task, turn_end=recent.turn_end)
    return as_json(shapes.TaskDetail(**fields, recent_output=recent.text))


async def output(service: Service, request: Request) -> Response:
    """Return the output as plain text: lines of JSON as Claude Code writes them.

    Each turn ends with a line `__CLAUDE_EXIT_CODE_N__`; N is 0 where it went well.
    """
    lines = whole_number(request, "tail", 1, _MOST_LINES)
    task = service.store.tasks.get(request.path_params["task_id"])
    content = whole_output(service.archive(task.id), lines)
    return StreamingResponse(content, media_type="text/plain; charset=utf-8")


async def tell(service: Service, request: Request) -> Response:
    """Send a follow-up; a task that sleeps or ended goes on with it."""
    said = await body_of(request, shapes.FollowUp)
    check_text(said.prompt)
    task = service.store.tasks.get(request.path_params["task_id"])
    call = new_message(service.paths, task.id, said.prompt)
    with staged(service.paths, _given(said.attach), lambda _note: None) as files:
        task = await service.call(msgspec.structs.replace(call, staged=files))
    # The first one is the prompt.
    others = service.store.messages.of(task.id)[1:]
    told = shapes.TaskTold(
        task_id=task.id,
        session_id=task.session,
        status=current_status(service.store, task),
        followups=[shapes.SentFollowUp(item.text, seconds(item.created)) for item in others],
    )
    return as_json(told)


async def kill(service: Service, request: Request) -> Response:
    """Stop a task. Its worktree, branch and output stay, and a message lets it go on."""
    task = await service.call(StopTask(request.path_params["task_id"]))
    killed = shapes.TaskKilled(task.id, current_status(service.store, task), seconds(task.updated))
    return as_json(killed)


def _given(files: Sequence[shapes.AttachedFile]) -> tuple[GivenFile, ...]:
    return tuple(GivenFile(one.name, one.data, one.media_type) for one in files)


async def _place(service: Service, workdir: str | None) -> Workdir:
    if workdir is None:
        return Workdir(service.repository, "")
    tasks = [*service.store.tasks.list(), *service.store.tasks.list(removed=True)]
    return await asyncio.to_thread(workdir_at, workdir, tasks)


TAIL = Parameter(
    "tail",
    "query",
    {"type": "integer", "minimum": 1, "maximum": _MOST_LINES},
    "Only so many of the last lines.",
)

ENDPOINTS = (
    Endpoint(
        "POST",
        "/tasks",
        create,
        shapes.TaskRecord,
        status=201,
        takes=shapes.NewTask,
        errors=(403, 409, 413),
    ),
    Endpoint("GET", "/tasks", list_all, shapes.TaskList),
    Endpoint("GET", "/tasks/{task_id}", detail, shapes.TaskDetail, errors=(404,)),
    Endpoint("DELETE", "/tasks/{task_id}", kill, shapes.TaskKilled, errors=(404,)),
    Endpoint(
        "GET",
        "/tasks/{task_id}/output",
        output,
        None,
        media="text/plain",
        parameters=(TAIL,),
        errors=(404,),
    ),
    Endpoint(
        "POST",
        "/tasks/{task_id}/message",
        tell,
        shapes.TaskTold,
        takes=shapes.FollowUp,
        errors=(404, 413),
    ),
)
