"""The dialog that lands a worktree, on a real repository: what is said is what happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Log, Select, Static

from ctui.client.landing.checked import Listener
from ctui.client.landing.wish import (
    LandingWish,
    Outlook,
    land_worktree,
    landed_text,
    look_at_landing,
)
from ctui.client.worktrees.worktrees import make_worktree
from ctui.errors import Conflict
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tasks.model import TaskState
from ctui.tasks.store import Store
from ctui.tui.dialogs.check_output import CheckLines, CheckOutput
from ctui.tui.dialogs.land import LandForm
from ctui.tui.dialogs.tick_box import TickBox
from tests.conftest import git
from tests.tui.clock import CLOCK
from tests.tui.test_board import task

Answer = LandingWish | str | None
_NOBODY = Listener(lambda _: None, lambda _: None)


class Place(NamedTuple):
    """A repository with one worktree, whose branch has one commit."""

    paths: Paths
    repository: Path
    worktree: Path

    @property
    def git_dir(self) -> Path:
        return self.repository / ".git"

    def commit(self, folder: Path, name: str, text: str) -> None:
        (folder / name).write_text(text)
        git(folder, "add", name)
        git(folder, "commit", "-q", "-m", f"Write {name}")


@pytest.fixture
async def place(repository: Path, paths: Paths) -> Place:
    for name, value in (("user.name", "Test"), ("user.email", "test@example.org")):
        git(repository, "config", name, value)
    record = await make_worktree(paths, open_repository(repository), prefix="ctui/", name="work")
    found = Place(paths, repository, Path(record.path))
    found.commit(found.worktree, "new", "one\n")
    return found


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[tuple[Pilot[None], list[Answer]]]:
    """Open the dialog, and wait until it knows what would happen."""
    app, answers = App[None](), list[Answer]()
    async with app.run_test() as pilot:
        look = partial(look_at_landing, place.paths, place.git_dir)
        await app.push_screen(
            LandForm("work", str(place.worktree), "Do the work", look), answers.append
        )
        await computed(pilot)
        CLOCK.pass_the_guard()
        yield pilot, answers


async def computed(pilot: Pilot[None]) -> str:
    """Wait for the outlook; return its text."""
    outlook = pilot.app.screen.query_one("#outlook", Static)
    async with asyncio.timeout(60):
        while (text := str(outlook.content)) in {"", "it is computed …"}:
            await pilot.pause(0.02)
    return text


async def test_what_it_would_do_is_said_and_enter_does_it(place: Place) -> None:
    """Point 4, and the journey: m, enter."""
    before = git(place.repository, "rev-parse", "main")
    async with opened(place) as (pilot, answers):
        assert await computed(pilot) == "1 commit, 1 file into main, without conflicts"
        assert git(place.repository, "rev-parse", "main") == before
        await pilot.press("enter")
    (wish,) = answers
    assert isinstance(wish, LandingWish)
    landed = await land_worktree(place.paths, place.git_dir, wish, _NOBODY)
    assert landed_text(landed).startswith("landed 1 commit in main")
    assert (place.repository / "new").read_text() == "one\n"


async def test_conflicts_are_named_before_anything_is_touched_and_go_to_the_task(
    place: Place,
) -> None:
    place.commit(place.repository, "new", "two\n")
    before = git(place.repository, "rev-parse", "main")
    async with opened(place) as (pilot, answers):
        assert "new: contents" in await computed(pilot)
        await pilot.press("enter")
        assert answers == [], "what conflicts cannot be landed"
        CLOCK.pass_the_guard()
        await pilot.press("t")
    assert git(place.repository, "rev-parse", "main") == before
    assert isinstance(answers[0], str)
    assert "new" in answers[0]


async def test_what_is_not_committed_is_committed_first_under_a_name(place: Place) -> None:
    (place.worktree / "late").write_text("late\n")
    async with opened(place) as (pilot, answers):
        assert "late" in await computed(pilot)
        await pilot.press("enter")
    (wish,) = answers
    assert isinstance(wish, LandingWish)
    assert wish.commit == "Do the work"
    await land_worktree(place.paths, place.git_dir, wish, _NOBODY)
    assert git(place.repository, "log", "--format=%s", "-n2", "main^2") == (
        "Do the work\nWrite new"
    )


async def test_an_open_conversation_commits_what_it_has_itself(place: Place) -> None:
    """A person's commit behind its back would leave its own git directory behind."""
    (place.worktree / "late").write_text("late\n")
    with closing(Store(place.paths.database)) as store:
        store.tasks.add(
            msgspec.structs.replace(
                task("work", state=TaskState.IDLE),
                repository=str(place.git_dir),
                worktree=str(place.worktree),
            )
        )
    async with opened(place) as (pilot, answers):
        text = await computed(pilot)
        assert "1 file not committed" in text
        assert "conversation of work is open" in text
        await pilot.press("enter")
        assert answers == []
        CLOCK.pass_the_guard()
        await pilot.press("t")
    assert answers[0] is not None
    assert str(answers[0]).startswith("Commit all of your changes")


