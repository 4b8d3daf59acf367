"""The long forms, run by `make soak`."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import is_partial
from ctui.claude.transcript.transcript import Transcript
from ctui.demo.world import leftovers
from ctui.sandbox.docker.stream import follow_log
from ctui.tasks import calls
from ctui.tasks.journal.archive import Entry
from ctui.tasks.model import AskState
from tests.claude.fold import contents
from tests.tasks.conftest import Person
from tests.tasks.kill_schedule import KILLS, TASKS, KillSchedule
from tests.tasks.private_engine import PrivateEngine, needs_engine_of_its_own

pytestmark = [pytest.mark.engine, pytest.mark.soak]


@pytest.mark.parametrize("number", range(20))
def test_the_demo_sees_every_step_every_time(number: int) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ctui", "demo", "--headless"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"round {number}: {done.stdout}{done.stderr}"


@needs_engine_of_its_own
async def test_forty_kills_lose_nothing(
    engine: PrivateEngine, person_apart: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every ask is answered once, every word heard once, every line kept once, and nothing left."""
    seed = int(os.environ.get("CTUI_SOAK_SEED") or secrets.randbelow(1 << 32))
    with capsys.disabled():
        print(f"\nkill schedule: CTUI_SOAK_SEED={seed}", flush=True)  # noqa: T201 - to run it again
    person = person_apart
    schedule = KillSchedule(person, engine, seed)
    await schedule.run()
    assert schedule.killed == Counter(KILLS)
    figures: Counter[str] = Counter()
    for name in TASKS:
        figures += _check_asks(person, name)
        figures += _check_words(person, schedule, name)
        await _check_journal(person, schedule, name)
    figures["asks"] = sum(figures[f"ask {state}"] for state in AskState)
    with capsys.disabled():
        print(f"{dict(schedule.killed)} {dict(schedule.answered)} {dict(figures)}")  # noqa: T201
    for name in TASKS:
        await person.client.call(calls.RemoveTask(name, purge=True, force=True))
    left = await leftovers(person.world.engine, person.world.paths)
    assert not [one for one in left if any(name in one for name in TASKS)]


def _lines(person: Person, name: str, run: int) -> list[dict[str, Any]]:
    """Return what the CLI wrote in a run."""
    entries = person.journal(name)
    return [json.loads(one.line) for one in entries if (one.run, one.stream) == (run, "out")]


def _check_asks(person: Person, name: str) -> Counter[str]:
    """Each ask that was delivered has one receipt and, where its run went on, one tool result."""
    found: Counter[str] = Counter()
    runs = person.store.runs.of(name)
    for run in runs:
        lines = _lines(person, name, run.number)
        calls_of = {
            line["request_id"]: line["request"].get("tool_use_id")
            for line in lines
            if line["type"] == "control_request"
        }
        results = Counter(
            block["tool_use_id"]
            for line in lines
            if line["type"] == "user" and isinstance(line["message"]["content"], list)
            for block in line["message"]["content"]
            if block["type"] == "tool_result"
        )
        receipts = Counter(
            line["response"]["request_id"] for line in lines if line["type"] == "control_response"
        )
        for ask in person.store.asks.list(*AskState, task=name):
            if ask.run != run.number:
                continue
            found[f"ask {ask.state}"] += 1
            assert ask.state not in {AskState.PENDING, AskState.ANSWERED}, ask
            if ask.state is AskState.DELIVERED:
                assert receipts[ask.request] == 1, ask
                count = results[calls_of[ask.request]]
                assert count == 1 or (count == 0 and run is not runs[-1]), ask
    return found


def _check_words(person: Person, schedule: KillSchedule, name: str) -> Counter[str]:
    """Each message was delivered, and its turn was had once for each time that it was told."""
    messages = person.store.messages.of(name)
    assert all(message.delivered is not None for message in messages)
    said = Counter(
        block["text"].strip()
        for event in person.events(name)
        if event["type"] == "assistant"
        for block in event["message"]["content"]
        if block["type"] == "text"
    )
    for word in schedule.sent[name]:
        heard = sum(count for text, count in said.items() if f"Heard {word}." in text)
        told = sum(word in message.text for message in messages)
        assert 1 <= heard <= told, (name, word, heard, told)
        assert told == 1 or name in schedule.hurt, (name, word)
    return Counter({"words": len(schedule.sent[name]), "runs": len(person.store.runs.of(name))})


async def _check_journal(person: Person, schedule: KillSchedule, name: str) -> None:
    """The archive is the engine's log, and the transcript that was seen live is its replay."""
    entries = person.journal(name)
    run = person.store.runs.of(name)[-1]
    log = [
        line
        async for batch in follow_log(person.world.engine.endpoint, run.container, follow=False)
        for line in batch
    ]
    for stream in ("out", "err"):
        whole = [
            line.data.decode()
            for line in log
            if line.stream == stream and (stream == "err" or not is_partial(line.data))
        ]
        assert _kept(entries, run.number, stream) == whole, (name, stream)
    replay = Transcript()
    for entry in entries:
        replay.feed(decode(entry.line, entry.stream), run=entry.run, time=entry.t)
    assert contents(replay.blocks) == contents(schedule.live[name].blocks), name


def _kept(entries: list[Entry], run: int, stream: str) -> list[str]:
    return [one.line for one in entries if (one.run, one.stream) == (run, stream)]
