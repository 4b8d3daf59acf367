"""A home of ctui 0.1 (tests/fixtures/home-0.1), taken over by this version."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import tarfile
from pathlib import Path

import pytest

from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tasks.model import AskState, TaskState
from ctui.tasks.store import Store
from ctui.tasks.trust import is_trusted
from ctui.worktrees.owner import give_to_tasks
from tests.tasks.conftest import Person
from tests.warm import warm_argv

FIXTURE = Path(__file__).parents[1] / "fixtures" / "home-0.1"
ROOT = "@ROOT@"
_IDENTITY = re.compile(r'("path": ?"([^"]+)"[^{}]*?"device": ?)\d+(, ?"inode": ?)\d+')
_BINARY = re.compile(r"objects/[0-9a-f]{2}/|/index$")


def put_home(root: Path, database: Path) -> None:
    """Unpack the fixture below a folder, as if it had always been there."""
    place = str(root)
    with tarfile.open(FIXTURE / "home.tar.gz") as archive:
        archive.extractall(root, filter="data")
    for file in root.rglob("*"):
        if file.is_file() and not file.is_symlink() and not _BINARY.search(str(file)):
            content = file.read_bytes()
            if ROOT.encode() in content:
                mode = file.stat().st_mode
                file.chmod(0o600)
                file.write_bytes(content.replace(ROOT.encode(), place.encode()))
                file.chmod(mode)
    for folder in (root / "home").iterdir():
        folder.chmod(0o700)
    for worktree in (root / "home/data/worktrees").glob("*/*"):
        give_to_tasks(worktree)
    for record in (root / "repository/.git/ctui-trash").glob("*.json"):
        _put_identity(record)
    text = (FIXTURE / "store.sql").read_text().replace(ROOT, place)
    with sqlite3.connect(database) as made:
        made.executescript(_IDENTITY.sub(_own_identity, text))
    made.close()
    database.chmod(0o600)


def _own_identity(found: re.Match[str]) -> str:
    path = Path(found[2])
    if not path.exists():
        return found[0]
    status = path.lstat()
    return f"{found[1]}{status.st_dev}{found[3]}{status.st_ino}"


def _put_identity(file: Path) -> None:
    """Let a record of the trash know what was unpacked by its new inodes."""
    record = json.loads(file.read_text())
    for part in record["moved"]:
        part["inode"] = Path(part["target"]).lstat().st_ino
    status = Path(record["entry"]["place"]).lstat()
    record["entry"]["record"].update(device=status.st_dev, inode=status.st_ino)
    file.write_text(json.dumps(record))


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """The paths of a home that 0.1 made."""
    root = tmp_path / "old"
    monkeypatch.setenv("CTUI_HOME", str(root / "home"))
    paths = Paths.from_environment()
    root.mkdir()
    (root / "home/state").mkdir(parents=True)
    put_home(root, paths.database)
    return paths


def ctui(paths: Paths, *arguments: str) -> tuple[int, str]:
    """Run the command in the old repository."""
    done = subprocess.run(
        [*warm_argv(), *arguments],
        cwd=paths.config.parent.parent / "repository",
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_tasks_asks_and_settings_are_taken_over(old: Paths) -> None:
    """Upgrade: what was listed is listed, in its state, with its figures."""
    code, said = ctui(old, "task", "list", "--json")
    assert code == 0, said
    listed = {item["task"]["id"]: item["task"] for item in json.loads(said)}
    assert set(listed) == {"asleep", "ended"}
    assert listed["asleep"]["state"] == "idle"
    assert listed["asleep"]["work"]["branch"] == "advanced"
    assert (listed["ended"]["state"], listed["ended"]["reason"]) == ("ended", "stopped")
    code, said = ctui(old, "task", "show", "asleep")
    assert code == 0, said
    code, said = ctui(old, "task", "logs", "asleep")
    assert (code, "Done." in said) == (0, True), said
    code, said = ctui(old, "config", "show")
    assert code == 0, said
    assert re.search(r"max_running\W+3\b", said)
    store = Store(old.database)
    (ask,) = store.asks.list(AskState.DELIVERED)
    assert (ask.task, ask.tool) == ("asleep", "Bash")
    assert store.damaged() == []
    store.close()


def test_grants_trust_and_trash_are_taken_over(old: Paths) -> None:
    """Upgrade: a grant counts, trust of 0.1 is shown as old, a removed worktree comes back."""
    code, said = ctui(old, "config", "grants")
    assert (code, "git commit" in said) == (0, True), said
    code, said = ctui(old, "config", "trust")
    assert (code, "of before 0.2" in said) == (0, True), said
    code, said = ctui(old, "worktree", "trash", "--json")
    assert code == 0, said
    (entry,) = json.loads(said)
    code, said = ctui(old, "worktree", "restore", entry["id"])
    assert code == 0, said
    (worktree,) = (old.worktrees).glob("*/gone")
    assert (worktree / "b").read_text() == "b\n"
    code, said = ctui(old, "worktree", "list")
    assert (code, "gone" in said) == (0, True), said


async def test_trust_of_an_older_version_does_not_count(old: Paths) -> None:
    """Upgrade: it was bound to no content."""
    store = Store(old.database)
    repository = open_repository(old.config.parent.parent / "repository")
    (trust,) = store.trust.list()
    assert (trust.repository, trust.digest) == (str(repository.common_dir), "")
    for task in store.tasks.list():
        assert not await is_trusted(store, repository, task)
    store.close()


def test_a_downgrade_says_one_line(old: Paths) -> None:
    """Downgrade: a store of a newer version is left as it is."""
    with sqlite3.connect(old.database) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    before = old.database.read_bytes()
    for command in (("task", "list"), ("run", "--detach", "go"), ("task", "stop", "asleep")):
        code, said = ctui(old, *command)
        assert code == 1, said
        assert len(said.strip().splitlines()) == 1, said
        assert "newer ctui" in said
    assert old.database.read_bytes() == before
    assert not list(old.worktrees.glob("*/go"))


@pytest.mark.engine
async def test_what_slept_and_what_ended_goes_on(person: Person) -> None:
    """Upgrade: a message wakes a task of 0.1, in a new run of the same conversation."""
    paths, root = person.world.paths, person.world.folder
    mine = paths.config_file.read_text()
    shutil.rmtree(root / "home")
    paths.database.parent.mkdir(parents=True)
    put_home(root, paths.database)
    settings = paths.config_file.read_text().partition("[tasks]")
    paths.config_file.write_text(mine + "".join(settings[1:]))
    session = person.store.tasks.get("asleep").session
    for name in ("asleep", "ended"):
        await person.say(name, "say Woken.")
        task = await person.until(
            name, lambda now: now.state is TaskState.IDLE and now.result == "Woken."
        )
        assert [run.number for run in person.store.runs.of(name)] == [1, 2], task
    assert person.store.tasks.get("asleep").session == session
