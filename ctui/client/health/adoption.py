"""Tasks that the store has lost, put where they work; and the sandboxes that it does not know."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ctui.client.cleaning.volumes import open_engine
from ctui.client.worktrees.worktrees import worktree_at
from ctui.errors import CtuiError
from ctui.git.repository.repository import open_repository
from ctui.paths import WORKSPACE, Paths
from ctui.sandbox.spec import LABEL_INSTANCE, LABEL_RUN, LABEL_SERVICE, LABEL_TASK
from ctui.tasks.lost import LostTask, rebuild_task
from ctui.tasks.model import AskState, Run, Task, TaskState
from ctui.tasks.naming import is_task_id
from ctui.tasks.store import Store, now
from ctui.text import one_line

if TYPE_CHECKING:
    from ctui.sandbox.docker.engine import Engine, FoundContainer

_SESSION = re.compile(r"--(?:session-id|resume)=([0-9a-f-]{36})")


def locate(paths: Paths, found: LostTask, place: str | None) -> LostTask:
    """Return a task that only a journal tells of with the place where it works.

    Args:
        paths: whose tasks.
        found: the task.
        place: of its worktree, where the damaged store had that still. Else it is the one worktree
            of ctui that has the task's name: tasks are called after their worktrees. Where there
            is none, or there are several, its conversation can be read, and that is all.
    """
    if place is not None:
        task = _at(found.task, Path(place))
        return found if task is None else found._replace(task=task, located=True)
    for wanted in dict.fromkeys((found.task.id, re.sub(r"-\d+$", "", found.task.id))):
        folders = [path for path in paths.worktrees.glob("*/*") if path.name.lower() == wanted]
        tasks = [task for path in folders if (task := _at(found.task, path)) is not None]
        if len(tasks) == 1:
            return found._replace(task=tasks[0], located=True)
    return found


async def adopt_sandboxes(paths: Paths, store: Store, done: list[str], left: list[str]) -> None:
    """Give every sandbox of this ctui its task and run, so that the next driver takes it over.

    What was done, and what could not be, is added to the two lists.
    """
    try:
        async with open_engine() as engine:
            for container in await engine.find({LABEL_INSTANCE: paths.instance}):
                if container.labels.get(LABEL_TASK) and not container.labels.get(LABEL_SERVICE):
                    await _adopt(paths, store, engine, container, done, left)
    except CtuiError as error:
        left.append(f"sandboxes were not looked at: {error.message}")


async def unknown_sandboxes(paths: Paths, engine: Engine) -> list[str]:
    """Return the names of the sandboxes that run, and that no open run of the store stands for."""
    store = Store(paths.database)
    try:
        open_runs = {(run.task, str(run.number)) for run in store.runs.open()}
    finally:
        store.close()
    return [
        container.name
        for container in await engine.find({LABEL_INSTANCE: paths.instance})
        if container.running
        and container.labels.get(LABEL_TASK)
        and not container.labels.get(LABEL_SERVICE)  # which go with their sandbox
        and (container.labels[LABEL_TASK], container.labels.get(LABEL_RUN)) not in open_runs
    ]


async def _adopt(
    paths: Paths,
    store: Store,
    engine: Engine,
    container: FoundContainer,
    done: list[str],
    left: list[str],
) -> None:
    task_id, number = container.labels[LABEL_TASK], container.labels.get(LABEL_RUN, "")
    if not is_task_id(task_id) or not re.fullmatch(r"[1-9][0-9]{0,5}", number):
        left.append(f"the sandbox {one_line(container.name)} has labels that ctui does not give")
        return
    runs = {run.number: run for run in store.runs.of(task_id)}
    run = runs.get(int(number))
    if run is not None and run.ended is not None and run.container and not container.running:
        return  # its log is in the journal
    if task_id not in store.tasks.ids():
        details: Mapping[str, Any] = await engine.ask(
            lambda client: client.inspect_container(container.id)
        )
        found = _of_sandbox(paths, task_id, details)
        if found is None:
            left.append(
                f"the sandbox {one_line(container.name)} works on no worktree that is there: "
                f"`docker rm -f {one_line(container.name)}` ends it"
            )
            return
        store.tasks.add(found)
    task = store.tasks.get(task_id, removed=True)
    if run is not None and run.ended is None and task.state is not TaskState.ENDED:
        return  # the store knows all of it
    _take_up(store, task, run, int(number), container.id)
    done.append(f"adopted task {task_id} ({'running' if container.running else 'to be ended'})")


def _take_up(store: Store, task: Task, run: Run | None, number: int, container: str) -> None:
    """Make a run one that the next driver adopts, and its task one that works."""
    with store.transaction():
        if run is None:
            store.runs.add(Run(task=task.id, number=number, container=container, created=now()))
        else:
            store.runs.save(
                msgspec.structs.replace(run, container=container, ended=None, exit_code=None)
            )
        store.tasks.mark_removed(task.id, removed=False)
        store.tasks.save(
            msgspec.structs.replace(task, state=TaskState.RUNNING, reason=None, removed=None)
        )


def settle_asks(store: Store) -> None:
    """End the asks whose run is over: nobody can answer them any more."""
    open_runs = {(run.task, run.number) for run in store.runs.open()}
    for ask in store.asks.list(AskState.PENDING, AskState.ANSWERED):
        if (ask.task, ask.run) not in open_runs:
            pending = ask.state is AskState.PENDING
            store.asks.move(ask.id, ask.state, AskState.CANCELLED if pending else AskState.TOO_LATE)


def _of_sandbox(paths: Paths, task_id: str, details: Mapping[str, Any]) -> Task | None:
    """Return a task after what the engine says of its container; None without its worktree."""
    mounts = details.get("Mounts") or ()
    sources = [mount["Source"] for mount in mounts if mount.get("Destination") == WORKSPACE]
    if len(sources) != 1:
        return None
    task = rebuild_task(paths, task_id).task
    arguments = " ".join(map(str, (details.get("Config") or {}).get("Cmd") or ()))
    session = found[1] if (found := _SESSION.search(arguments)) else str(uuid.uuid4())
    task = msgspec.structs.replace(task, session=session, created=task.created or now())
    return _at(task, Path(sources[0]))


def _at(task: Task, path: Path) -> Task | None:
    """Return the task as one that works at a path; None if that is no worktree and no checkout."""
    record = worktree_at(path)
    try:
        repository = open_repository(path if record is None else Path(record.repository))
        # A commit of the person's: what the task committed decides on no rule of its own.
        base = repository.target().commit
    except CtuiError:
        return None
    if record is None and repository.work_tree != path:
        return None
    return msgspec.structs.replace(
        task,
        repository=str(repository.common_dir),
        worktree=str(path),
        metadata=record.metadata if record else None,
        branch=record.branch if record else repository.head_branch(),
        base=base,
    )
