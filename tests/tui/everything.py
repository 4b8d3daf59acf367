"""Every widget that shows text of others, with one text in all of them. Run in a real terminal.

python -m tests.tui.everything TEXT-FILE
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.todos import Todo
from ctui.claude.transcript.transcript import Transcript
from ctui.client.health.health import Check
from ctui.config import ClaudeConfig
from ctui.errors import CtuiError
from ctui.paths import Paths
from ctui.tasks.activity import Activity, Note
from ctui.tasks.asks import Origin, toolbox_ask
from ctui.tasks.asks.toolbox import AskPerson, AskUser
from ctui.tasks.calls import Update
from ctui.tasks.model import Ask
from ctui.text import one_line
from ctui.tui.asks.ask_panel import AskPanel
from ctui.tui.asks.inbox import Inbox
from ctui.tui.board.board import Board
from ctui.tui.board.header_content import counts, screen_header
from ctui.tui.board.item_content import worktree_card
from ctui.tui.board.removal_facts import removal_facts
from ctui.tui.board.task_content import pane_header, tab_labels
from ctui.tui.board.todo_content import todo_strip
from ctui.tui.cleanup.cleanup_content import row_line, summary, trash_line
from ctui.tui.cleanup.cleanup_list import CleanupList
from ctui.tui.dashboard.sidebar import Sidebar
from ctui.tui.dashboard.tabs import TaskTabs
from ctui.tui.dialogs.confirm import Confirm
from ctui.tui.dialogs.land import LandForm
from ctui.tui.dialogs.new_task import NewTaskForm
from ctui.tui.dialogs.setup import Setup
from ctui.tui.review.scope_menu import ScopeMenu
from ctui.tui.support.frame_clock import FrameClock
from ctui.tui.support.options import ScreenOptions
from ctui.tui.support.task_actions import TaskActions
from ctui.tui.transcript.transcript_view import TranscriptView
from ctui.worktrees.review.scopes import Scope
from ctui.worktrees.trash.entries import TrashEntry
from tests.ask_requests import asked
from tests.claude import lines
from tests.tui.review_parts import ReviewOf, commits_of, outlook_of, turns_of
from tests.tui.test_board import status, task


class Everything(App[None]):
    """Shows all, one after the other, and exits."""

    CSS_PATH = str(Path(__file__).parents[2] / "ctui/tui/ctui.tcss")

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._board = Board("/r/.git")
        self._board.take_statuses([status("a", "unclean", shown=text, problem=None)])
        told = Activity(call=text, todos=(Todo("1", text),), notes=(Note(1, text),))
        self._board.take(Update(task=task("a", problem=text, result=text, activity=told)))
        for number, ask in enumerate(every_ask(text), 1):
            ask.id = number
            ask.task = "a"
            self._board.take(Update(ask=ask))

    def compose(self) -> ComposeResult:
        (item,) = self._board.items()
        tasks = [self._board.tasks["a"]]
        shown = counts([item])
        yield Static(
            screen_header(self._board, self._text, self._text, shown=shown, scripted=True)[0]
        )
        yield Static(pane_header(tasks[0], 0, 1))
        yield Static(todo_strip(tasks[0].activity.todos, 80))
        yield Static(worktree_card(item))
        cleanup = CleanupList()
        cleanup.show([item])
        (row,) = cleanup.rows
        yield Static(row_line(row, 100, 1, marked=False, size=1))
        cleanup.marked.add(row.path)
        yield Static(summary(cleanup, True, [], in_full=True))
        yield Static(trash_line(_entry(self._text), 100, 1, marked=True))
        yield TaskTabs()
        yield Sidebar()
        yield AskPanel()
        yield TranscriptView(FrameClock(self))

    def on_mount(self) -> None:
        self.query_one(Sidebar).styles.height = 4
        self.query_one(TranscriptView).styles.height = 12
        self.query_one(Sidebar).show(self._board.items())
        self.query_one(TaskTabs).show(tab_labels(list(self._board.tasks.values()), [1]), 0)
        self.run_worker(self._show_all())

    async def _show_all(self) -> None:
        panel = self.query_one(AskPanel)
        for ask in self._board.asks_of("a"):
            panel.show([ask])
            await self._painted()
        panel.show([])
        view, transcript = self.query_one(TranscriptView), Transcript()
        view.show_blocks(transcript.blocks)
        for line in every_line(self._text):
            view.take(transcript.feed(decode(line), run=1, time=0))
            await self._painted()
        await view.find(self._text[:20])
        for screen in self._screens():
            self.push_screen(screen)
            if isinstance(screen, ReviewOf):
                await screen.shown.wait()
            await self._painted()
            await self._painted()
            self.pop_screen()
        TaskActions(self, None, None, None).complain(CtuiError(self._text, hint=self._text))  # type: ignore[arg-type] # it calls nobody
        await self._painted()
        self.exit()

    def _screens(self) -> Iterator[ModalScreen[Any]]:
        (item,) = self._board.items()
        yield Confirm(one_line(self._text), removal_facts(item), yes="go")
        yield Inbox(self._board, None)  # type: ignore[arg-type] # nothing is answered
        yield NewTaskForm(ScreenOptions(ClaudeConfig()), item)
        yield ReviewOf(self._text)
        yield ScopeMenu(Scope(), lambda: commits_of(self._text), lambda: turns_of(self._text))
        yield LandForm(one_line(self._text), "/w", "", lambda _: outlook_of(self._text))
        yield Setup(Paths.from_environment(), [Check("engine", False, self._text, self._text)])

    async def _painted(self) -> None:
        await asyncio.sleep(0.05)


def _entry(text: str) -> TrashEntry:
    return TrashEntry(
        id="1",
        name=text,
        path=text,
        metadata=text,
        repository=text,
        branch=text,
        head=None,
        removed=0,
    )


def every_ask(text: str) -> list[Ask]:
    """One of each kind."""
    option = {"label": text, "description": text}
    permission: list[tuple[str, dict[str, Any]]] = [
        ("Bash", {"command": text, text: text}),
        ("Edit", {"file_path": text, "old_string": text, "new_string": text}),
        ("Write", {"file_path": text, "content": text}),
        (text, {"x": [text]}),
        ("ExitPlanMode", {"plan": text}),
        ("AskUserQuestion", {"questions": [{"question": text, "options": [option, option]}]}),
    ]
    found = [
        asked(
            {"tool_name": tool, "input": given, "decision_reason": text},
            f"r{number}",
            Origin("a", 1, number),
        )
        for number, (tool, given) in enumerate(permission)
    ]
    form = {
        "mcp_server_name": text,
        "message": text,
        "requested_schema": {"properties": {text: {}}},
    }
    found.append(asked(form, "r7", Origin("a", 1, 7)))
    question = AskUser(question=text, options=[text])
    found.append(toolbox_ask("r8", AskPerson(1, question), Origin("a", 1, 8)))
    return found


def every_line(text: str) -> list[bytes]:
    """Lines that become blocks of every kind."""
    return [
        lines.init(),
        lines.echo("u1", text),
        lines.message_start("m0"),
        *lines.deltas(0, lines.text(""), [text[:1000], text[1000:2000]], None),
        lines.assistant("m0", lines.text(text)),
        lines.assistant(
            "m1", lines.text(f"# {text}\n\n- {text}\n\n```py\n{text}\n```\n\n[{text}]({text})")
        ),
        lines.assistant("m2", lines.thinking(text)),
        lines.assistant("m3", lines.tool_use("c1", text, command=text)),
        lines.tool_result("c1", text, {"stdout": text, "stderr": text}),
        lines.assistant(
            "m4", lines.tool_use("c2", "Edit", file_path=text, old_string=text, new_string=text)
        ),
        lines.can_use_tool("q1", "c2", "Edit", file_path=text),
        lines.tool_result("c2", text, error=True),
        lines.system("api_retry", attempt=1, max_retries=10, error_status=529, error=text),
        b"stray " + text.encode("utf-8", "replace").replace(b"\n", b" "),
        lines.result(0.1),
    ]


if __name__ == "__main__":
    Everything(Path(sys.argv[1]).read_text(encoding="utf-8")).run()
