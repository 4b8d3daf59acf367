"""An environment that should be built again is said in the lists, with what to do."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from ctui.environments.freshness import note
from ctui.environments.records import Environment, Records
from ctui.paths import Paths
from ctui.tasks.model import Task, TaskOptions, TaskState
from ctui.tasks.store import Store
from tests.cli.commands import ctui
from tests.environments.test_choice import put
from tests.environments.test_consent import TABLE, as_built

READY = Environment(
    id="0123456789abcdef",
    repository="/r/.git",
    source="repository",
    file=".ctui.toml",
    commit="c",
    state="ready",
    made_with="ctui:1",
    bases={"debian:bookworm": "sha256:a"},
)


@pytest.mark.parametrize(
    ("record", "made_with", "base", "of_head", "said"),
    [
        (READY, "ctui:1", "sha256:a", True, ""),
        (READY, "ctui:1", None, True, ""),  # it is gone from the engine: nothing is newer
        (READY, "ctui:1", "sha256:b", True, "its base debian:bookworm moved on"),
        (READY, "ctui:2", "sha256:b", True, "old, of another ctui"),
        (READY, "ctui:2", "sha256:b", False, "stale, HEAD has another"),
        (msgspec.structs.replace(READY, state="failed"), "ctui:2", None, False, ""),
    ],
)
def test_the_most_pressing_reason_is_said(
    record: Environment, made_with: str, base: str | None, of_head: bool, said: str
) -> None:
    """Part 2: a base that moved on, a stale environment; each names the command that mends it."""
    found = note(record, made_with, {"debian:bookworm": base}, of_head=of_head)
    assert found.startswith(said)
    assert bool(said) == bool(found)
    assert not found or "ctui env build" in found


def test_the_list_of_environments_says_it(paths: Paths, repository: Path) -> None:
    put(repository, TABLE)
    made = as_built(paths, repository)
    [row] = json.loads(ctui(repository, "env", "list", "--json").stdout)
    assert (row["state"], row["note"]) == ("ready", "")
    Records(paths).save(msgspec.structs.replace(made, made_with="ctui:before"))
    assert "old, of another ctui" in ctui(repository, "env", "list").stdout
    put(repository, {**TABLE, "package-lock.json": "{}\n"})
    [row] = json.loads(ctui(repository, "env", "list", "--json").stdout)
    assert row["state"] == "stale"
    assert row["note"].startswith("stale, HEAD has another: ctui env build")


def test_the_list_of_tasks_says_it_of_those_that_cannot_go_on(
    paths: Paths, repository: Path
) -> None:
    put(repository, TABLE)
    made = as_built(paths, repository)
    paths.state.mkdir(parents=True, exist_ok=True)
    with closing(Store(paths.database)) as store:
        for name, environment in (("one", made.id), ("gone", "f" * 16), ("plain", "")):
            store.tasks.add(
                Task(
                    id=name,
                    repository=made.repository,
                    worktree=f"/w/{name}",
                    metadata=None,
                    branch=None,
                    base="a" * 40,
                    session="s",
                    prompt="p",
                    options=TaskOptions(environment=environment),
                    state=TaskState.ENDED,
                )
            )
    said = ctui(repository, "task", "list").stdout.splitlines()
    assert any("gone" in line and "ctui env build --base aaaaaaaaaaaa" in line for line in said)
    assert sum("env build" in line for line in said) == 1
    Records(paths).save(msgspec.structs.replace(made, made_with="ctui:before"))
    assert ctui(repository, "task", "list").stdout.count("ctui env build --base") == 2
