"""Ports of a task on the screen: in its header, and one chosen of several."""

from __future__ import annotations

import pytest
from textual.app import App

from ctui.cli.task.task_text import network_text, unusual
from ctui.client.access.ports import browser_port, chosen_port
from ctui.errors import InvalidInput, Refused
from ctui.sandbox.named_ports import NamedPort
from ctui.tasks.calls import Update
from ctui.tasks.model import Task, TaskOptions, TaskState
from ctui.tui.board.task_content import pane_header
from ctui.tui.dashboard.attention import alerts_of
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
            app.push_screen(Ports("tea", {3000: "3000 (app)", 5173: "5173"}), chosen.append)
            await pilot.pause()
            await pilot.press(*keys)
            await pilot.pause()
        assert chosen == [wanted]


def test_the_header_says_what_is_served_and_what_is_unsealed() -> None:
    served = pane_header(_task(network="allow", ports=(3000, 5173)), 0, 1).plain
    assert "port 3000, 5173" in served
    assert "unsealed" not in served
    assert "unsealed" in pane_header(_task(), 0, 1).plain
    over = _task(state=TaskState.ENDED)
    assert "unsealed" not in pane_header(over, 0, 1).plain


def test_what_is_served_is_said_until_its_sandbox_is_gone() -> None:
    """A port is open as long as the gateway says it: the end of a turn closes none."""
    rests = _task(network="allow", ports=(8000,), state=TaskState.IDLE)
    assert "port 8000" in pane_header(rests, 0, 1).plain
    assert "port" not in pane_header(_task(state=TaskState.IDLE), 0, 1).plain


NAMED = (
    NamedPort(first=3000, last=3000, label="app", told=True),
    NamedPort(first=8443, last=8443, tls=True),
    NamedPort(first=1, last=65535, hidden=True),
)


def _named(*ports: int) -> Task:
    return _task(
        network="allow", ports=ports, options=TaskOptions(named_ports=NAMED, network="allow")
    )


def test_a_repository_names_ports_and_hides_them() -> None:
    served = _named(3000, 9229)
    header = pane_header(served, 0, 1).plain
    assert "port 3000 (app)" in header
    assert "9229" not in header
    assert chosen_port(served, None) == 3000
    assert chosen_port(served, 9229) == 9229
    assert chosen_port(_named(9229), None) == 9229
    with pytest.raises(InvalidInput) as caught:
        chosen_port(_named(3000, 8443), None)
    assert caught.value.hint == "name one: 3000 (app), 8443"


def test_a_port_that_speaks_tls_is_offered_as_what_works() -> None:
    with pytest.raises(Refused) as caught:
        browser_port(_named(8443), None)
    assert caught.value.hint == "ctui task forward t 8443"
    assert browser_port(_named(3000), None) == 3000


def test_a_port_is_told_once_where_the_repository_wants_it() -> None:
    before, served = _named(9229), _named(3000, 8443, 9229)
    told = [one.text for one in alerts_of(Update(task=served), before, (), since=1)]
    assert told == ["t serves: port 3000 (app)"]
    assert alerts_of(Update(task=served), served, (), since=1) == []
    assert alerts_of(Update(task=served), None, (), since=1) == []


def test_lists_mark_what_is_unsealed() -> None:
    assert unusual(_task()) == "unsealed"
    for network in ("open", "allow", "closed"):
        assert unusual(_task(network=network)) == ""
        assert "gateway" in network_text(_task(network=network))
    assert "login inside" in network_text(_task())
