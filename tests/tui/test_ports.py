"""Ports of a task on the screen: in its header, and one chosen of several."""

from __future__ import annotations

from textual.app import App

from ctui.cli.task.task_text import network_text, unusual
from ctui.tasks.model import Task, TaskState
from ctui.tui.board.task_content import pane_header
from ctui.tui.dialogs.ports import Ports


def _task(**changes: object) -> Task:
    known: dict[str, object] = {
        "id": "t",
        "repository": "/r/.git",
        "worktree": "/w",
        "metadata": None,
        "branch": None,
        "base": None,
        "session": "s",
        "prompt": "p",
        "state": TaskState.RUNNING,
        **changes,
    }
    return Task(**known)  # type: ignore[arg-type]


async def test_one_of_several_is_chosen_or_none() -> None:
    for keys, wanted in ((("down", "enter"), 5173), (("enter",), 3000), (("escape",), None)):
        chosen: list[int | None] = []
        app: App[None] = App()
        async with app.run_test() as pilot:
            app.push_screen(Ports("tea", [3000, 5173]), chosen.append)
            await pilot.pause()
            await pilot.press(*keys)
            await pilot.pause()
        assert chosen == [wanted]


def test_the_header_says_what_is_served_and_what_is_unsealed() -> None:
    served = pane_header(_task(network="allow", ports=(3000, 5173)), 0, 1).plain
    assert "port 3000, 5173" in served
    assert "unsealed" not in served
    assert "unsealed" in pane_header(_task(), 0, 1).plain
    over = _task(ports=(3000,), state=TaskState.ENDED)
    assert "3000" not in pane_header(over, 0, 1).plain
    assert "unsealed" not in pane_header(over, 0, 1).plain


def test_lists_mark_what_is_unsealed() -> None:
    assert unusual(_task()) == "unsealed"
    for network in ("open", "allow", "closed"):
        assert unusual(_task(network=network)) == ""
        assert "gateway" in network_text(_task(network=network))
    assert "login inside" in network_text(_task())
