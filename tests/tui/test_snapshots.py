"""Whole screens as text, for a person to read when one of them changes.

WRITE_SNAPSHOTS=1 python -m pytest tests/tui/test_snapshots.py
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.todos import Todo
from ctui.claude.transcript.transcript import Transcript
from ctui.client.health.health import Check
from ctui.config import ClaudeConfig
from ctui.paths import Paths
from ctui.tasks.activity import Activity, Note
from ctui.tasks.asks import Origin
from ctui.tasks.calls import Update
from ctui.tasks.model import Ask, Task, TaskState
from ctui.tui.asks.ask_panel import AskPanel
from ctui.tui.asks.inbox import Inbox
from ctui.tui.board.board import Board
from ctui.tui.board.removal_facts import removal_facts
from ctui.tui.board.task_content import pane_header
from ctui.tui.dashboard.dashboard import Dashboard
from ctui.tui.dashboard.divider import Divider, list_width
from ctui.tui.dashboard.header import Header
from ctui.tui.dashboard.sidebar import Sidebar
from ctui.tui.dialogs.confirm import Confirm
from ctui.tui.dialogs.help import Help, choices_of
from ctui.tui.dialogs.new_task import NewTaskForm
from ctui.tui.dialogs.setup import Setup
from ctui.tui.pane.composer import Composer
from ctui.tui.support.frame_clock import FrameClock
from ctui.tui.support.key_bar import KeyBar
from ctui.tui.support.options import ScreenOptions
from ctui.tui.support.place import Place
from ctui.tui.transcript.transcript_view import TranscriptView
from ctui.worktrees.model import Changes
from tests.ask_requests import asked
from tests.claude import lines
from tests.tui.test_board import status, task
from tests.tui.test_forms import FORM

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND

_FOLDER = Path(__file__).with_name("snapshots")
_CHECKS = [
    Check("git", True, "2.39.5"),
    Check("login", False, "Claude Code has no login here", "run `ctui setup`"),
    Check("engine", True, "Docker 20.10.24"),
]
_MARKDOWN = """\
The redirect **loses** the query string. I'll move the check:

1. read `next` before the rewrite
2. keep it

| where | before | after |
|-------|-------:|------:|
| login | 2 | 1 |

```python
def login(next: str) -> str:
    return f"/login?next={next}"
```
"""
_JOURNAL = [
    lines.init(),
    lines.echo("u1", "Mend the redirect"),
    lines.assistant("m0", lines.thinking("Where is it?")),
    lines.assistant("m1", lines.text(_MARKDOWN)),
    lines.assistant(
        "m2",
        lines.tool_use(
            "c1", "Edit", file_path="/workspace/login.py", old_string="a = 1", new_string="a = 2"
        ),
    ),
    lines.tool_result("c1", "done"),
    lines.assistant("m3", lines.tool_use("c2", "Bash", command="npm test")),
    lines.tool_result("c2", "1 failed", {"stdout": "1 failed", "stderr": ""}, error=True),
    lines.result(0.31),
]


class Still(App[None]):
    """The dashboard's parts in their places, with nothing behind them."""

    CSS_PATH = str(Path(__file__).parents[2] / "ctui/tui/ctui.tcss")

    def __init__(self, ask: Ask | None = None) -> None:
        super().__init__()
        self.board = a_board()
        self._ask = ask
        self._transcript = Transcript()

    def compose(self) -> ComposeResult:
        yield Header(Place(Path("/r/api/.git")), scripted=False)
        with Horizontal(id="main"):
            yield Sidebar(id="sidebar")
            yield Divider()
            with Vertical(id="pane-switcher"), Vertical(classes="pane"):
                yield Static(pane_header(a_task(), 1, 1), classes="pane--header")
                yield TranscriptView(FrameClock(self))
                yield AskPanel()
                yield Composer(placeholder="follow up")
        yield KeyBar(Dashboard.BINDINGS, {})

    def on_mount(self) -> None:
        self.query_one(Header).take_checks(_CHECKS)
        self.query_one(Header).show(self.board, self.board.items())
        sidebar = self.query_one(Sidebar)
        sidebar.styles.width = list_width(self.size.width, None)
        sidebar.show(self.board.items())
        view = self.query_one(TranscriptView)
        view.show_blocks(self._transcript.blocks)
        for line in _JOURNAL:
            view.take(self._transcript.feed(decode(line), run=1, time=0))
        panel = self.query_one(AskPanel)
        panel.show([self._ask] if self._ask else [])
        panel.focus()