async def test_a_check_that_the_person_names_is_run_unless_they_say_otherwise(
    place: Place,
) -> None:
    place.paths.config_file.parent.mkdir(parents=True, exist_ok=True)
    place.paths.config_file.write_text('[landing]\ncheck = "make [red]test"\n')
    for ticked in (True, False):
        async with opened(place) as (pilot, answers):
            box = pilot.app.screen.query_one("#check", TickBox)
            assert box.display
            assert "make [red]test" in str(box.label)
            box.value = ticked
            await pilot.press("enter")
        assert isinstance(answers[0], LandingWish)
        assert answers[0].check is ticked


async def test_a_window_on_a_check_shows_what_comes_and_can_be_left() -> None:
    app, lines = App[None](), CheckLines()
    async with app.run_test() as pilot:
        await app.push_screen(CheckOutput("work", lines))
        lines.say("checks abc")
        for number in range(3000):
            lines.add(f"line {number}")
        async with asyncio.timeout(30):
            while app.screen.query_one(Log).line_count < 2000:
                await pilot.pause(0.05)
        assert app.screen.query_one(Log).lines[-1] == "line 2999"
        assert str(app.screen.query_one("#note", Static).content) == "checks abc"
        await pilot.press("escape")
        assert not isinstance(app.screen, CheckOutput)


async def test_commits_that_came_after_the_outlook_do_not_land_with_it(place: Place) -> None:
    before = git(place.repository, "rev-parse", "main")
    async with opened(place) as (pilot, answers):
        assert "1 commit, 1 file" in await computed(pilot)
        place.commit(place.worktree, "unseen", "two\n")
        await pilot.press("enter")
    (wish,) = answers
    assert isinstance(wish, LandingWish)

    with pytest.raises(Conflict, match="other commits by now"):
        await land_worktree(place.paths, place.git_dir, wish, _NOBODY)

    assert git(place.repository, "rev-parse", "main") == before


async def test_another_method_is_computed_anew(place: Place) -> None:
    async with opened(place) as (pilot, answers):
        pilot.app.screen.query_one("#method", Select).value = "squash"
        await pilot.pause()
        assert "1 commit, 1 file into main" in await computed(pilot)
        await pilot.press("enter")
    assert isinstance(answers[0], LandingWish)
    assert answers[0].method == "squash"


async def test_a_target_that_is_not_there_is_said(place: Place) -> None:
    wish = LandingWish(str(place.worktree), target="release\x1b[31m")
    found = await look_at_landing(place.paths, place.git_dir, wish)
    assert found.problem.startswith("there is no local branch release")
    assert "\x1b" not in found.problem
    assert not found.possible


async def test_keys_of_who_types_land_nothing(place: Place) -> None:
    app, answers = App[None](), list[Answer]()

    async def look(_: LandingWish) -> Outlook:
        return Outlook("main", 1, 1)

    async with app.run_test() as pilot:
        await app.push_screen(LandForm("work", str(place.worktree), "", look), answers.append)
        await computed(pilot)
        for key in ("t", "enter", "t"):
            CLOCK.pass_half_a_guard()
            await pilot.press(key)
        assert answers == []


async def test_names_are_text_and_nothing_else(place: Place) -> None:
    """A file named like a colour or an escape is shown as it is spelt."""
    place.commit(place.worktree, "[red]x\x1b[2J", "a\n")
    place.commit(place.repository, "[red]x\x1b[2J", "b\n")
    async with opened(place) as (pilot, _):
        text = await computed(pilot)
    assert "[red]x" in text
    assert "\x1b" not in text
