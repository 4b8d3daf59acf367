"""The main job with a real engine, the real CLI, real git, and a scripted model."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import is_partial
from ctui.claude.transcript.transcript import Transcript
from ctui.client.connection import connect, driver_pid
from ctui.demo.model.script import fenced
from ctui.errors import Conflict
from ctui.sandbox.docker.stream import follow_log
from ctui.tasks import calls
from ctui.tasks.model import Answer, AskState, TaskState
from tests.claude.fold import contents
from tests.conftest import git
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine


def test_the_demo_sees_every_step_and_leaves_nothing_behind() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ctui", "demo", "--headless"],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.stdout.rstrip().endswith("every step was seen"), done.stdout + done.stderr
    assert done.returncode == 0


async def test_an_answer_counts_once_and_later_ones_are_told(person: Person) -> None:
    await person.start("once", "bash touch made", "say Done.")
    ask = await person.asked("once")
    await person.answer(ask, Answer("allow"))
    with pytest.raises(Conflict):
        await person.answer(ask, Answer("deny"))
    task = await person.idle("once")
    assert (Path(task.worktree) / "made").is_file()
    assert person.store.asks.get(ask.id).state is AskState.DELIVERED


async def test_a_denial_with_a_message_reaches_the_model(person: Person) -> None:
    await person.start("denied", "bash touch made", "say Done.")
    await person.answer(await person.asked("denied"), Answer("deny", message="not on a Friday"))
    task = await person.idle("denied")
    assert "not on a Friday" in person.tool_output("denied")
    assert task.denials == 1


async def test_allowed_for_the_session_is_not_asked_again(person: Person) -> None:
    await person.start("session", "bash touch made", "bash touch made", "say Done.")
    await person.answer(await person.asked("session"), Answer("session"))
    task = await person.idle("session")
    assert task.result == "Done."
    assert not (Path(task.worktree) / ".claude").exists()


async def test_the_tools_of_ctui_ask_and_notify(person: Person) -> None:
    await person.start(
        "toolbox",
        'tool mcp__ctui__notify_user {"message": "half way", "priority": "urgent"}',
        'tool mcp__ctui__ask_user {"question": "Which port?", "options": ["80", "8080"]}',
        "say Done.",
    )
    ask = await person.asked("toolbox")
    assert (ask.tool, ask.title) == ("ask_user", "Which port?")
    await person.kill_driver()
    again = await person.asked("toolbox")
    assert again.id == ask.id
    await person.answer(again, Answer("allow", text="8080"))
    await person.idle("toolbox")
    assert "8080" in person.tool_output("toolbox")
    notices = [entry.line for entry in person.journal("toolbox") if entry.stream == "ctui"]
    assert sum("half way" in line for line in notices) == 1


async def test_an_interrupt_ends_the_turn_and_the_conversation_goes_on(person: Person) -> None:
    await person.start("interrupted", "say Waiting.", "bash touch made", "say Never.")
    ask = await person.asked("interrupted")
    await person.client.call(calls.InterruptTask("interrupted"))
    await person.idle("interrupted")
    assert person.store.asks.get(ask.id).state is AskState.CANCELLED
    await person.say("interrupted", "say Still here.")
    task = await person.idle("interrupted", turns=2)
    assert task.result == "Still here."


async def test_a_stopped_task_goes_on_with_its_history(person: Person) -> None:
    await person.start("stopped", "say First.")
    await person.idle("stopped")
    stopped = await person.client.call(calls.StopTask("stopped"))
    assert (stopped.state, stopped.reason) == (TaskState.ENDED, "stopped")
    await person.say("stopped", "say Second.")
    task = await person.idle("stopped", turns=2)
    assert task.result == "Second."
    assert len(person.store.runs.of("stopped")) == 2
    assert (
        len(
            {
                event["session_id"]
                for event in person.events("stopped")
                if event.get("subtype") == "init"
            }
        )
        == 1
    )


async def test_a_follow_up_that_was_cut_off_in_the_middle_arrives_once(person: Person) -> None:
    task = await person.start("torn", "say First.")
    await person.idle("torn")
    container = person.store.runs.of("torn")[0].container
    engine = person.world.engine
    # A frozen sandbox reads nothing, so that the driver is killed in mid-line.
    await engine.pause(container)
    message = await person.say("torn", "say Second.", before="x" * 1_000_000 + "\n")
    for _ in range(600):
        if person.store.messages.said_before("torn", 1 << 30):
            break
        await asyncio.sleep(0.1)  # its files are kept first
    await person.kill_driver()
    await engine.unpause(container)
    done = await person.idle("torn", turns=2)
    assert done.result == "Second."
    events = person.events("torn")
    assert any(event.get("uuid") == message for event in events)
    results = [event["result"] for event in events if event["type"] == "result"]
    assert results == ["First.", "Second."]
    assert len(person.store.runs.of(task.id)) == 1
    relay = [entry.line for entry in person.journal("torn") if entry.stream == "err"]
    assert any("dropped" in line for line in relay)


async def test_the_archive_is_the_engine_s_log_after_a_crash_in_mid_turn(person: Person) -> None:
    await person.start("crash", "slow 5 8", "flood 8000", "bash touch made", "say Done.")
    await person.until("crash", lambda now: now.state is TaskState.RUNNING)
    await person.kill_driver()
    ask = await person.asked("crash")
    await person.kill_driver()
    await person.answer(ask, Answer("allow"))
    await person.idle("crash")
    container = person.store.runs.of("crash")[0].container
    log = [
        line
        async for batch in follow_log(person.world.engine.endpoint, container, follow=False)
        for line in batch
    ]
    archive = [entry for entry in person.journal("crash") if entry.stream != "ctui"]
    assert any(is_partial(line.data) for line in log)
    for stream in ("out", "err"):
        whole = [
            (line.time, line.data.decode())
            for line in log
            if line.stream == stream and (stream == "err" or not is_partial(line.data))
        ]
        assert [(e.t, e.line) for e in archive if e.stream == stream] == whole
    live, read = Transcript(), Transcript()
    for line in log:
        live.feed(decode(line.data, line.stream), run=1, time=line.time)
    for entry in archive:
        read.feed(decode(entry.line, entry.stream), run=1, time=entry.t)
    assert contents(read.blocks) == contents(live.blocks)
    assert len(read.blocks) > 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat-expired-0123456789"},
        {"ANTHROPIC_API_KEY": "sk-ant-api-expired-0123456789"},
    ],
)
async def test_a_rejected_login_waits_and_goes_on_in_a_new_run(
    person: Person, wrong: dict[str, str]
) -> None:
    await person.start("login", "say Done.", login=wrong)
    waiting = await person.until(
        "login", lambda now: bool(now.problem) and now.state is TaskState.WAITING
    )
    assert "ctui setup" in waiting.problem
    right = person.login({"ANTHROPIC_API_KEY": person.world.credential})
    await person.client.call(calls.ResumeTask("login", right))
    task = await person.until("login", lambda now: now.result == "Done." and not now.problem)
    assert task.session == waiting.session
    assert len(person.store.runs.of("login")) == 2


async def test_a_sandbox_without_memory_fails_with_a_reason(person: Person) -> None:
    config = person.world.paths.config_file
    config.write_text(config.read_text().replace("[sandbox]", '[sandbox]\nmemory = "48m"'))
    await person.start("small", "say Never.")
    task = await person.until("small", lambda now: now.state is TaskState.ENDED)
    assert task.reason == "failed"
    assert "memory" in task.problem or "exit code" in task.problem


async def test_two_front_ends_at_once_share_one_driver(person: Person) -> None:
    first, second = await asyncio.gather(
        connect(person.world.paths, person.world.environ),
        connect(person.world.paths, person.world.environ),
    )
    first.close()
    second.close()
    assert await driver_pid(person.world.paths) is not None
    lock = person.world.paths.driver_log.read_text()
    assert lock.count(" INFO driver ") == 2
    assert first.reader is not second.reader


async def test_an_older_driver_hands_over_and_its_task_goes_on(person: Person) -> None:
    code = (
        "import ctui; ctui.__version__ = '0.0.1'\n"
        "import sys; sys.argv = ['driver', '--ready', '1']\n"
        "from ctui.tasks.driver.process import main; sys.exit(main())"
    )
    older = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", code, env=person.world.environ, stdout=asyncio.subprocess.PIPE
    )
    assert older.stdout is not None
    assert await older.stdout.readline() == b"ready\n"
    old = await driver_pid(person.world.paths)
    await person.start("handed", "bash touch made", "say Done.")
    await person.answer(await person.asked("handed"), Answer("allow"))
    assert (await person.idle("handed")).result == "Done."
    await older.wait()
    assert old is not None
    assert await driver_pid(person.world.paths) not in {None, old}


async def test_work_on_the_branch_another_branch_and_the_stash_comes_home(person: Person) -> None:
    task = await person.start(
        "work",
        "bash echo a > a && git add a && git commit -q -m 'Add a'"
        " && git branch side && git checkout -q side && echo b > b && git add b"
        " && git commit -q -m 'Add b' && git checkout -q - && echo c >> a && git stash -q",
        "say Done.",
        skip_permissions=True,
    )
    await person.idle("work")
    stopped = await person.client.call(calls.StopTask("work"))
    assert stopped.work is not None
    assert stopped.work.branch == "advanced"
    names = sorted(ref.name for ref in stopped.work.refs)
    assert names[:2] == ["refs/ctui/work/heads/ctui/work", "refs/ctui/work/heads/side"]
    assert names[2].startswith("refs/ctui/work/stash/")
    assert len(names) == 3
    assert git(person.repository, "log", "--format=%s", "-n1", "ctui/work") == "Add a"
    assert (
        git(person.repository, "log", "--format=%s", "-n1", "refs/ctui/work/heads/side") == "Add b"
    )
    assert git(Path(task.worktree), "status", "--porcelain") == ""


async def test_a_commit_on_the_host_meanwhile_gives_diverged_and_moves_nothing(
    person: Person,
) -> None:
    task = await person.start(
        "diverged",
        "bash echo a > a && git add a && git commit -q -m 'Add a'",
        "say Done.",
    )
    ask = await person.asked("diverged")
    git(Path(task.worktree), "commit", "-q", "--allow-empty", "-m", "By hand")
    by_hand = git(person.repository, "rev-parse", "ctui/diverged")
    await person.answer(ask, Answer("allow"))
    await person.idle("diverged")
    stopped = await person.client.call(calls.StopTask("diverged"))
    assert stopped.work is not None
    assert stopped.work.branch == "diverged"
    assert git(person.repository, "rev-parse", "ctui/diverged") == by_hand
    code, shown = await person.ctui("task", "show", "diverged")
    assert code == 0
    assert "changed outside the task" in shown


async def test_run_follows_a_turn_and_says_how_it_ended(person: Person) -> None:

    code, output = await person.ctui(
        "run", "--skip-permissions", "Hello.\n" + fenced("say Hi there.")
    )
    assert (code, "Hi there." in output) == (0, True)
    code, output = await person.ctui(
        "run", "--json", "--skip-permissions", "Hello.\n" + fenced("say Hi there.")
    )
    # The task's id is said on stderr.
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert code == 0
    assert lines[-1]["type"] in {"result", "system", "control_response"}
    assert any(line.get("result") == "Hi there." for line in lines)
    states = {task.state for task in person.store.tasks.list()}
    assert states == {TaskState.ENDED}
