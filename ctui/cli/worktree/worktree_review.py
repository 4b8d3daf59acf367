"""`ctui worktree review`, `comment` and `comments`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table, repo_option, target_option, warn
from ctui.cli.worktree.worktree_names import named, worktree_argument
from ctui.errors import InvalidInput
from ctui.humanize import age, lines_text
from ctui.text import one_line, sanitise

if TYPE_CHECKING:
    from ctui.client.review.report import ReviewedFile, ReviewedWorktree, ReviewThread
    from ctui.client.review.reviewing import Reviewed
    from ctui.tasks.threads import Remark

_PATH_WIDTH = 500
_PLACE = re.compile(r"(.+):(\d{1,9})(?:-(\d{1,9}))?", re.DOTALL)


@click.command("review")
@worktree_argument
@click.option(
    "--scope",
    default="branch",
    help="branch, uncommitted, looked (since you last looked), commit:ID or turn:N.",
    show_default=True,
)
@click.option("--stat", is_flag=True, help="Only the files and how many lines of each.")
@target_option
@repo_option
@json_option
def review(name: str, scope: str, target: str, repo: str, *, stat: bool, as_json: bool) -> None:
    """Show what a worktree changed, with the comments on it and their answers.

    The text is a unified diff; comments stand below their lines and begin with `#` and a number.
    """
    from ctui.client.review.report import report
    from ctui.client.review.reviewing import open_review, reviewed
    from ctui.worktrees.review.scopes import parse_scope

    wanted = parse_scope(scope)
    repository = context.judged_repository(repo, target)
    of = reviewed(context.paths(), repository, str(named(repository, name).path))

    async def read() -> ReviewedWorktree:
        opened = await open_review(context.paths(), of, wanted)
        return await report(opened, with_hunks=not stat)

    found = asyncio.run(read())
    if as_json:
        print_json(found)
        return
    if found.left_out:
        files = "1 path is" if found.left_out == 1 else f"{found.left_out} paths are"
        warn(f"{files} left out: too large, or not a file")
    if not found.files:
        warn(f"nothing differs: {found.title}  (--scope shows something else)")
    for line in _stat(found) if stat else _text(found):
        click.echo(sanitise(line).replace("\n", "␊"))


@click.command("comment")
@worktree_argument
@click.argument("place", metavar="FILE:LINE[-LINE]")
@click.argument("text")
@click.option(
    "--side",
    type=click.Choice(["new", "old"]),
    default="new",
    help="Count lines after or before the change.",
    show_default=True,
)
@click.option("--send", is_flag=True, help="Tell the task all comments that it was not told yet.")
@target_option
@repo_option
@json_option
def comment(
    name: str,
    place: str,
    text: str,
    side: Literal["new", "old"],
    target: str,
    repo: str,
    *,
    send: bool,
    as_json: bool,
) -> None:
    """Comment on lines of what a worktree changed.

    Comments are kept until they are sent, together, as one follow-up to the worktree's task.
    """
    from ctui.client.review import reviewing
    from ctui.client.review.report import thread_of
    from ctui.worktrees.review.scopes import Scope

    match = _PLACE.fullmatch(place)
    if match is None:
        raise InvalidInput(
            f"{one_line(place, 200)!r} names no line", hint="FILE:LINE, such as src/app.py:41-43"
        )
    path, first, last = match[1], int(match[2]), int(match[3] or match[2])
    paths, repository = context.paths(), context.judged_repository(repo, target)
    of = reviewing.reviewed(paths, repository, str(named(repository, name).path))

    async def keep() -> ReviewThread:
        found = await reviewing.compare(paths, of, Scope())
        lines = await reviewing.lines_of(of, found, path, side, first, last)
        number = reviewing.comment(paths, of, found.tip, lines, text)
        placed = await reviewing.placed_threads(paths, of, found, ())
        return next(thread_of(one) for one in placed if one.thread.id == number)

    thread = asyncio.run(keep())
    if send:
        _send(of)
    if as_json:
        print_json(thread)
    else:
        click.echo(f"#{thread.number} {one_line(path, _PATH_WIDTH)}:{thread.first}")


@click.command("comments")
@worktree_argument
@click.option("--send", is_flag=True, help="Tell the task those that it was not told yet.")
@click.option("--resolve", type=int, metavar="N", help="Close a comment.")
@click.option("--reopen", type=int, metavar="N", help="Open a comment again.")
@click.option("--withdraw", type=int, metavar="N", help="Take back what no task was told of it.")
@target_option
@repo_option
@json_option
def comments(
    name: str,
    target: str,
    repo: str,
    *,
    send: bool,
    resolve: int | None,
    reopen: int | None,
    withdraw: int | None,
    as_json: bool,
) -> None:
    """List the comments on a worktree, with what its tasks answered."""
    from ctui.client.review import reviewing
    from ctui.client.review.report import thread_of
    from ctui.worktrees.review.comparison import changed_files
    from ctui.worktrees.review.scopes import Scope

    paths, repository = context.paths(), context.judged_repository(repo, target)
    of = reviewing.reviewed(paths, repository, str(named(repository, name).path))
    if resolve is not None:
        reviewing.resolve(paths, of, resolve)
    if reopen is not None:
        reviewing.resolve(paths, of, reopen, resolved=False)
    if withdraw is not None:
        reviewing.withdraw(paths, of, withdraw)
    if send:
        _send(of)

    async def read() -> list[ReviewThread]:
        found = await reviewing.compare(paths, of, Scope())
        files = await changed_files(found.trees)
        return list(map(thread_of, await reviewing.placed_threads(paths, of, found, files)))

    threads = asyncio.run(read())
    if as_json:
        print_json(threads)
        return
    rows = [
        [f"#{thread.number}", f"{thread.path}:{thread.now}", _state(thread), _last(thread)]
        for thread in threads
    ]
    empty = f"no comments yet: ctui worktree comment {one_line(name)} FILE:LINE TEXT"
    print_table(["COMMENT", "PLACE", "STATE", "LAST WORDS"], rows, empty=empty)


def _send(of: Reviewed) -> None:
    from ctui.client.client import Client
    from ctui.client.review.sending import Sent, send_comments

    async def go() -> Sent:
        async with Client(context.paths()) as client:
            return await send_comments(client, of)

    sent = asyncio.run(go())
    warn(f"{sent.task.id} was told {sent.comments} comment{'' if sent.comments == 1 else 's'}")


def _state(thread: ReviewThread) -> str:
    if thread.resolved:
        return "closed"
    said = thread.remarks[-1] if thread.remarks else None
    state = "answered" if said is not None and said.author == "task" else "sent"
    if any(one.author == "person" and one.sent is None for one in thread.remarks):
        state = "not sent"
    return f"{state}, lines gone" if thread.state == "gone" else state


def _last(thread: ReviewThread) -> str:
    return one_line(thread.remarks[-1].text, 100) if thread.remarks else ""


def _stat(found: ReviewedWorktree) -> Iterator[str]:
    for file in found.files:
        marks = [lines_text(file.added, file.removed), "read" if file.read else ""]
        said = "  ".join([*filter(None, marks), *file.remarks])
        yield f"{file.path}  {said}".rstrip()


def _text(found: ReviewedWorktree) -> Iterator[str]:
    for file in found.files:
        threads = [thread for thread in found.threads if thread.path == file.path]
        yield f"--- {file.old_path if file.status != 'added' else '/dev/null'}"
        yield f"+++ {file.path if file.status != 'deleted' else '/dev/null'}"
        yield from (f"\\ {remark}" for remark in file.remarks)
        yield from _hunks(file, threads)
    shown = {file.path for file in found.files}
    yield from _threads(thread for thread in found.threads if thread.path not in shown)


def _hunks(file: ReviewedFile, threads: list[ReviewThread]) -> Iterator[str]:
    waiting: dict[tuple[str, int], list[ReviewThread]] = {}
    for thread in threads:
        place = thread.side, thread.now + thread.last - thread.first
        waiting.setdefault(place, []).append(thread)
    for hunk in file.hunks:
        olds = sum(line[0] != "+" for line in hunk.lines)
        news = sum(line[0] != "-" for line in hunk.lines)
        counts = f"-{hunk.old_start},{olds} +{hunk.new_start},{news}"
        yield f"@@ {counts} @@ {hunk.heading}".rstrip()
        old, new = hunk.old_start, hunk.new_start
        for line in hunk.lines:
            yield line
            if line[0] != "+":
                yield from _threads(waiting.pop(("old", old), ()))
                old += 1
            if line[0] != "-":
                yield from _threads(waiting.pop(("new", new), ()))
                new += 1
    yield from _threads(thread for rest in waiting.values() for thread in rest)


def _threads(threads: Iterable[ReviewThread]) -> Iterator[str]:
    for thread in threads:
        notes = [f"line {thread.now}"]
        notes += ["before the change"] if thread.side == "old" else []
        notes += ["its lines are gone"] if thread.state == "gone" else []
        notes += ["closed"] if thread.resolved else []
        yield f"#{thread.number} {', '.join(notes)}"
        if thread.state == "gone":
            yield from (f"#   > {line}" for line in thread.quote)
        for remark in thread.remarks:
            yield from _remark(remark)


def _remark(remark: Remark) -> Iterator[str]:
    who = remark.task if remark.author == "task" else "you"
    waits = ", not sent" if remark.author == "person" and remark.sent is None else ""
    first, *rest = sanitise(remark.text).split("\n")
    yield f"#   {who} ({age(remark.created)}{waits}): {first}"
    yield from (f"#     {line}" for line in rest)