def a_board() -> Board:
    board = Board("/r/.git")
    changes = Changes(staged=1, modified=3)
    board.take_statuses(
        [
            status("fix-login", "unclean", changes=changes),
            msgspec.structs.replace(
                status("cache-keys", "unclean", ahead=3), added=200, removed=3, files=1
            ),
            status("fix-typo", "merged"),
            status("spike-grpc", "clean"),
        ]
    )
    todos = (Todo("1", "Find them", "completed"), Todo("2", "Replace them", "in_progress"))
    for one in (
        a_task(),
        running("docs-api", Activity(began=NOW - 41 * SECOND, call="Bash: npm run build")),
        running("decimals", Activity(began=NOW - 200 * SECOND, todos=todos)),
        task(
            "login-redirect-of-expired-sessions",
            state=TaskState.IDLE,
            problem="API Error: 400 prompt is too long",
            cause="other",
            activity=Activity(began=1, rested=NOW - 120 * SECOND),
        ),
        task(
            "quicksort",
            state=TaskState.IDLE,
            result='The pivot is the "median of three".',
            activity=Activity(
                began=1, rested=NOW - 300 * SECOND, notes=(Note(NOW - 60 * SECOND, "Look!"),)
            ),
        ),
    ):
        board.take(Update(task=one))
    for number, ask in enumerate((a_permission(), a_question(), a_form()), 1):
        ask.id, ask.task, ask.created = number, "fix-login", NOW - 3600 * SECOND
        board.take(Update(ask=ask))
    return board


def running(name: str, activity: Activity) -> Task:
    return task(name, state=TaskState.RUNNING, activity=activity)


def a_task() -> Task:
    return task(
        "fix-login", state=TaskState.WAITING, cost=0.31, input_tokens=48_000, network="allow"
    )


def a_permission() -> Ask:
    given = {"file_path": "/workspace/login.py", "old_string": "a = 1", "new_string": "a = 2"}
    request = {"tool_name": "Edit", "input": given, "decision_reason": "It is outside."}
    return asked(request, "r1", Origin("fix-login", 1, 1))


def a_question() -> Ask:
    options = [{"label": "Warm", "description": "with a smile"}, {"label": "Dry"}]
    items = [{"question": "Which tone?", "options": options}, {"question": "How long?"}]
    request = {"tool_name": "AskUserQuestion", "input": {"questions": items}}
    return asked(request, "r2", Origin("fix-login", 1, 2))


def a_form() -> Ask:
    request = {"mcp_server_name": "db", "message": "Which one?", "requested_schema": FORM}
    return asked(request, "r3", Origin("fix-login", 1, 3))


async def taken(app: App[Any], size: tuple[int, int], screen: ModalScreen[Any] | None) -> str:
    async with app.run_test(size=size) as pilot:
        if screen is not None:
            app.push_screen(screen)
        await pilot.pause(0.1)
        await pilot.pause()
        rows = app.screen._compositor.render_strips()
        return "".join(f"{strip.text.rstrip()}\n" for strip in rows)


def _new_task(app: Still) -> ModalScreen[Any]:
    NewTaskForm.draft = ""
    return NewTaskForm(ScreenOptions(ClaudeConfig()), app.board.items()[-1])


SCREENS: dict[str, Callable[[Still], ModalScreen[Any]]] = {
    "inbox": lambda app: Inbox(app.board, None),  # type: ignore[arg-type] # nothing is answered
    "new-task": _new_task,
    "remove": lambda app: Confirm("Remove it?", removal_facts(app.board.items()[0]), yes="remove"),
    "help": lambda _: Help(
        [
            ("Everywhere", choices_of(Dashboard.BINDINGS, {"help": "f1"})),
            ("Where one writes", choices_of(Composer.BINDINGS, {})),
        ]
    ),
    "setup": lambda _: Setup(Paths.from_environment(), _CHECKS),
}


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all ages stay as they are."""
    for widget in (Sidebar, Inbox):
        monkeypatch.setattr(widget, "clock", staticmethod(lambda: NOW))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (220, 60)])
@pytest.mark.parametrize("ask", [a_permission, a_question, a_form])
async def test_a_dashboard_that_asks(size: tuple[int, int], ask: Callable[[], Ask]) -> None:
    shown = await taken(Still(ask()), size, None)
    compare(f"{ask.__name__.removeprefix('a_')}-{size[0]}", shown)


@pytest.mark.parametrize("name", SCREENS)
async def test_a_screen_over_it(name: str) -> None:
    app = Still()
    compare(name, await taken(app, (100, 32), SCREENS[name](app)))


async def test_the_help_s_other_keys_and_its_legend() -> None:
    compare("help-legend", await taken(Still(), (80, 40), Help([])))


def compare(name: str, shown: str) -> None:
    file = _FOLDER / f"{name}.txt"
    if os.environ.get("WRITE_SNAPSHOTS"):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")
