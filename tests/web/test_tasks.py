"""A task's whole life over HTTP, with a real engine and CLI."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ctui.client.connection import driver_pid
from ctui.demo.model.script import fenced
from ctui.demo.world import World
from ctui.tasks.journal.archive import FILE_NAME
from ctui.tasks.store import Store
from tests.conftest import git
from tests.web.conftest import Served, serving
from tests.web.streams import Event, Stream

pytestmark = pytest.mark.engine


def prompt(*steps: str) -> str:
    return "Please.\n" + fenced(*steps)


def _lines(events: list[Event]) -> list[Any]:
    return [event.data for event in events if event.kind == "line"]


def _archive(world: World, task: str) -> list[Any]:
    path = world.paths.task(task) / FILE_NAME
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_from_the_first_word_to_the_end(served: Served, world: World, repository: Path) -> None:
    refused = {"prompt": "go", "env": {"A-B": "1"}}
    answer = served.ask("POST", "/api/claude/tasks", json=refused)
    assert (answer.status_code, "A-B" in answer.text) == (400, True)
    answer = served.ask("POST", "/api/claude/tasks", json={"prompt": "go", "secrets": ["GONE"]})
    assert (answer.status_code, "no secret GONE" in answer.text) == (400, True)
    steps = prompt("bash touch made", "say Done.")
    given = {"name": "life", "isolated": True, "env": {"GIVEN": "of-http"}}
    made = served.create(steps, **given, network="allow", allow_hosts=["PyPI.org:443"])
    task = made["task_id"]
    assert (made["variables"], made["secrets"]) == (["GIVEN"], [])
    assert (made["network"], made["allow_hosts"]) == ("allow", ["pypi.org:443"])
    assert "of-http" not in json.dumps(made)
    assert Store(world.paths.database).variables.of(task) == {"GIVEN": "of-http"}
    assert (made["status"], made["tmux_session"]) == ("running", f"claude-{task}")
    assert (made["workdir"], made["branch"]) == (str(repository), "ctui/life")
    assert Path(made["worktree"]).is_dir()
    assert Path(made["worktree"]) != repository
    assert "finished_at" not in made

    ask = served.asked(task)
    assert (ask["kind"], ask["tool"], ask["input"]["command"]) == (
        "permission",
        "Bash",
        "touch made",
    )
    assert Store(world.paths.database).tasks.get(task).options.isolated
    detail = served.get(f"/tasks/{task}")
    assert (detail["status"], detail["state"]) == ("running", "waiting")
    assert detail["pending_asks"] == [ask] == served.get("/asks")["asks"]

    answered = _answer(served, task, ask_id=ask["ask_id"], decision="allow")
    assert answered.status_code == 200
    late = _answer(served, task, ask_id=ask["ask_id"], decision="deny")
    assert late.status_code == 409
    assert "not pending" in late.json()["error"]

    done = served.until(task, "completed")
    assert done["result"] == "Done."
    assert done["created_at"] < done["finished_at"]
    assert done["recent_output"].endswith("__CLAUDE_EXIT_CODE_0__\n")
    assert (Path(made["worktree"]) / "made").is_file()
    assert not (repository / "made").exists()
    assert served.get("/tasks")["tasks"][0]["status"] == "completed"

    tail = served.ask("GET", f"/api/claude/tasks/{task}/output?tail=2").text.splitlines()
    assert json.loads(tail[0])["type"] == "result"
    assert tail[1] == "__CLAUDE_EXIT_CODE_0__"

    killed = served.ask("DELETE", f"/api/claude/tasks/{task}").json()
    assert killed["status"] == "killed"
    assert served.get(f"/tasks/{task}")["killed_at"] == killed["killed_at"]
    told = _tell(served, task, prompt("say Again."))
    assert [item["prompt"] for item in told["followups"]] == [prompt("say Again.")]
    assert told["session_id"] == made["session_id"]
    assert served.until(task, "completed")["result"] == "Again."
    output = served.ask("GET", f"/api/claude/tasks/{task}/output").text
    assert output.count("__CLAUDE_EXIT_CODE_0__") == 2


def test_files_come_with_a_prompt_and_with_a_message(served: Served) -> None:
    """In base64; one that is not what it is said to be starts nothing."""

    def file(name: str, data: bytes, **more: str) -> dict[str, str]:
        return {"name": name, "data": base64.b64encode(data).decode(), **more}

    wrong = [file("x.png", b"text", media_type="image/png")]
    refused = served.ask("POST", "/api/claude/tasks", json={"prompt": "go", "attach": wrong})
    assert (refused.status_code, "x.png is no image/png" in refused.text) == (400, True)
    bad = [{"name": "x", "data": "no base64!"}]
    refused = served.ask("POST", "/api/claude/tasks", json={"prompt": "go", "attach": bad})
    assert (refused.status_code, "Invalid base64" in refused.text) == (400, True)
    assert served.get("/tasks")["tasks"] == []

    one = prompt("bash cat /attached/a.txt", "say {result}")
    task = served.create(one, skip_permissions=True, attach=[file("a.txt", b"of-http")])["task_id"]
    assert served.until(task, "completed")["result"] == "of-http"
    two = {"prompt": prompt("bash cat /attached/a-2.txt", "say {result}")}
    again = {**two, "attach": [file("a.txt", b"of-a-message")]}
    told = served.ask("POST", f"/api/claude/tasks/{task}/message", json=again)
    assert told.status_code == 200, told.text
    assert served.until(task, "completed")["result"] == "of-a-message"


def test_a_turn_that_fails_is_an_error(served: Served) -> None:
    task = served.create(prompt("fail 400 always"))["task_id"]
    failed = served.until(task, "error")
    assert failed["problem"]
    assert failed["recent_output"].endswith("__CLAUDE_EXIT_CODE_1__\n")


def test_a_question_is_answered_and_a_wrong_answer_is_told(served: Served) -> None:
    made = served.create(prompt("ask Which one? | Pick | Red: warm | Blue: cold", "say {result}"))
    ask = served.asked(made["task_id"])
    (question,) = ask["questions"]
    assert [option["label"] for option in question["options"]] == ["Red", "Blue"]
    other = served.create(prompt("say Hi."))["task_id"]
    given: dict[str, Any] = {"ask_id": ask["ask_id"], "decision": "allow"}
    assert _answer(served, made["task_id"], **given).status_code == 400
    assert _answer(served, other, **given, text="Red").status_code == 404
    assert _answer(served, made["task_id"], **given, text="Red").status_code == 200
    assert "Red" in served.until(made["task_id"], "completed")["result"]


def test_a_workdir_in_another_repository(served: Served, repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(repository), "other")
    (other / "sub").mkdir()
    made = served.create(prompt("say Hi."), workdir=str(other / "sub"))
    assert made["workdir"] == str(other)
    assert git(other, "rev-parse", f"refs/heads/{made['branch']}")
    # What lies in a task's worktree decides nothing: a task can write any .git there.
    hostile = Path(made["worktree"]) / "inner"
    git(tmp_path, "clone", "-q", str(repository), str(hostile))
    again = served.create(prompt("say Hi."), workdir=str(hostile))
    assert again["workdir"] == str(other)


def test_a_subfolder_as_workdir_is_where_the_task_starts(
    served: Served, repository: Path, tmp_path: Path
) -> None:
    """T22: the subfolder was dropped."""
    inner = repository / "deep" / "er"
    inner.mkdir(parents=True)
    (inner / "note").write_text("here\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "Add a folder")
    made = served.create(prompt("say Hi."), workdir=str(inner))
    assert made["directory"] == "deep/er"
    assert (Path(made["worktree"]) / "deep/er/note").read_text() == "here\n"
    # By a link, in another task's worktree, or where nothing is committed: the same folder.
    (tmp_path / "link").symlink_to(inner)
    assert (
        served.create(prompt("say Hi."), workdir=str(tmp_path / "link"))["directory"] == "deep/er"
    )
    again = served.create(prompt("say Hi."), workdir=f"{made['worktree']}/deep")
    assert again["directory"] == "deep"
    (repository / "fresh").mkdir()
    fresh = served.create(prompt("say Hi."), workdir=str(repository / "fresh"))
    assert (fresh["directory"], Path(fresh["worktree"], "fresh").is_dir()) == ("fresh", True)
    assert git(Path(fresh["worktree"]), "status", "--porcelain") == ""
    assert served.create(prompt("say Hi."), workdir=str(repository))["directory"] == ""
    # What the commit has in its place is no folder: nothing is left behind.
    git(repository, "rm", "-rq", "deep")
    (repository / "deep").write_text("a file\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "Put a file there")
    before = git(repository, "worktree", "list")
    answer = served.ask(
        "POST",
        "/api/claude/tasks",
        json={"prompt": "x", "workdir": f"{made['worktree']}/deep/er"},
    )
    assert (answer.status_code, "deep/er" in answer.json()["error"]) == (400, True)
    assert git(repository, "worktree", "list") == before


async def test_a_stream_goes_on_across_kill_9_of_the_driver(served: Served, world: World) -> None:
    steps = ("bash touch one", "say One.", "bash touch two", "say Done.")
    task = (await asyncio.to_thread(served.create, prompt(*steps)))["task_id"]

    def first_half() -> list[Event]:
        with Stream(served, task) as stream:
            return stream.until("ask", state="pending")

    seen = await asyncio.to_thread(first_half)
    pid = await driver_pid(world.paths)
    assert pid is not None
    os.kill(pid, 9)

    def second_half() -> list[Event]:
        with Stream(served, task, seen[-1].id) as stream:
            for number in range(2):
                ask = served.asked(task)
                assert (
                    _answer(served, task, ask_id=ask["ask_id"], decision="allow").status_code == 200
                ), number
                stream_to = "delivered"
                seen.extend(stream.until("ask", ask_id=ask["ask_id"], state=stream_to))
            return stream.until("task", status="completed")

    seen += await asyncio.to_thread(second_half)
    served.ask("DELETE", f"/api/claude/tasks/{task}")
    with Stream(served, task, seen[-1].id) as stream:
        archive = _archive(world, task)
        for event in stream.events():
            seen.append(event)
            if len(_lines(seen)) == len(archive):
                break
    assert _lines(seen) == archive
    assert next(event.data["state"] for event in seen if event.kind == "ask") == "pending"


def test_whoever_reads_slowly_misses_nothing_and_holds_up_nobody(
    served: Served, world: World
) -> None:
    task = served.create(prompt("flood 3000000", "say Small."))["task_id"]
    with Stream(served, task) as slow:
        done = served.until(task, "completed")
        _tell(served, task, prompt("flood 3000000", "say Last."))
        done = served.until(task, "completed")
        assert done["turns"] == 2
        archive = _archive(world, task)
        seen: list[Event] = []
        for event in slow.events():
            seen.append(event)
            if len(_lines(seen)) == len(archive):
                break
    assert _lines(seen) == archive
    ids = [int(event.id) for event in seen]
    assert ids == sorted(ids)


def test_the_server_ends_and_the_task_goes_on(world: World, repository: Path) -> None:
    with serving(repository, world.environ) as served:
        task = served.create(prompt("bash touch made", "say Done."))["task_id"]
        ask = served.asked(task)
        stream = Stream(served, task)
    # It ended by itself within two seconds, with the stream open; see `serving`.
    assert list(stream.events())[-1].kind in {"task", "ask", "line"}
    stream.close()
    with serving(repository, world.environ) as served:
        assert served.asked(task)["ask_id"] == ask["ask_id"]
        assert _answer(served, task, ask_id=ask["ask_id"], decision="allow").status_code == 200
        assert served.until(task, "completed")["result"] == "Done."


def test_a_removed_task_ends_its_streams(served: Served, world: World, repository: Path) -> None:
    task = served.create(prompt("say Done."))["task_id"]
    served.until(task, "completed")
    with Stream(served, task) as stream:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "ctui", "task", "remove", "--purge", task],
            cwd=repository,
            env=dict(world.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert stream.until("removed")[-1].data == {"task_id": task}
        assert list(stream.events()) == []
    assert served.ask("GET", f"/api/claude/tasks/{task}").status_code == 404


def _answer(served: Served, task: str, **given: Any) -> Any:
    return served.ask("POST", f"/api/claude/tasks/{task}/asks", json=given)


def _tell(served: Served, task: str, said: str) -> Any:
    answer = served.ask("POST", f"/api/claude/tasks/{task}/message", json={"prompt": said})
    assert answer.status_code == 200, answer.text
    return answer.json()
