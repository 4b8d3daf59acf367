"""Keys of the dashboard. None of them is a key of an ask: those work in its panel only."""

from __future__ import annotations

from textual.binding import Binding, BindingType

BINDINGS: list[BindingType] = [
    Binding(
        "n", "new_task", "new", tooltip="start a new task, in a worktree of its own", id="new-task"
    ),
    Binding(
        "N",
        "new_task_here",
        "new here",
        tooltip="start a new task in the worktree that is chosen",
        show=False,
        id="new-task-here",
    ),
    Binding(
        "f", "follow_up", "follow up", tooltip="write to the task that is shown", id="follow-up"
    ),
    Binding("i", "inbox", "inbox", tooltip="inbox: everything that is asked", id="inbox"),
    Binding("a", "next_ask", "asks", tooltip="go to what is asked next", id="next-ask"),
    Binding("x", "stop", "stop", tooltip="stop the task that is shown", show=False, id="stop"),
    Binding(
        "g",
        "resume",
        "go on",
        tooltip="go on with a task that was stopped",
        show=False,
        id="resume",
    ),
    Binding(
        "R", "remove", "remove", tooltip="remove the task and its worktree", show=False, id="remove"
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
        "v",
        "review",
        "review",
        tooltip="review what the worktree that is chosen changed",
        id="review",
    ),
    Binding("m", "land", "land", tooltip="land the worktree: merge it", id="land"),
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
    Binding("T", "top", "top", tooltip="what tasks take of this machine", show=False, id="top"),
    Binding("c", "cleanup", "clean", tooltip="clean up worktrees, and the trash", id="cleanup"),
    Binding("z", "zoom", "zoom", tooltip="hide or show the list", show=False, id="zoom"),
    Binding(
        "less_than_sign",
        "divide(-4)",
        "narrower",
        tooltip="make the list narrower",
        show=False,
        key_display="<",
        id="narrower",
    ),
    Binding(
        "greater_than_sign",
        "divide(4)",
        "wider",
        tooltip="make the list wider",
        show=False,
        key_display=">",
        id="wider",
    ),
    Binding(
        "ctrl+t",
        "todos",
        "to-do",
        tooltip="the whole to-do list, or one line of it",
        show=False,
        id="todos",
    ),
    Binding("slash", "search", "search the transcript", show=False, key_display="/"),
    Binding(
        "escape",
        "step_back",
        "back",
        tooltip="one step back; twice in the list: interrupt the turn",
        show=False,
        key_display="esc",
        id="interrupt",
    ),
    Binding("tab", "next_place", "Next place", show=False),
    Binding("1", "tab(1)", "the first tab, and so on", show=False, key_display="1-9"),
    *(Binding(str(number), f"tab({number})", show=False) for number in range(2, 10)),
    Binding("H", "setup", "doctor: what is missing", show=False, id="doctor"),
    Binding("ctrl+p", "app.command_palette", "palette", show=False, key_display="^p"),
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
