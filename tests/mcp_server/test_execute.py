"""`execute_claude` on real containers: what is asked on the way, and how it can end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp_types import ElicitRequestFormParams, ElicitResult

from ctui.tasks.model import Answer, AskState
from tests.mcp_server.conftest import scripted
from tests.mcp_server.talking import (
    LEGACY,
    MODERN,
    call,
    command,
    refusal,
    talking,
    talking_over_http,
)
from tests.tasks.conftest import WAIT_SECONDS, Person
from tests.web.conftest import serving

pytestmark = pytest.mark.engine

_ASKING = "ask Which colour? | Colour | Red: warm | Blue: cold"


async def _place(client: Client, name: str) -> str:
    made = await call(client, "create_worktree", name=name)
    return str(made["path"])


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
async def test_every_kind_of_ask_is_a_form(person: Person, mode: str) -> None:
    forms: list[ElicitRequestFormParams] = []
    told: list[str] = []

    async def fill(form: ElicitRequestFormParams) -> ElicitResult:
        forms.append(form)
        fields = form.requested_schema["properties"]
        if "answer" not in fields:
            assert fields["decision"]["enum"][0] == "Allow Once"
            return ElicitResult(action="accept", content={"decision": "Allow Always"})
        if len(forms) == 1:  # neither of the two: it is asked again
            return ElicitResult(action="accept", content={})
        return ElicitResult(action="accept", content={"answer": "Blue"})

    async def note(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        told.append(message or "")

    steps = [_ASKING, "say You said {result}", "bash touch one", "bash touch one", "say Done."]
    async with talking(person.repository, person.world.environ, mode, fill) as client:
        path = await _place(client, "asks")
        given = {"prompt": scripted(*steps), "workspace_root": path, "model": "opus"}
        result = await client.call_tool("execute_claude", given, progress_callback=note)
        done = result.structured_content
        assert (done["success"], done["result"], done["asks"]) == (True, "Done.", [])
        assert "💻 Bash: touch one" in told
        colour = forms[0].requested_schema["properties"]["answer"]
        assert colour == {"type": "string", "title": "Which colour?", "enum": ["Red", "Blue"]}
        assert forms[0].message.startswith(f"Task {done['task_id']}\n? Which colour?")
        assert "Blue - cold" in forms[0].message
        assert "no answer to: Which colour?" in forms[1].message
        # The second command was allowed with the first one, and so it is in any other task.
        assert len(forms) == 3
        other = await _place(client, "other")
        prompt = scripted("bash touch one", "say Too.")
        await call(client, "execute_claude", prompt=prompt, workspace_root=other)
        assert Path(other, "one").exists()
        assert len(forms) == 3
        shown = await call(client, "get_task_output", task_id=done["task_id"])
        assert '"Which colour?"="Blue"' in "\n".join(shown["lines"])


@pytest.mark.parametrize("mode", [MODERN])
async def test_a_plan_is_declined_and_the_person_goes_on_with_the_same_task(
    person: Person, mode: str
) -> None:
    person.world.paths.config_file.write_text(
        person.world.paths.config_file.read_text() + 'permission_mode = "plan"\n'
    )

    async def fill(form: ElicitRequestFormParams) -> ElicitResult:
        assert "Rewrite it all" in form.message
        return ElicitResult(action="decline")

    async with talking(person.repository, person.world.environ, mode, fill) as client:
        path = await _place(client, "plan")
        done = await call(
            client,
            "execute_claude",
            prompt=scripted("plan Rewrite it all.", "say Then not."),
            workspace_root=f"{path}/.",
        )
        assert (done["success"], done["result"], done["denials"]) == (True, "Then not.", 1)
        more = await call(
            client, "execute_claude", task_id=done["task_id"], prompt=scripted("say More.")
        )
        assert (more["task_id"], more["result"]) == (done["task_id"], "More.")


@pytest.mark.parametrize("mode", [LEGACY])
async def test_without_forms_the_ask_waits_and_the_result_says_so(
    person: Person, mode: str
) -> None:
    async with talking(person.repository, person.world.environ, mode) as client:
        path = await _place(client, "waits")
        prompt = scripted("bash touch one", "say Done.")
        found = await call(client, "execute_claude", prompt=prompt, workspace_root=path)
        assert (found["over"], found["success"], found["state"]) == (False, False, "waiting")
        (ask,) = found["asks"]
        assert "answer_ask answers it" in found["note"]
        assert found["task_id"] in found["note"]
        await call(client, "answer_ask", ask=ask["id"])
        done = await call(client, "execute_claude", task_id=found["task_id"])
        assert (done["success"], done["result"]) == (True, "Done.")


@pytest.mark.parametrize("mode", [MODERN])
async def test_a_form_that_was_closed_leaves_the_ask_to_others(person: Person, mode: str) -> None:
    async def fill(form: ElicitRequestFormParams) -> ElicitResult:
        del form
        return ElicitResult(action="cancel")

    async with talking(person.repository, person.world.environ, mode, fill) as client:
        path = await _place(client, "closed")
        prompt = scripted("bash touch one", "say Done.")
        found = await call(client, "execute_claude", prompt=prompt, workspace_root=path)
        assert (found["state"], len(found["asks"])) == ("waiting", 1)


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
async def test_whoever_answers_first_wins(person: Person, mode: str) -> None:
    """The form is open when another front end answers: its answer counts, and no error is made."""

    async def fill(form: ElicitRequestFormParams) -> ElicitResult:
        del form
        (ask,) = person.store.asks.list(AskState.PENDING)
        await person.answer(ask, Answer("allow", by="somebody else"))
        return ElicitResult(action="accept", content={"decision": "Deny"})

    async with talking(person.repository, person.world.environ, mode, fill) as client:
        path = await _place(client, "race")
        prompt = scripted("bash touch one", "say Done.")
        done = await call(client, "execute_claude", prompt=prompt, workspace_root=path)
        assert (done["success"], done["denials"]) == (True, 0)
        assert Path(path, "one").exists()
        (ask,) = person.store.asks.list(*AskState)
        assert ask.answer == Answer("allow", by="somebody else")


async def test_two_clients_with_the_same_ask_open_give_it_one_answer(person: Person) -> None:
    both = asyncio.Barrier(2)

    async def fill(form: ElicitRequestFormParams) -> ElicitResult:
        del form
        await both.wait()
        return ElicitResult(action="accept", content={"decision": "Allow Once"})

    environ = person.world.environ
    async with (
        talking(person.repository, environ, LEGACY, fill) as one,
        talking(person.repository, environ, MODERN, fill) as other,
    ):
        path = await _place(one, "both")
        prompt = scripted("bash touch one", "say Done.")
        first = asyncio.create_task(call(one, "execute_claude", prompt=prompt, workspace_root=path))
        ask = await _first_ask(person)
        second = await call(other, "execute_claude", task_id=ask.task)
        assert (second["success"], (await first)["success"]) == (True, True)
    stored = person.store.asks.get(ask.id)
    assert (stored.state, stored.answer and stored.answer.by) == (AskState.DELIVERED, "MCP")


async def test_a_cancelled_call_ends_nothing_and_the_next_one_finds_the_turn(
    person: Person,
) -> None:
    """T20: a client that gives up after a minute threw the turn away."""
    shown = asyncio.Queue[str]()

    async def fill(form: ElicitRequestFormParams) -> ElicitResult:
        shown.put_nowait(form.message)
        await asyncio.Event().wait()
        raise AssertionError

    async with talking(person.repository, person.world.environ, LEGACY, fill) as client:
        path = await _place(client, "cancel")
        given = {"prompt": scripted("bash touch one", "say Done."), "workspace_root": path}
        # The same call again is no second task, and no refusal.
        for _ in range(2):
            job = asyncio.create_task(call(client, "execute_claude", **given))
            async with asyncio.timeout(WAIT_SECONDS):
                assert "touch one" in await shown.get()
            job.cancel()
            with pytest.raises(asyncio.CancelledError):
                await job
        (ask,) = person.store.asks.list(AskState.PENDING)
        found = await call(client, "get_task", task_id=ask.task)
        assert (found["over"], found["task"]["state"]) == (False, "waiting")
        await person.answer(ask, Answer("allow"))
        await person.idle(ask.task)
        done = await call(client, "execute_claude", **given)
        assert (done["task_id"], done["success"], done["result"]) == (ask.task, True, "Done.")
        # Its id and its place find it at any time.
        newest = await call(client, "execute_claude", workspace_root=path)
        assert (newest["task_id"], newest["result"]) == (ask.task, "Done.")
        assert len((await call(client, "list_tasks"))["tasks"]) == 1


@pytest.mark.parametrize("deleted", [True, False])
async def test_a_session_that_ends_in_mid_call_ends_no_turn(
    person: Person, *, deleted: bool
) -> None:
    """T20: the same over HTTP, where a session is deleted, or its connection is closed."""
    async with talking(person.repository, person.world.environ) as client:
        path = await _place(client, "session")
    with serving(person.repository, person.world.environ) as served:
        headers = {
            "Authorization": f"Bearer {served.token}",
            "Accept": "application/json, text/event-stream",
        }
        url = f"{served.url}/mcp"
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            begun = await http.post(url, json=_initialize({"elicitation": {}}))
            http.headers["Mcp-Session-Id"] = begun.headers["mcp-session-id"]
            await http.post(url, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
            given = {"prompt": scripted("bash touch one", "say Done."), "workspace_root": path}
            body = _request(2, "tools/call", {"name": "execute_claude", "arguments": given})
            job = asyncio.create_task(http.post(url, json=body))
            ask = await _first_ask(person)
            if deleted:
                assert (await http.delete(url)).is_success
            job.cancel()
            await asyncio.wait([job])
        await person.answer(ask, Answer("allow"))
        done = await person.idle(ask.task)
        assert (done.result, done.problem) == ("Done.", "")
        async with talking_over_http(served.url, served.token) as client:
            found = await call(client, "execute_claude", task_id=ask.task)
            assert (found["over"], found["result"]) == (True, "Done.")


async def test_when_the_client_vanishes_in_mid_call_the_task_goes_on(person: Person) -> None:
    """It closes its end while a form is open; the ask stays for others."""
    async with talking(person.repository, person.world.environ) as client:
        path = await _place(client, "left")
    program, *arguments = command(person.repository)
    server = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        env=dict(person.world.environ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    given = {"prompt": scripted("bash touch one", "say Done."), "workspace_root": path}
    for message in (
        _initialize({"elicitation": {}}),
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        _request(2, "tools/call", {"name": "execute_claude", "arguments": given}),
    ):
        server.stdin.write(json.dumps(message).encode() + b"\n")
    async with asyncio.timeout(WAIT_SECONDS):
        while b"elicitation/create" not in await server.stdout.readline():
            pass
        server.stdin.close()
        assert await server.wait() == 0
    (ask,) = person.store.asks.list(AskState.PENDING)
    await person.answer(ask, Answer("allow"))
    done = await person.idle(ask.task)
    assert (done.result, done.problem) == ("Done.", "")


async def test_a_silent_task_is_not_waited_for_and_goes_on(person: Person) -> None:
    old = {"MCP_CLAUDE_INACTIVITY_TIMEOUT_SECONDS": "2"}
    async with talking(person.repository, {**person.world.environ, **old}) as client:
        silent = await call(
            client,
            "execute_claude",
            prompt=scripted("say I begin.", "bash true", "hang"),
            workspace_root=await _place(client, "silent"),
        )
        assert (silent["over"], silent["state"]) == (False, "running")
        assert "has said nothing for long" in silent["note"]
        assert not (await call(client, "get_task", task_id="silent"))["over"]


async def test_a_turn_that_takes_too_long_is_interrupted(person: Person) -> None:
    limit = {"CTUI_MCP_MAX_EXECUTION_SECONDS": "2"}
    async with talking(person.repository, {**person.world.environ, **limit}) as client:
        busy = await call(
            client,
            "execute_claude",
            prompt=scripted("slow 100 4", "flood 100000"),
            workspace_root=await _place(client, "busy"),
        )
        assert "max_execution_seconds" in busy["note"]
        halted = await call(client, "get_task", task_id="busy", wait_seconds=40)
        assert halted["task"]["problem"] == "the turn was interrupted"


async def test_places_that_are_none(person: Person, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    async with talking(person.repository, person.world.environ) as client:
        for path, reason in (
            (str(outside), "is not in a git repository"),
            (f"{person.repository}/../outside", "leads upwards"),
            ("../outside", "leads upwards"),
            (str(tmp_path / "nothing"), "there is no folder"),
            ("\0", "there is no folder"),
            (str(person.repository), "cannot be used as root"),
        ):
            text = await refusal(client, "execute_claude", prompt="Hi", workspace_root=path)
            assert reason in text, path
        assert (await call(client, "list_tasks"))["tasks"] == []


async def _first_ask(person: Person) -> Any:
    async with asyncio.timeout(WAIT_SECONDS):
        async for update in person.client.watch():
            if update.ask is not None and update.ask.state is AskState.PENDING:
                return update.ask
    raise AssertionError("the watch ended")


def _initialize(capabilities: dict[str, Any]) -> dict[str, Any]:
    given = {
        "protocolVersion": "2025-11-25",
        "capabilities": capabilities,
        "clientInfo": {"name": "test", "version": "1"},
    }
    return _request(1, "initialize", given)


def _request(number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
