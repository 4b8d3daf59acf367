"""Commands of a person on the dashboard: to tasks, and to worktrees."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from textual.screen import Screen

from ctui.tasks.calls import Update
from ctui.tasks.model import Task, TaskState
from ctui.text import one_line
from ctui.tui.board.board import Board
from ctui.tui.dashboard.pane_switcher import PaneSwitcher
from ctui.tui.dashboard.services import Services
from ctui.tui.dashboard.sidebar import Sidebar
from ctui.tui.support.options import ScreenOptions
from ctui.tui.support.worktree_observer import WorktreeObserver

if TYPE_CHECKING:
    from ctui.client.landing.wish import LandingWish
    from ctui.client.tasks.new_task import NewTask
    from ctui.errors import CtuiError
    from ctui.tui.asks.ask_panel import AskPanel
    from ctui.tui.board.board import Item
    from ctui.tui.pane.pane import Pane

_ERROR_WIDTH = 300
_TWICE_SECONDS = 2.0
"""Time in which escape has to come twice to interrupt a turn."""


class Commands(Screen[None]):
    """The dashboard's actions; what they change comes back as news, which the dashboard takes."""

    services: Services
    board: Board
    _options: ScreenOptions
    _observer: WorktreeObserver
    _escape: tuple[str, float] = ("", 0.0)
    """The task for which escape was pressed last, and when."""

    @abstractmethod
    def _take(self, update: Update) -> None:
        """Take and show what is new."""

    @abstractmethod
    def _show_list(self) -> None:
        """Show what is known now."""

    @property
    def _switcher(self) -> PaneSwitcher:
        return self.query_one(PaneSwitcher)

    @property
    def _shown_task(self) -> Task | None:
        """Return the task that is looked at."""
        pane = self._switcher.shown
        return self.board.tasks.get(pane.task_record.id) if pane else None

    def on_pane_said(self, event: Pane.Said) -> None:
        def refused() -> None:
            if (pane := self._switcher.pane_of(event.task)) is not None:
                pane.composer.give_back(event.text)

        said = (event.task, event.message_id, event.text)
        self.services.task_actions.say(*said, refused, event.attach)

    def on_ask_panel_answered(self, event: AskPanel.Answered) -> None:
        self.services.task_actions.answer(event.ask, event.answer, event.panel.start_again)

    def on_pane_left(self) -> None:
        """Go back to the list, from whatever has the focus in a pane."""
        if self.has_class("-zoomed"):
            self.remove_class("-zoomed")
        self.query_one(Sidebar).focus()

    def action_step_back(self) -> None:
        """Show the list again; else interrupt the turn, once this was said twice."""
        task = self._shown_task
        if self.has_class("-zoomed"):
            self.remove_class("-zoomed")
        elif task is not None and task.state in {TaskState.RUNNING, TaskState.WAITING}:
            said, self._escape = self._escape, (task.id, monotonic())
            if said[0] == task.id and monotonic() - said[1] < _TWICE_SECONDS:
                self._escape = ("", 0.0)
                self.services.task_actions.interrupt(task.id)
            else:
                self.notify("esc again interrupts", timeout=_TWICE_SECONDS, markup=False)

    def action_interrupt(self) -> None:
        """End the turn of the task that is shown."""
        task = self._needed_task()
        if task is not None and task.state in {TaskState.RUNNING, TaskState.WAITING}:
            self.services.task_actions.interrupt(task.id)

    def action_new_task(self) -> None:
        self._open_form()

    def action_new_task_here(self) -> None:
        self._open_form(here=True)

    def _open_form(
        self, again: NewTask | None = None, problem: str = "", *, here: bool = False
    ) -> None:
        from ctui.tui.dialogs.new_task import NewTaskForm

        chosen = self.query_one(Sidebar).chosen
        free = chosen if chosen is not None and not (chosen.task and chosen.task.works) else None
        form = NewTaskForm(self._options, free, again, problem, here=here)
        self.app.push_screen(form, self._start)

    def _start(self, new: NewTask | None) -> None:
        if new is not None:
            self.services.task_actions.start(
                new,
                self._started,
                lambda error: self._open_form(new, _short(error)),
            )

    def _started(self, task: Task) -> None:
        from ctui.tui.dialogs.new_task import NewTaskForm

        NewTaskForm.draft = ""
        self._take(Update(task=task))
        self._observer.look()
        self._show_list()
        sidebar = self.query_one(Sidebar)
        sidebar.choose(task.worktree)
        sidebar.focus()
        sidebar.follow()
        self.run_worker(self._show_started(task))

    async def _show_started(self, task: Task) -> None:
        await self._switcher.show_task(task, [], keep=True)
        self._show_list()  # what came while its pane was made

    async def action_next_ask(self) -> None:
        """Show the next task that asks something, and give the focus to its ask."""
        asking = [item for item in self.board.items() if item.asks and item.task is not None]
        if not asking:
            elsewhere = "; those of other repositories are in the inbox" if self.board.asks else ""
            self.notify(f"nothing is asked here{elsewhere}", timeout=3, markup=False)
            return
        shown = self._shown_task
        tasks = [item.task.id for item in asking if item.task is not None]
        place = tasks.index(shown.id) + 1 if shown is not None and shown.id in tasks else 0
        pane = self._switcher.shown
        if pane is not None and place and not pane.panel.has_focus_within:
            place -= 1  # to what is asked here, before the next one
        item = asking[place % len(asking)]
        self.query_one(Sidebar).choose(item.path)
        if item.task is not None:
            asks = self.board.asks_of(item.task.id)
            await self._switcher.show_task(item.task, asks, keep=False)
            if (pane := self._switcher.shown) is not None:
                pane.panel.focus()

    def action_follow_up(self) -> None:
        if (pane := self._switcher.shown) is not None:
            pane.composer.focus()

    def action_todos(self) -> None:
        if (pane := self._switcher.shown) is not None:
            pane.toggle_todos()

    def action_search(self) -> None:
        if (pane := self._switcher.shown) is not None:
            pane.action_search()

    def action_inbox(self) -> None:
        from ctui.tui.asks.inbox import Inbox

        self.app.push_screen(Inbox(self.board, self.services.task_actions), self._open_task)

    async def _open_task(self, task_id: str | None) -> None:
        task = self.board.tasks.get(task_id or "")
        if task is None:
            return
        if task.repository != self.board.repository:
            self.notify(f"{task.id} is a task of another repository", timeout=4, markup=False)
            return
        self.query_one(Sidebar).choose(task.worktree)
        await self._switcher.show_task(task, self.board.asks_of(task.id), keep=False)

    def action_stop(self) -> None:
        if (task := self._needed_task()) is not None:
            facts = ["Its container is stopped. A follow-up, or g, goes on with the conversation."]
            self._ask(
                f"Stop {task.id}?", facts, "stop", lambda: self.services.task_actions.stop(task.id)
            )

    def action_shell(self) -> None:
        """Give the terminal to a shell in the task's sandbox until it ends."""
        from ctui.tui.support.own_terminal import in_own_terminal

        if (task := self._needed_task()) is not None:
            in_own_terminal(self.app, self.services.paths, "task", "shell", "-t", task.id)

    def action_ports(self) -> None:
        """Open what the task serves in the person's browser; of several ports, the one they say."""
        if (task := self._needed_task()) is None:
            return
        if len(ports := task.shown_ports or task.ports) > 1:
            from ctui.tui.dialogs.ports import Ports

            def chosen(port: int | None) -> None:
                if port is not None:
                    self.services.task_actions.open_port(task, port)

            self.app.push_screen(
                Ports(task.id, {one: task.port_text(one) for one in ports}), chosen
            )
        else:
            self.services.task_actions.open_port(task, None)

    def action_top(self) -> None:
        """Give the terminal to what shows the resources of all tasks, until Ctrl-C."""
        from ctui.tui.support.own_terminal import in_own_terminal

        in_own_terminal(self.app, self.services.paths, "top")

    def action_resume(self) -> None:
        if (task := self._needed_task()) is not None:
            note = f"{task.id} is there again: write to it, and it goes on"
            self.services.task_actions.resume(task.id, note)
            self.action_follow_up()

    def _wake_who_waits_for_a_login(self) -> None:
        for task in self.board.tasks.values():
            # There is nothing else that a task waits for without asking.
            if task.state is TaskState.WAITING and not self.board.asks_of(task.id):
                self.services.task_actions.resume(task.id)

    def action_remove(self) -> None:
        from ctui.tui.board.removal_facts import removal_facts

        if (task := self._shown_task) is None:
            self.action_cleanup()
            return
        item = next((item for item in self.board.items() if item.path == task.worktree), None)
        unclean = item is not None and item.status is not None and item.status.status == "unclean"
        yes = "remove, with all that is unclean" if unclean else "remove"
        self._ask(
            f"Remove {task.id}?",
            removal_facts(item),
            yes,
            lambda: self.services.task_actions.remove(task, force=unclean),
        )

    def _ask(self, question: str, facts: list[str], yes: str, do: Callable[[], None]) -> None:
        from ctui.tui.dialogs.confirm import Confirm, confirm

        confirm(self.app, Confirm(question, facts, yes=yes), do)

    def _needed_task(self) -> Task | None:
        """Return the task that is looked at; without one the person is told."""
        task = self._shown_task
        if task is None:
            self.notify("no task works here: n starts one", timeout=3, markup=False)
        return task

    def action_update(self) -> None:
        from ctui.tui.board.removal_facts import update_facts

        item = self.query_one(Sidebar).chosen
        if item is None or item.status is None:
            self.notify("choose a worktree first", timeout=3, markup=False)
            return
        path = item.path
        self._ask(
            f"Update {one_line(item.name, 60)}?",
            update_facts(item),
            "update",
            lambda: self.services.task_actions.update(path, lambda: self._observer.look(path)),
        )

    def action_land(self) -> None:
        """Bring the commits of the chosen worktree into its target."""
        item = self.query_one(Sidebar).chosen
        if item is None or item.status is None:
            self.notify("choose a worktree first", timeout=3, markup=False)
            return
        self._open_landing(item)

    def _open_landing(self, item: Item, problem: str = "") -> None:
        from ctui.tui.dialogs.land import LandForm

        name = one_line(item.name, 60)
        message = one_line(item.task.prompt, 72) if item.task is not None else ""
        look = self.services.task_actions.look_at_landing
        self.app.push_screen(
            LandForm(name, item.path, message, look, problem=problem),
            lambda wish: self._land(item, wish),
        )

    def _land(self, item: Item, wish: LandingWish | str | None) -> None:
        actions = self.services.task_actions
        if isinstance(wish, str):
            actions.tell_of_conflict(item.path, wish)
        elif wish is not None:
            self._begin_landing(item, wish)

    def _begin_landing(self, item: Item, wish: LandingWish) -> None:
        from ctui.client.landing.checked import Listener
        from ctui.tui.dialogs.check_output import CheckLines, CheckOutput

        lines = CheckLines()
        output = CheckOutput(one_line(item.name, 60), lines)

        def done() -> None:
            self._leave(output)
            self._landed(item)

        def refused(error: CtuiError) -> None:
            self._leave(output)
            self._open_landing(item, _short(error))

        if wish.check:
            self.app.push_screen(output)
        self.services.task_actions.land(wish, Listener(lines.add, lines.say), done, refused)

    def _leave(self, screen: Screen[None]) -> None:
        if screen in self.app.screen_stack:
            screen.dismiss()

    def _landed(self, item: Item) -> None:
        """Offer to clean up what is in the target now."""
        self._observer.look(item.path)
        task, name = item.task, one_line(item.name, 60)
        if task is None:
            return
        self._ask(
            f"Remove {name}?",
            ["It has landed. Its worktree goes to the trash, from where u brings it back."],
            "remove",
            lambda: self.services.task_actions.remove(task, force=False),
        )

    def action_review(self) -> None:
        from ctui.tui.review.review import ReviewScreen

        item = self.query_one(Sidebar).chosen
        if item is None:
            self.notify("choose a worktree first", timeout=3, markup=False)
            return
        self.app.push_screen(ReviewScreen(item, self.board, self.services.review(item.path)))

    def action_cleanup(self) -> None:
        from ctui.tui.cleanup.cleanup import Cleanup

        self.app.push_screen(
            Cleanup(
                self.board,
                self.services.cleanup(self._went),
                delete_branches=self._options.delete_branches,
            )
        )

    def _went(self, paths: Sequence[str]) -> None:
        """Show that these were removed, or that others came back."""
        self.board.drop(paths)
        self._show_list()
        self._observer.look()


def _short(error: CtuiError) -> str:
    return one_line(error.one_line(), _ERROR_WIDTH)
