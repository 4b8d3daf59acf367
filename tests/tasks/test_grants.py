"""What is allowed for good: exactly what was shown, in that repository, until it is revoked."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from ctui.errors import InvalidInput, NotFound
from ctui.tasks import asks, calls
from ctui.tasks.asks.kinds.permission import KIND, Grantable, grantable
from ctui.tasks.database.schema import MIGRATIONS
from ctui.tasks.model import Answer, Ask, AskState
from ctui.tasks.store import Store
from tests.ask_requests import asked
from tests.tasks.conftest import Person


def ask_for(tool: str, **given: object) -> Ask:
    request = {
        "tool_name": tool,
        "input": given,
        "permission_suggestions": [
            {"type": "addRules", "rules": [{"toolName": "Bash"}], "behavior": "allow"}
        ],
    }
    return asked(request)


@pytest.mark.parametrize("command", ["npm test", "ls -la src | wc -l", "rm *", "printf '\\n'", "x"])
def test_a_plain_command_is_granted_letter_for_letter(command: str) -> None:
    ask = ask_for("Bash", command=command, description="something else")
    assert grantable(ask) == Grantable("Bash", command)
    assert f"`{command}`" in KIND.allows(ask, "always")
    line = json.loads(asks.reply(ask, Answer("always")))
    # Neither the CLI's suggestion, which allows every command, nor a rule of our own.
    assert "updatedPermissions" not in line["response"]["response"]


@pytest.mark.parametrize(
    "ask",
    [
        ask_for("Bash", command="one\ntwo"),
        ask_for("Bash", command=" padded "),
        ask_for("Bash", command="echo \u202e"),
        ask_for("Bash", command=""),
        ask_for("Bash", command=["ls"]),
        ask_for("Bash", command="x" * 501),
        ask_for("Write", file_path="/workspace/a", content="b"),
        ask_for("mcp__server__tool"),
        ask_for("ExitPlanMode", plan="ls"),
    ],
    ids=lambda ask: ask.title[:20],
)
def test_what_is_no_plain_command_is_not_granted(ask: Ask) -> None:
    assert grantable(ask) is None
    assert KIND.allows(ask, "always") == ""
    with pytest.raises(InvalidInput, match="plain command"):
        asks.check(ask, Answer("always"))


def by(ask: Ask) -> str:
    assert ask.answer is not None
    return ask.answer.by


def test_grants_are_kept_by_repository_until_they_are_revoked(tmp_path: Path) -> None:
    store = Store(tmp_path / "ctui.db")
    store.grants.add("/one/.git", Grantable("Bash", "npm test"), "task", 5)
    store.grants.add("/one/.git", Grantable("Bash", "npm test"), "other", 6)
    store.grants.add("/two/.git", Grantable("Bash", "npm test"), "task", 7)
    [first] = store.grants.of("/one/.git")
    assert (first.words, first.task, first.created) == ("Bash(npm test)", "task", 5)
    assert len(store.grants.of()) == 2
    assert store.grants.revoke(first.id) == first
    assert store.grants.of("/one/.git") == []
    with pytest.raises(NotFound):
        store.grants.revoke(first.id)
    store.close()


def test_a_store_without_grants_gets_their_table(tmp_path: Path) -> None:
    path = tmp_path / "ctui.db"
    with sqlite3.connect(path) as database:
        database.executescript(MIGRATIONS[0] + "PRAGMA user_version = 1;")
    database.close()
    store = Store(path)
    assert store.grants.of() == []
    store.close()


@pytest.mark.engine
async def test_what_was_allowed_for_good_is_answered_at_once(person: Person) -> None:
    steps = ("bash touch granted", "bash touch granted", "say Done.")
    await person.start("first", *steps)
    ask = await person.asked("first")
    assert (await person.ctui("task", "answer", "first", "always"))[0] == 0
    await person.idle("first")
    answered = person.store.asks.list(*AskState, task="first")
    assert [(one.id == ask.id, by(one)) for one in answered] == [
        (True, "command line"),
        (False, "grant"),
    ]

    await person.start("second", *steps)
    await person.idle("second")
    answered = person.store.asks.list(*AskState, task="second")
    assert [(by(one), one.state) for one in answered] == [("grant", AskState.DELIVERED)] * 2


@pytest.mark.engine
@pytest.mark.parametrize(
    "command",
    [
        "timeout 5 touch granted",
        "touch granted && touch granted",
        "touch granted  # really",
        "touch granted < /etc/hostname",
        "echo other | touch granted",
        "touch granted-more",
    ],
)
async def test_what_only_looks_like_it_is_asked(person: Person, command: str) -> None:
    """The CLI would take each of these for the command that it has a rule for."""
    repository = person.repository / ".git"
    person.store.grants.add(str(repository), Grantable("Bash", "touch granted"), "other", 1)
    await person.start("third", f"bash {command}", "say Done.")
    other = await person.asked("third")
    assert json.loads(bytes(other.input))["command"] == command
    await person.answer(other, Answer("deny"))
    await person.idle("third")


@pytest.mark.engine
async def test_a_grant_that_is_revoked_is_asked_again(person: Person) -> None:
    steps = ("bash touch granted", "say Done.")
    repository = person.repository / ".git"
    person.store.grants.add(str(repository), Grantable("Bash", "touch granted"), "first", 1)

    code, said = await person.ctui("config", "grants", "--json")
    assert code == 0
    [grant] = json.loads(said)
    assert (grant["content"], grant["task"]) == ("touch granted", "first")
    assert (await person.ctui("config", "grants", "--revoke", str(grant["id"])))[0] == 0
    await person.start("fourth", *steps)
    again = await person.asked("fourth")
    assert again.state is AskState.PENDING
    await person.client.call(calls.StopTask("fourth"))
