"""Trust in a repository's own Claude settings: for one task, or for good and then for a content."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ctui.client.tasks.trust import trust_note
from ctui.errors import NotFound, Refused
from ctui.git.repository.repository import Repository, open_repository
from ctui.paths import Paths
from ctui.tasks import trust
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.store import Store
from ctui.tasks.trust import is_trusted, settings_at, trust_state
from tests.cli.commands import ctui, refused
from tests.conftest import git
from tests.tasks.conftest import Person


def commit(folder: Path, name: str, content: str) -> str:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", f"Change {name}")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def configured(repository: Path) -> Repository:
    commit(repository, ".claude/settings.json", '{"permissions": {"allow": ["Bash"]}}')
    return open_repository(repository)


def task(repository: Repository, base: str, *, trusted: bool = False) -> Task:
    return Task(
        id="one",
        repository=str(repository.common_dir),
        worktree="/w",
        metadata=None,
        branch=None,
        base=base,
        session="s",
        prompt="p",
        options=TaskOptions(trusted=trusted),
    )


def test_trust_for_one_task_is_nobody_elses(configured: Repository) -> None:
    """T13: `--trust` leaves nothing behind that a later run would find."""
    store = Store(":memory:")
    base = settings_head(configured)
    assert asyncio.run(is_trusted(store, configured, task(configured, base, trusted=True)))
    assert not asyncio.run(is_trusted(store, configured, task(configured, base)))
    assert store.trust.list() == []
    store.close()


def settings_head(repository: Repository) -> str:
    return repository.resolve("HEAD")


@pytest.mark.parametrize(
    "name",
    [
        ".claude/settings.json",
        ".claude/settings.local.json",
        ".claude/hooks/check.sh",
        ".claude/agents/reviewer.md",
        ".claude/skills/deep/er/SKILL.md",
        ".mcp.json",
        "packages/one/.claude/settings.json",
        "packages/one/.mcp.json",
    ],
)
def test_any_change_of_what_it_covers_ends_it(
    configured: Repository, paths: Paths, repository: Path, name: str
) -> None:
    """T13: trust for good is bound to the content that the person trusted."""
    paths.state.mkdir(parents=True, mode=0o700)
    store = Store(paths.database)
    common = str(configured.common_dir)
    before = settings_at(configured, "HEAD")
    store.trust.add(common, before.digest, before.words)
    assert trust_state(store, common, before) == "trusted"
    first = settings_head(configured)
    elsewhere = commit(repository, "src/main.py", "print()")
    assert settings_at(configured, elsewhere) == before
    changed = commit(repository, name, '{"hooks": {}}')
    assert trust_state(store, common, settings_at(configured, changed)) == "changed"
    assert not asyncio.run(is_trusted(store, configured, task(configured, changed)))
    # What starts from the commit that was trusted is trusted still.
    assert asyncio.run(is_trusted(store, configured, task(configured, first)))
    assert "ctui config trust --add" in trust_note(paths, configured, task(configured, changed))
    assert trust_note(paths, configured, task(configured, first)) == ""
    store.close()


def test_a_mode_a_name_and_a_link_are_content(configured: Repository, repository: Path) -> None:
    """T13: the same bytes elsewhere, executable, or behind a link are other settings."""
    commit(repository, ".claude/hooks/a.sh", "true\n")
    seen = {settings_at(configured, "HEAD").digest}
    (repository / ".claude/hooks/a.sh").chmod(0o755)
    git(repository, "commit", "-qam", "Make it executable")
    seen.add(settings_at(configured, "HEAD").digest)
    git(repository, "mv", ".claude/hooks/a.sh", ".claude/hooks/b.sh")
    git(repository, "commit", "-qm", "Rename it")
    seen.add(settings_at(configured, "HEAD").digest)
    git(repository, "rm", "-q", ".claude/hooks/b.sh")
    (repository / ".claude/hooks").mkdir(parents=True, exist_ok=True)
    (repository / ".claude/hooks/b.sh").symlink_to("true\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "Link it")
    seen.add(settings_at(configured, "HEAD").digest)
    assert len(seen) == 4


def test_without_settings_there_is_nothing_to_trust(repository: Path) -> None:
    found = open_repository(repository)
    settings = settings_at(found, "HEAD")
    assert (settings.files, settings.digest) == ((), "")
    store = Store(":memory:")
    store.trust.add(str(found.common_dir), "", "")
    assert not store.trust.covers(str(found.common_dir), "")
    assert trust_state(store, str(found.common_dir), settings) == "nothing"
    store.close()


def test_settings_without_an_end_are_not_read(
    configured: Repository, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T13: a repository decides on no memory and no time of ours."""
    monkeypatch.setattr(trust, "_BYTES_LIMIT", 1000)
    head = commit(repository, ".claude/large", "x" * 2000)
    with pytest.raises(Refused, match="too large"):
        settings_at(configured, "HEAD")
    store = Store(":memory:")
    store.trust.add(str(configured.common_dir), "d", "w")
    assert not asyncio.run(is_trusted(store, configured, task(configured, head)))
    store.close()
    with pytest.raises(NotFound):
        settings_at(configured, "nowhere")


