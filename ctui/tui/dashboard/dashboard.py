"""The dashboard: worktrees on the left, the task that is looked at on the right."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from ctui.errors import CtuiError
from ctui.tasks.calls import Update
from ctui.tasks.model import Ask, AskState
from ctui.tui.board.board import Board, worth_a_look
from ctui.tui.board.item_content import nothing_here
from ctui.tui.dashboard.commands import Commands
from ctui.tui.dashboard.header import Header
from ctui.tui.dashboard.pane_switcher import PaneSwitcher
from ctui.tui.dashboard.services import Services
from ctui.tui.dashboard.sidebar import Sidebar
from ctui.tui.dashboard.tabs import TaskTabs
from ctui.tui.support.key_bar import KeyBar
from ctui.tui.support.options import ScreenOptions
from ctui.tui.support.worktree_observer import WorktreeObserver

# What a first picture does not need is loaded when it is.
if TYPE_CHECKING:
    from ctui.client.worktrees.observer import Observation

_LIST_SECONDS = 0.25
"""The list is brought up to date no more often than that."""

_TICK_SECONDS = 1.0


class Dashboard(Commands):
    """Screen that follows everything, and shows it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new_task", "new", tooltip="start a new task", id="new-task"),
        Binding(
            "f", "follow_up", "follow up", tooltip="write to the task that is shown", id="follow-up"
        ),
        Binding("i", "inbox", "inbox", tooltip="inbox: everything that is asked", id="inbox"),
        Binding("x", "stop", "stop", tooltip="stop the task that is shown", id="stop"),
        Binding(
            "g",
            "resume",
            "go on",
            tooltip="go on with a task that was stopped",
            show=False,
            id="resume",
        ),
        Binding(
            "R",
            "remove",
            "remove",
            tooltip="remove the task and its worktree",
            show=False,
            id="remove",
        ),
        Binding(
            "U",
            "update",
            "update",
            tooltip="update the worktree from the target",
            show=False,
            id="update",
        ),
        Binding(
            "exclamation_mark",
            "shell",
            "shell",
            tooltip="a shell in the task's sandbox",
            show=False,
            key_display="!",
            id="shell",
        ),
        Binding(
            "p",
            "ports",
            "ports",
            tooltip="open what the task serves in a browser",
            show=False,
            id="ports",
        ),
        Binding(
            "T",
            "top",
            "top",
            tooltip="what tasks take of this machine",
            show=False,
            id="top",
        ),
        Binding("c", "cleanup", "clean", tooltip="clean up worktrees, and the trash", id="cleanup"),
        Binding("z", "zoom", "zoom", tooltip="hide or show the list", show=False, id="zoom"),
        Binding("slash", "search", "search the transcript", show=False, key_display="/"),
        Binding(
            "escape",
            "interrupt",
            "interrupt",
            tooltip="interrupt the turn of the task that is shown",
            show=False,
            key_display="esc",
            id="interrupt",
        ),
        Binding("tab", "next_place", "Next place", show=False),
        Binding("1", "tab(1)", "the first tab, and so on", show=False, key_display="1-9"),
        *(Binding(str(number), f"tab({number})", show=False) for number in range(2, 10)),
        Binding("H", "setup", "doctor: what is missing", show=False, id="doctor"),
        Binding("ctrl+p", "app.command_palette", "palette", key_display="^p"),
        Binding(
            "question_mark",
            "app.show_help",
            "help",
            tooltip="help: all keys",
            key_display="?",
            id="help",
        ),
        Binding("q", "app.leave", "quit", tooltip="quit; tasks go on", id="quit"),
    ]

    def __init__(self, services: Services, options: ScreenOptions) -> None:
        super().__init__()
        self.services = services
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
        self.board = Board(str(services.place.git_dir))
        self._options = options
        self._list_due = False
        self._list_shown = 0.0
        self._observer = WorktreeObserver(
            services.paths, services.place.git_dir, self._take_statuses
        )

    def compose(self) -> ComposeResult:
        yield Header(self.services.place, scripted=self._options.scripted)
        with Horizontal(id="main"):
            yield Sidebar(id="sidebar")
            yield PaneSwitcher(self.services.make_pane, id="pane-switcher")
        yield KeyBar(self.BINDINGS, self._options.keys)

    def on_mount(self) -> None:
        self.board.take_names(self.services.place.worktree_names())
        self._show_list()
        self.query_one(Sidebar).focus()
        self.set_interval(_TICK_SECONDS, self._tick)
        # The first frame has no sizes yet; the second one shows what is in the list.
        self.call_after_refresh(self.call_after_refresh, self._begin)

    def _begin(self) -> None:
        """Start to look at the world, now that the first picture is on the screen."""
        self._watch()
        self.run_worker(
            self._observer.run(self.services.worker_loop), name="look", exit_on_error=True
        )
        self._check()

    @work(name="check")
    async def _check(self) -> None:
        """Remember the repository, and open the set-up if something is missing."""
        from ctui.git.repository.repository import open_repository
        from ctui.tui.support.memory import remember_repository

        try:
            repository = await asyncio.to_thread(open_repository, self.services.place.git_dir)
        except CtuiError as error:
            self.app.exit(return_code=1, message=f"ctui: {error.one_line()}")
            return
        if not self._options.scripted:
            checkout = repository.work_tree or repository.common_dir
            await asyncio.to_thread(remember_repository, self.services.paths, checkout)
        await self._show_setup(only_if_missing=True)
        from ctui.client.tasks.rebuild import rebuild_in_background

        await asyncio.to_thread(rebuild_in_background, self.services.paths, repository)

    # -- what comes in

    @work(name="watch", group="watch", exclusive=True)
    async def _watch(self) -> None:
        from ctui.tui.dashboard.updates import follow_updates

        await follow_updates(self.services.client, self._take, self.services.task_actions.complain)

    def _set_up(self, _: None) -> None:
        """Watch and check again: whatever was missing may be there now."""
        self._watch()
        self._look_at_health()

    @work(name="health", group="health", exclusive=True)
    async def _look_at_health(self) -> None:
        from ctui.tui.dialogs.setup import look

        checks = await look(self.services.paths)
        self.query_one(Header).take_checks(checks)
        if all(check.ok for check in checks if check.name == "login"):
            self._wake_who_waits_for_a_login()

    def action_setup(self) -> None:
        """Show what is there and what is missing."""
        self.run_worker(self._show_setup())

    async def _show_setup(self, *, only_if_missing: bool = False) -> None:
        from ctui.tui.dialogs.setup import Setup, look

        checks = await look(self.services.paths)
        self.query_one(Header).take_checks(checks)
        if not (only_if_missing and all(check.ok for check in checks)):
            self.app.push_screen(Setup(self.services.paths, checks), self._set_up)

    def _take(self, update: Update) -> None:
        before = self.board.tasks.get(update.task.id) if update.task else None
        if update.ask is not None and update.ask.state is AskState.PENDING:
            self._ring(update.ask)
        gone = self.board.gone_with(update)
        self.board.take(update)
        for task in gone:
            self.run_worker(self._switcher.forget(task))
        if gone or (update.task is not None and worth_a_look(before, update.task)):
            self._observer.look()
        self._want_list()

    def _ring(self, ask: Ask) -> None:
        """Ring the bell for a new ask, if the settings want it."""
        if ask.id not in self.board.asks and self._options.bell:
            self.app.bell()

    def _take_statuses(self, seen: Observation) -> None:
        if not self.is_attached:
            return
        self.board.take_statuses(seen.statuses, complete=seen.complete)
        if seen.distance is not None:
            self.query_one(Header).take_distance(*seen.distance)
            self.query_one(Header).take_target(seen.target)
        self._want_list()

    def _want_list(self) -> None:
        """Show the first change at once, and what follows it soon."""
        if not self._list_due:
            self._list_due = True
            wait = self._list_shown + _LIST_SECONDS - monotonic()
            self.set_timer(max(0.001, wait), self._show_list)

    def _show_list(self) -> None:
        self._list_due = False
        if not self.is_attached:
            return
        self._list_shown = monotonic()
        sidebar = self.query_one(Sidebar)
        sidebar.show(items := self.board.items())
        at_work = [item.path for item in items if item.task and item.task.works]
        seen = sidebar.seen_paths
        self._observer.attend([*seen[:1], *at_work], seen)
        self._switcher.update_all(self.board)
        if self._switcher.shows_card and (chosen := sidebar.chosen) is not None:
            # It has been looked at since, or a task has begun on it.
            asks = self.board.asks_of(chosen.task.id) if chosen.task else []
            self.run_worker(
                self._switcher.show_item(chosen, asks, keep=False), group="pane-switcher"
            )
        if not items:
            self._switcher.say(nothing_here())
        self.query_one(Header).show(self.board)

    def _tick(self) -> None:
        if (pane := self._switcher.shown) is not None:
            pane.tick()

    # -- what the person does

    async def on_sidebar_chosen(self, event: Sidebar.Chosen) -> None:
        task = event.item.task
        asks = self.board.asks_of(task.id) if task else []
        await self._switcher.show_item(event.item, asks, keep=event.opened)
        self._want_list()
        if event.opened and (pane := self._switcher.shown) is not None:
            (pane.panel if asks else pane.transcript).focus()

    async def on_task_tabs_chosen(self, event: TaskTabs.Chosen) -> None:
        await self.action_tab(event.index + 1)

    def action_zoom(self) -> None:
        self.toggle_class("-zoomed")

    async def action_tab(self, number: int) -> None:
        if number <= len(self._switcher.opened):
            task = self.board.tasks[self._switcher.opened[number - 1]]
            await self._switcher.show_task(task, self.board.asks_of(task.id), keep=True)
            self.query_one(Sidebar).choose(task.worktree)
            self._want_list()

    def action_next_place(self) -> None:
        """Focus the panel of what is asked first; else the next widget."""
        pane = self._switcher.shown
        panel = pane.panel if pane is not None else None
        if panel is not None and panel.display and not panel.has_focus_within:
            panel.focus()
        else:
            self.focus_next()
