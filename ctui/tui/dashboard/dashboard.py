"""The dashboard: worktrees on the left, the task that is looked at on the right."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from ctui.errors import CtuiError
from ctui.tasks.calls import Update
from ctui.tasks.model import Task
from ctui.tui.board.board import Board, worth_a_look
from ctui.tui.board.item_content import nothing_here
from ctui.tui.dashboard.bindings import BINDINGS
from ctui.tui.dashboard.commands import Commands
from ctui.tui.dashboard.divider import Divider, list_width
from ctui.tui.dashboard.header import Header
from ctui.tui.dashboard.noticing import Noticing
from ctui.tui.dashboard.pane_switcher import PaneSwitcher
from ctui.tui.dashboard.services import Services
from ctui.tui.dashboard.sidebar import Sidebar
from ctui.tui.dashboard.tabs import TaskTabs
from ctui.tui.support.key_bar import KeyBar
from ctui.tui.support.memory import Memory, remember_divider, remember_shown
from ctui.tui.support.options import ScreenOptions
from ctui.tui.support.worktree_observer import WorktreeObserver

# What a first picture does not need is loaded when it is.
if TYPE_CHECKING:
    from ctui.client.worktrees.observer import Observation

_LIST_SECONDS = 0.25
"""The list is brought up to date no more often than that."""

_TICK_SECONDS = 1.0
_AGES_TICKS = 20
"""Ages are brought up to date so seldom while nothing works."""


class Dashboard(Commands):
    """Screen that follows everything, and shows it."""

    BINDINGS: ClassVar[list[BindingType]] = BINDINGS

    def __init__(
        self, services: Services, options: ScreenOptions, memory: Memory | None = None
    ) -> None:
        """Prepare a dashboard that has looked at nothing yet.

        Args:
            services: of the repository.
            options: of the person.
            memory: of earlier dashboards.
        """
        super().__init__()
        self.services = services
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
        self.board = Board(str(services.place.git_dir))
        self._options = options
        self._list_due = False
        self._list_shown = 0.0
        self._ticks = 0
        memory = memory or Memory()
        self._dividers = dict(memory.dividers)
        self._last = memory.shown.get(str(services.place.git_dir), "")
        self.noticing = Noticing(services.app, options, self._mark_read)
        self._observer = WorktreeObserver(
            services.paths, services.place.git_dir, self._take_statuses
        )

    def compose(self) -> ComposeResult:
        yield Header(self.services.place, scripted=self._options.scripted)
        with Horizontal(id="main"):
            yield Sidebar(self._last, id="sidebar")
            yield Divider()
            yield PaneSwitcher(self.services.make_pane, id="pane-switcher")
        yield KeyBar(self.BINDINGS, self._options.keys)

    def on_mount(self) -> None:
        self.board.take_names(self.services.place.worktree_names())
        self._show_list()
        self.watch(self, "focused", self._focus_moved)
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
        self.noticing.take(update, self.board)
        gone = self.board.gone_with(update)
        self.board.take(update)
        for task in gone:
            self.run_worker(self._switcher.forget(task))
        if gone or (update.task is not None and worth_a_look(before, update.task)):
            self._observer.look()
        self._want_list()

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
        header = self.query_one(Header)
        header.show(self.board, items)
        self.noticing.show_title(header.title)

    def _tick(self) -> None:
        """Bring up to date what changes by itself, and note what is looked at."""
        self._ticks += 1
        pane = self._switcher.shown
        if pane is not None:
            pane.tick()
        self.noticing.look(self._shown_task if self.is_current else None)
        works = any(task.state.live for task in self.board.tasks.values())
        if self.is_current and (works or self._ticks % _AGES_TICKS == 0):
            self.query_one(Sidebar).show_ages()

    def _mark_read(self, task: Task, until: int) -> None:
        self.services.task_actions.mark_read(task.id, until)

    def _focus_moved(self) -> None:
        self.set_class(self.query_one(Sidebar).has_focus, "-in-list")

    # -- the divider

    def on_resize(self) -> None:
        self._divide(self._dividers.get(str(self.size.width)))

    def on_divider_moved(self, event: Divider.Moved) -> None:
        self._divide(event.column)
        if event.left:
            self._keep_divider()

    def action_divide(self, step: int) -> None:
        """Make the list wider or narrower."""
        self._divide(self.query_one(Sidebar).outer_size.width + step)
        self._keep_divider()

    def _divide(self, wanted: int | None) -> None:
        width = list_width(self.size.width, wanted)
        self.query_one(Sidebar).styles.width = width
        if wanted is not None:
            self._dividers[str(self.size.width)] = width

    @work(thread=True, group="divider", exclusive=True)
    def _keep_divider(self) -> None:
        terminal = self.size.width
        remember_divider(self.services.paths, terminal, self._dividers[str(terminal)])

    async def remember(self) -> None:
        """Remember which worktree was shown last."""
        if self._last and not self._options.scripted:
            place = self.services.place.git_dir
            await asyncio.to_thread(remember_shown, self.services.paths, place, self._last)

    # -- what the person does

    async def on_sidebar_chosen(self, event: Sidebar.Chosen) -> None:
        task, self._last = event.item.task, event.item.path
        asks = self.board.asks_of(task.id) if task else []
        await self._switcher.show_item(event.item, asks, keep=event.opened)
        self._want_list()
        if event.opened and (pane := self._switcher.shown) is not None:
            (pane.panel if asks else pane.transcript).focus()

    def on_header_count_clicked(self, event: Header.CountClicked) -> None:
        if event.path:
            self.query_one(Sidebar).choose(event.path)
            self.query_one(Sidebar).focus()
        else:
            self.action_inbox()

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
        """Focus the panel of what is asked, where something is; else the next widget.

        Whoever is there already stays: the tab that leads to an ask never leads away from it.
        """
        pane = self._switcher.shown
        if pane is None or not pane.panel.display:
            self.focus_next()
        elif not pane.panel.has_focus_within:
            pane.panel.focus()