def test_trust_is_listed_dated_and_revoked(repository: Path, paths: Paths) -> None:
    """T13: the person sees what they trusted, since when, and takes it back."""
    assert "has no Claude settings" in refused(repository, "config", "trust", "--add")
    commit(repository, ".claude/settings.json", "{}")
    done = ctui(repository, "config", "trust", "--add").stdout
    assert done == "trusted 1: .claude/settings.json\n"
    assert "counts" in ctui(repository, "config", "trust").stdout
    commit(repository, ".claude/settings.json", "{ }")
    [listed] = json.loads(ctui(repository, "config", "trust", "--repo", ".", "--json").stdout)
    assert listed["state"] == "changed"
    assert listed["created"] > 0
    assert "does not count" in ctui(repository, "config", "trust").stdout
    line = refused(repository, "config", "trust", "--revoke", "9")
    assert "there is no trust 9 (`ctui config trust` shows what is trusted)" in line
    refused(repository, "config", "trust", "--add", "--revoke", "1")
    assert "revoked 1" in ctui(repository, "config", "trust", "--revoke", "1").stdout
    assert json.loads(ctui(repository, "config", "trust", "--json").stdout) == []
    with closing(Store(paths.database)) as store:
        store.trust.add(str(repository / ".git"), "", "")
        store.trust.add("/gone/.git", "d", "w")
    said = ctui(repository, "config", "trust").stdout
    assert "not bound to content" in said
    assert "cannot be read" in said
    ctui(repository, "config", "trust", "--revoke-all")
    none = ctui(repository, "config", "trust", "--revoke-all").stdout
    assert none == "nothing to revoke\n"
    assert msgspec.json.decode(ctui(repository, "config", "trust", "--json").stdout) == []


@pytest.mark.engine
async def test_what_a_run_reads_is_decided_for_each_task(person: Person) -> None:
    """T13: `--trust` once, then a task without it, then trust for good."""
    commit(person.repository, ".claude/settings.json", "{}")
    store = person.store
    found = open_repository(person.repository)

    async def sources(name: str, **options: bool) -> str:
        await person.start(name, "say Done.", **options)
        await person.idle(name)
        [run] = store.runs.of(name)
        details: dict[str, Any] = await person.world.engine.ask(
            lambda client: client.inspect_container(run.container)
        )
        [given] = [a for a in details["Config"]["Cmd"] if a.startswith("--setting-sources=")]
        return str(given).partition("=")[2]

    assert await sources("once", trusted=True) == "project"
    assert await sources("after") == ""
    settings = settings_at(found, "HEAD")
    store.trust.add(str(found.common_dir), settings.digest, settings.words)
    assert await sources("good") == "project"
    commit(person.repository, ".claude/settings.json", '{"hooks": {}}')
    assert await sources("changed") == ""
    store.close()
