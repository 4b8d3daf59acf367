"""No result and no definition is larger than clients take, whatever a task wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ctui.errors import InvalidInput
from ctui.mcp_server.protocol.pages import PAGE_BYTES, cut_down, page_of, wire_size
from ctui.mcp_server.registry import TOOLS
from ctui.mcp_server.tools.output import read_output, text_portion
from ctui.mcp_server.tools.task_shapes import TaskItem, brief
from ctui.paths import Paths
from ctui.tasks.asks import Origin
from ctui.tasks.journal.archive import FILE_NAME
from ctui.tasks.model import Run, Task, TaskState
from ctui.tasks.store import Store
from tests.ask_requests import asked
from tests.conftest import git
from tests.mcp_server.raw import Raw, raw

TEXTS = ["x", '"', "\\", "\n", "é", "好", "🙂", "\u202e", "\x1b[31m"]


def a_task(number: int, **more: Any) -> Task:
    return Task(
        id=f"task-{number:04}",
        repository="/repository/.git",
        worktree=f"/worktrees/{number}",
        metadata=None,
        branch=f"ctui/{number}",
        base=None,
        session="s",
        created=1000 + number // 3,
        **{"prompt": "p", **more},
    )


@pytest.fixture
def store(paths: Paths) -> Iterator[Store]:
    paths.state.mkdir(parents=True, mode=0o700)
    found = Store(paths.database)
    yield found
    found.close()


async def bounded(server: Raw, tool: str, **arguments: Any) -> Any:
    """The structured result of a call whose whole reply fits into a page."""
    number = await server.request("tools/call", {"name": tool, "arguments": arguments})
    assert server.process.stdout is not None
    line = await server.process.stdout.readline()
    assert len(line) <= PAGE_BYTES, (tool, arguments, len(line))
    reply = json.loads(line)
    assert reply["id"] == number
    result = reply["result"]
    assert not result.get("isError"), result["content"]
    assert len(json.dumps(result["structuredContent"])) <= PAGE_BYTES
    return result["structuredContent"]


async def every_page(server: Raw, tool: str, field: str, **arguments: Any) -> list[Any]:
    found: list[Any] = []
    cursor = ""
    while True:
        page = await bounded(server, tool, cursor=cursor, **arguments)
        assert page[field]
        assert "cut" not in page, page["cut"]
        found += page[field]
        if not (cursor := page.get("next_cursor", "")):
            return found


async def every_portion(server: Raw, **arguments: Any) -> str:
    """A text as `get_task_output` gives it in portions."""
    parts: list[str] = []
    offset = 0
    while True:
        portion = await bounded(server, "get_task_output", offset=offset, **arguments)
        parts.append("\n".join(portion["lines"]))
        offset = portion["next_offset"]
        if not portion["more"]:
            return "".join(parts)


def test_all_definitions_together_are_short() -> None:
    """T19: definitions of 59 KB were a third of what some clients leave a model."""
    shown = [tool.wire().model_dump(by_alias=True, exclude_unset=True) for tool in TOOLS.values()]
    assert len(json.dumps(shown, separators=(",", ":"))) < 20_000
    for tool in shown:
        assert tool["description"]
        assert tool["outputSchema"]["properties"].keys() == set(
            TOOLS[tool["name"]].gives.__struct_fields__
        )


async def test_a_thousand_tasks_are_listed_in_pages(repository: Path, store: Store) -> None:
    """T19: 35 tasks were 138 KB."""
    for number in range(1000):
        text = TEXTS[number % len(TEXTS)] * (100_000 if number % 25 == 0 else 1_000)
        store.tasks.add(a_task(number, prompt=text, result=text, problem=text))
    async with raw(repository) as server:
        await server.initialize()
        found = await every_page(server, "list_tasks", "tasks")
        assert [item["task"]["id"] for item in found] == [f"task-{n:04}" for n in range(1000)]
        first = await bounded(server, "list_tasks")
        # What a page had, and what comes behind it, stays where it is when tasks come and go.
        store.tasks.mark_removed(first["tasks"][-1]["task"]["id"])
        store.tasks.add(a_task(5000))
        rest = await every_page(server, "list_tasks", "tasks", active=False)
        assert len(rest) == 1000
        after = await bounded(server, "list_tasks", cursor=first["next_cursor"])
        assert after["tasks"][0]["task"]["id"] == f"task-{len(first['tasks']):04}"
        lost = await server.call("list_tasks", {"cursor": "[5]["})
        assert "cursor" in lost["result"]["content"][0]["text"]


async def test_only_what_works_or_asks_is_listed(repository: Path, store: Store) -> None:
    """T19: a task that a client lost sight of is found without reading a thousand."""
    for number in range(100):
        store.tasks.add(a_task(number, state=TaskState.IDLE))
    store.tasks.add(a_task(100, state=TaskState.RUNNING))
    store.asks.add(asked({"tool_name": "X", "input": {}}, origin=Origin("task-0007", 1, 5)))
    async with raw(repository) as server:
        await server.initialize()
        found = await bounded(server, "list_tasks", active=True)
        assert [item["task"]["id"] for item in found["tasks"]] == ["task-0007", "task-0100"]


@pytest.mark.parametrize("text", ["x", "\\", "🙂"])
async def test_one_task_with_long_texts_is_cut_and_can_be_read(
    repository: Path, store: Store, text: str
) -> None:
    """T19: a result of 100,000 characters."""
    long = f"begin {text * 100_000} end"
    store.tasks.add(a_task(1, prompt=long, result=long))
    for number in range(500):
        store.runs.add(Run(task="task-0001", number=number, container="c" * 64))
    async with raw(repository) as server:
        await server.initialize()
        shown = await bounded(server, "get_task", task_id="task-0001")
        assert shown["runs"][-1]["number"] == 499
        assert "get_task_output reads it with `of`" in shown["task"]["result"]
        whole = await every_portion(server, task_id="task-0001", of="result")
        assert whole.startswith("begin ")
        assert whole.endswith(" end")
        assert whole == await every_portion(server, task_id="task-0001", of="prompt")
        assert whole == long


@pytest.mark.parametrize("text", ["x", "🙂"])
async def test_64_asks_of_a_megabyte_each(repository: Path, store: Store, text: str) -> None:
    """T19: what tasks ask comes in pages, and each ask can be read to its end."""
    store.tasks.add(a_task(1, state=TaskState.WAITING))
    command = text * (1_000_000 // len(text.encode()))
    for number in range(64):
        request = {"tool_name": "Bash", "input": {"command": f"{number} {command}"}}
        assert store.asks.add(asked(request, f"r{number}", Origin("task-0001", 1, 5)))
    async with raw(repository) as server:
        await server.initialize()
        found = await every_page(server, "list_asks", "asks", task_id="task-0001")
        assert [ask["id"] for ask in found] == list(range(1, 65))
        shown = await bounded(server, "get_task", task_id="task-0001")
        ids = [ask["id"] for ask in shown["asks"]]
        assert ids == list(range(1, len(ids) + 1))
        rest = await bounded(server, "list_asks", cursor=shown["next_cursor"])
        assert rest["asks"][0]["id"] == len(ids) + 1
        begin = await bounded(server, "get_task_output", task_id="task-0001", of="ask:64")
        assert begin["lines"][0].startswith('{"command":"63 ' + text)
        size = len(f'{{"command":"63 {command}"}}')
        end = await bounded(
            server, "get_task_output", task_id="task-0001", of="ask:64", offset=size - 100
        )
        assert (end["lines"], end["more"]) == ([text * 98 + '"}'], False)
        (other,) = (await server.call("get_task_output", {"task_id": "task-0001", "of": "ask:65"}))[
            "result"
        ]["content"]
        assert "there is no ask 65" in other["text"]


async def test_questions_with_hundreds_of_long_options(repository: Path, store: Store) -> None:
    """T19: lists inside one item are cut too, and it says so."""
    store.tasks.add(a_task(1, state=TaskState.WAITING))
    options = [{"label": f"{n} {'l' * 250}", "description": "d" * 250} for n in range(100)]
    questions = [{"question": f"{n} {'q' * 2_000}", "options": options} for n in range(4)]
    request = {"tool_name": "AskUserQuestion", "input": {"questions": questions}}
    assert store.asks.add(asked(request, origin=Origin("task-0001", 1, 5)))
    async with raw(repository) as server:
        await server.initialize()
        (ask,) = (await bounded(server, "list_asks"))["asks"]
        assert len(ask["questions"]) == 4
        assert ask["decisions"] == ["allow", "deny"]
        assert "more of options" in ask["cut"]


async def test_a_journal_with_lines_larger_than_a_page(
    repository: Path, paths: Paths, store: Store
) -> None:
    """T19: get_task_output gave up to 2.7 MB."""
    store.tasks.add(a_task(1))
    folder = paths.task("task-0001")
    folder.mkdir(parents=True)
    texts = [f"{n} {TEXTS[n % len(TEXTS)] * 100_000} {n} end" for n in range(8)]
    entries = [{"t": n, "run": 1, "stream": "err", "line": text} for n, text in enumerate(texts)]
    lines = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries]
    (folder / FILE_NAME).write_text("".join(lines))
    async with raw(repository) as server:
        await server.initialize()
        whole = await every_portion(server, task_id="task-0001")
        starts = [sum(len(line.encode()) for line in lines[:n]) for n in range(8)]
        for number, start in enumerate(starts):
            assert f"! {number} " in whole
            assert f"of=entry:{start}]" in whole
        read = await every_portion(server, task_id="task-0001", of=f"entry:{starts[5]}")
        assert read == f"! {texts[5]}"
        last = await bounded(server, "get_task_output", task_id="task-0001", tail=2000)
        assert last["lines"][-1].endswith(f"of=entry:{starts[-1]}]")


async def test_hundreds_of_worktrees(repository: Path) -> None:
    """T19: lists of worktrees have pages as those of tasks."""
    names = [f"spike-{number:03}" for number in range(40)]
    for name in names:
        git(repository, "worktree", "add", "-q", f"../{name}-{'n' * 240}", "-b", name)
    async with raw(repository) as server:
        await server.initialize()
        found = await every_page(server, "list_worktree", "worktrees")
        assert [item["branch"] for item in found] == names
        refused = await bounded(server, "remove_worktree", names=["x" * 4096] * 1 + names * 12)
        assert "removed" in refused


@pytest.mark.parametrize("text", TEXTS)
def test_whatever_it_is_it_fits(text: str) -> None:
    """T19: any result of any tool, also of one that is written tomorrow."""
    data = {
        "texts": [text * 3_000] * 200,
        "by name": {f"{n} {text * 500}": {"inner": [text] * 100} for n in range(300)},
        "one": text * 1_000_000,
    }
    found = cut_down(data)
    assert wire_size(found) <= PAGE_BYTES
    assert "more of" in found["cut"]
    msgspec.json.encode(found)


def test_a_page_has_at_least_one_item_and_forgets_none() -> None:
    items = [TaskItem(brief(a_task(number)), 0) for number in range(7)]

    def key(item: TaskItem) -> tuple[int, str]:
        return item.task.created, item.task.id

    assert page_of(items, key, "") == (items, "")
    assert page_of([], key, "") == ([], "")
    assert page_of(items, key, '[1001,"task-0004"]') == (items[5:], "")
    for wrong in ("x", "{}", '["a"]', "[null]", "[[]]"):
        with pytest.raises(InvalidInput):
            page_of(items, key, wrong)


def test_the_portions_of_a_text_are_the_text(tmp_path: Path) -> None:
    text = "\n".join(char * number for number in range(300) for char in TEXTS[:1] + TEXTS[4:7])
    offset, parts = 0, []
    while (portion := text_portion(text, offset)).more:
        parts.append("\n".join(portion.lines))
        offset = portion.next_offset
    parts.append("\n".join(portion.lines))
    assert len(parts) > 3
    assert "".join(parts) == text
    assert text_portion(text, 10**9).lines == []
    assert read_output(tmp_path, 5, 0).lines == []
