"""One task on the screen: header, transcript, what it asks, and where one writes to it."""

from __future__ import annotations

import time
import uuid
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from ctui.claude.protocol.todos import step_now
from ctui.claude.transcript.blocks import Prompt
from ctui.claude.transcript.ledger import Changes
from ctui.claude.transcript.transcript import Transcript
from ctui.client.client import Client
from ctui.tasks.model import Ask, Task
from ctui.tui.asks.ask_panel import AskPanel
from ctui.tui.board.task_content import pane_header
from ctui.tui.board.todo_content import todo_rows, todo_strip
from ctui.tui.pane.composer import Composer
from ctui.tui.pane.feed import Feed
from ctui.tui.support.frame_clock import FrameClock
from ctui.tui.transcript.search_line import SearchLine, Where
from ctui.tui.transcript.transcript_view import TranscriptView

_TODO_ROWS = 10


class Pane(Vertical):
    """View of one task, which it follows for as long as it is mounted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", show=False, id="pane.interrupt"),
        Binding("slash", "search", "Search", show=False, id="pane.search", key_display="/"),
        Binding("[", "find('above')", "Match above", show=False, id="pane.match-above"),
        Binding("]", "find('below')", "Match below", show=False, id="pane.match-below"),
    ]

    class Said(Message):
        """Message that the person wrote to the task."""

        def __init__(self, task: str, message_id: str, text: str, attach: tuple[str, ...]) -> None:
            super().__init__()
            self.task = task
            self.message_id = message_id
            self.text = text
            self.attach = attach

    class Left(Message):
        """Message of an escape that means nothing nearer."""

    def __init__(self, client: Client, clock: FrameClock, task: Task, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="pane")
        self.task_record = task
        self._clock = clock
        self._feed = Feed(client, task.id, self._replaced, self._changed)
        self._asks = 0
        self._header = Content()
        self._todos = Content()
        self._todo_strip = Static(classes="pane--todos")
        """Kept: a pane that goes has lost its widgets before it knows."""
        self._todos_in_full = False

    def compose(self) -> ComposeResult:
        yield Static(classes="pane--header")
        yield TranscriptView(self._clock)
        yield SearchLine()
        yield self._todo_strip
        yield AskPanel()
        yield Composer(placeholder="follow up")

    def on_mount(self) -> None:
        self.show(self.task_record, [])
        self.run_worker(self._feed.open(), name=f"open {self.task_record.id}")

    async def on_unmount(self) -> None:
        await self._feed.close()

    def show(self, task: Task, asks: list[Ask]) -> None:
        """Show the task and what it asks, as they are now."""
        self.task_record = task
        self._asks = len(asks)
        if self.is_mounted and not self._is_going:
            self.panel.show(asks)
            self._show_todos()
            self.tick()

    def tick(self) -> None:
        """Bring the times in the header up to date."""
        header = pane_header(
            self.task_record, self._asks, time.time_ns(), silent=self._feed.silent_seconds()
        )
        if header != self._header:
            self._header = header
            self.query_one(".pane--header", Static).update(header)

    def toggle_todos(self) -> None:
        """Show the whole to-do list, or one line of it."""
        self._todos_in_full = not self._todos_in_full
        self._show_todos()

    def on_resize(self) -> None:
        self._show_todos()

    def _show_todos(self) -> None:
        task = self.task_record
        todos = task.activity.todos
        shown = bool(todos) and (task.works or step_now(todos) is not None)
        self._todo_strip.display = shown
        if shown:
            width = max(1, self.size.width - 2)
            whole = self._todos_in_full
            content = todo_rows(todos, _TODO_ROWS) if whole else todo_strip(todos, width)
            if content != self._todos:
                self._todos = content
                self._todo_strip.update(content)

    @property
    def panel(self) -> AskPanel:
        return self.query_one(AskPanel)

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def transcript(self) -> TranscriptView:
        return self.query_one(TranscriptView)

    @property
    def _is_going(self) -> bool:
        """True once it is being removed: some of its widgets may be gone before it is."""
        return self._pruning or not self.is_attached

    # -- the journal

    def _replaced(self, transcript: Transcript) -> None:
        if self._is_going:
            return
        self.transcript.show_blocks(transcript.blocks, keep_place=True)
        said = [block.text for block in transcript.blocks if isinstance(block, Prompt)]
        self.composer.remember(said)

    def _changed(self, changes: Changes) -> None:
        if not self._is_going:
            self.transcript.take(changes)

    def on_transcript_view_earlier_wanted(self, event: TranscriptView.EarlierWanted) -> None:
        event.stop()
        self.run_worker(self._feed.load_earlier(), group="earlier", exclusive=False)

    # -- what the person does

    def on_composer_sent(self, event: Composer.Sent) -> None:
        event.stop()
        message_id = str(uuid.uuid4())
        self._feed.expect(message_id, event.text, time.time_ns())
        self.transcript.action_scroll_end()
        self.post_message(self.Said(self.task_record.id, message_id, event.text, event.attach))

    def on_ask_panel_emptied(self, event: AskPanel.Emptied) -> None:
        event.stop()
        self.transcript.focus()

    def action_leave(self) -> None:
        """Close what is open here; else go back to the list."""
        search = self.query_one(SearchLine)
        if self.panel.leave_words():
            return
        if search.display:
            self._end_search()
        elif self.transcript.screen.selections:
            self.screen.clear_selection()
        else:
            self.post_message(self.Left())

    def action_search(self) -> None:
        self.query_one(SearchLine).open()

    def on_search_line_wanted(self, event: SearchLine.Wanted) -> None:
        event.stop()
        if not self.query_one(SearchLine).value:
            self._end_search()
            return
        if event.written:
            self.transcript.focus()
        self.action_find(event.where)

    def action_find(self, where: Where) -> None:
        """Show the next match above or below of what is in the search line."""
        search = self.query_one(SearchLine)
        if search.display and search.value:
            # The next key ends a search that still goes on.
            self.run_worker(self._find(search.value, where), group="search", exclusive=True)

    async def _find(self, text: str, where: Where) -> None:
        if not await self.transcript.find(text, backward=where == "above"):
            self.notify(f"nothing more is found {where}", timeout=2, markup=False)

    def _end_search(self) -> None:
        self.workers.cancel_group(self, "search")
        self.query_one(SearchLine).close()
        self.transcript.end_search()
        self.transcript.focus()
