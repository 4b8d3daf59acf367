"""`ctui worktree review`, `comment` and `comments`, as people and programs use them."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tasks.database.worktree_index import WorktreeIndex
from ctui.tasks.model import Task
from ctui.tasks.snapshots import end_of_turn, snapshots_of
from ctui.tasks.store import Store
from ctui.worktrees.snapshots.take import FILE_LIMIT, take
from tests.cli.commands import ctui, refused
from tests.conftest import git

APP = "".join(f"line {number}\n" for number in range(1, 41))
HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m"


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody whose name git knows, and whose worktrees belong to another uid if it is root."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.org\n[safe]\n\tdirectory = *\n"
    )
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture
def worktree(repository: Path, person: None) -> Path:  # noqa: ARG001 - git needs a name
    """A worktree whose branch changes one line of a file, and adds another file."""
    (repository / "app.py").write_text(APP)
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "App")
    path = Path(ctui(repository, "worktree", "create", "work").stdout.strip())
    (path / "app.py").write_text(APP.replace("line 20\n", "line twenty\nand more\n"))
    (path / "new.py").write_text("x = 1\n")
    commit(path, "Twenty")
    return path


def commit(path: Path, subject: str) -> str:
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", subject)
    return git(path, "rev-parse", "HEAD")


def said(repository: Path, *arguments: str) -> Any:
    return json.loads(ctui(repository, "worktree", *arguments, "--json").stdout)


def test_a_review_has_files_hunks_and_comments(worktree: Path, repository: Path) -> None:
    assert worktree.is_dir()
    thread = said(repository, "comment", "work", "app.py:20-21", "Why not 20?")
    assert thread["quote"] == ["line twenty", "and more"]
    found = said(repository, "review", "work")
    assert (found["scope"], found["title"]) == ("branch", "all of ctui/work against main")
    app, new = found["files"]
    assert (app["path"], app["added"], app["removed"]) == ("app.py", 2, 1)
    assert (new["path"], new["status"]) == ("new.py", "added")
    assert app["hunks"][0]["lines"][3:6] == ["-line 20", "+line twenty", "+and more"]
    assert found["threads"] == [thread]
    text = ctui(repository, "worktree", "review", "work").stdout
    assert "+and more\n#1 line 20\n#   you (0 s, not sent): Why not 20?\n line 21\n" in text
    assert text.startswith("--- app.py\n+++ app.py\n@@ -17,7 +17,8 @@")


def test_the_text_without_comments_is_a_patch(worktree: Path, repository: Path) -> None:
    text = ctui(repository, "worktree", "review", "work").stdout
    patch = worktree.parent / "patch"
    patch.write_text(text)
    git(repository, "apply", "-p0", str(patch))
    assert (repository / "app.py").read_text() == (worktree / "app.py").read_text()
    assert (repository / "new.py").read_text() == "x = 1\n"


def test_a_scope_shows_less(worktree: Path, repository: Path) -> None:
    (worktree / "new.py").write_text("x = 2\n")
    last = commit(worktree, "Two")
    assert (
        ctui(repository, "worktree", "review", "work", "--stat").stdout
        == "app.py  +2 -1\nnew.py  +1\n"
    )
    scope = ("--scope", f"commit:{last[:10]}")
    found = said(repository, "review", "work", *scope)
    assert [file["path"] for file in found["files"]] == ["new.py"]
    assert found["title"].startswith(f"{last[:10]} Two  (")
    assert (
        "nothing differs"
        in ctui(repository, "worktree", "review", "work", "--scope", "uncommitted").stderr
    )
    (worktree / "late").write_text("x")
    (worktree / "large").write_bytes(b"x" * (FILE_LIMIT + 1))
    for wanted in ("uncommitted", "branch"):
        found = said(repository, "review", "work", "--scope", wanted)
        assert "late" in [file["path"] for file in found["files"]]
        assert found["left_out"] == 1
    done = ctui(repository, "worktree", "review", "work")
    assert "1 path is left out: too large, or not a file" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("review", "work", "--scope", "all"), "nothing that can be reviewed"),
        (("review", "work", "--scope", "commit:abcdef0123"), "no commit"),
        (("review", "work", "--scope", "looked"), "nobody has looked"),
        (("review", "work", "--scope", "turn:1"), "no task has worked"),
        (("review", "other"), "no worktree"),
        (("comment", "work", "app.py", "x"), "names no line"),
        (("comment", "work", "app.py:99", "x"), "has 41 lines"),
        (("comment", "work", "app.py:3-2", "x"), "has 41 lines"),
        (("comment", "work", "../app.py:1", "x"), "outside"),
        (("comment", "work", "gone.py:1", "x"), "no file of work"),
        (("comment", "work", "app.py:1", " "), "empty"),
        (("comments", "work", "--resolve", "7"), "no comment 7"),
        (("comments", "work", "--send"), "no new comment"),
    ],
)
def test_what_is_wrong_is_one_line(
    worktree: Path,  # noqa: ARG001 - it is what they name
    repository: Path,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    assert words in refused(repository, "worktree", *arguments)


def test_what_somebody_looked_at_may_be_gone(
    worktree: Path, repository: Path, paths: Paths
) -> None:
    """A task has snapshots of its own, and old ones are deleted."""
    index = WorktreeIndex(paths.database)
    index.read_marks.set_looked(str(worktree), "1" * 40, time.time_ns())
    index.close()
    line = refused(repository, "worktree", "review", "work", "--scope", "looked")
    assert "what ctui/work had when you last looked is not kept any more" in line


async def test_a_turn_whose_beginning_is_not_kept_is_not_compared_with_nothing(
    worktree: Path, repository: Path, paths: Paths
) -> None:
    opened = open_repository(repository)
    task = Task(
        id="one",
        repository=str(opened.common_dir),
        worktree=str(worktree),
        metadata=git(worktree, "rev-parse", "--absolute-git-dir"),
        branch=None,
        base=None,
        session="s",
        prompt="p",
    )
    store = Store(paths.database)
    store.tasks.add(task)
    store.close()
    await take(snapshots_of(paths, opened, task), end_of_turn(1))
    line = refused(repository, "worktree", "review", "work", "--scope", "turn:1")
    assert "what turn 1 of one began with is not kept" in line


def test_comments_without_a_task_are_kept(worktree: Path, repository: Path) -> None:
    assert worktree.is_dir()
    ctui(repository, "worktree", "comment", "work", "new.py:1", "Two!")
    line = refused(repository, "worktree", "comments", "work", "--send")
    assert "nobody is there to be told; the comments are kept" in line
    (thread,) = said(repository, "comments", "work")
    assert thread["remarks"][0]["sent"] is None
    ctui(repository, "worktree", "comments", "work", "--withdraw", "1")
    assert said(repository, "comments", "work") == []


def test_a_comment_follows_its_lines_until_they_are_gone(
    worktree: Path, repository: Path, paths: Paths
) -> None:
    """Also when the file gets another name; and another worktree of the name begins without."""
    ctui(repository, "worktree", "comment", "work", "app.py:20", "Why?")
    text = (worktree / "app.py").read_text()
    (worktree / "app.py").unlink()
    (worktree / "main.py").write_text("first\n" + text)
    commit(worktree, "Move")
    (thread,) = said(repository, "comments", "work")
    assert (thread["path"], thread["state"], thread["now"]) == ("main.py", "moved", 21)
    (worktree / "main.py").write_text(text.replace("line twenty", "line 20"))
    commit(worktree, "Back")
    (thread,) = said(repository, "comments", "work")
    assert thread["state"] == "gone"
    shown = ctui(repository, "worktree", "review", "work").stdout
    assert "#1 line 20, its lines are gone\n#   > line twenty\n" in shown
    ctui(repository, "worktree", "comments", "work", "--resolve", "1")
    assert said(repository, "comments", "work")[0]["resolved"] is True
    ctui(repository, "worktree", "remove", "--force", "work")
    git(repository, "branch", "-D", "ctui/work")
    ctui(repository, "worktree", "create", "work")
    assert said(repository, "comments", "work") == []
    index = WorktreeIndex(paths.database)
    assert len(index.threads.of(str(worktree))) == 1
    index.close()


def test_nothing_of_a_branch_reaches_the_terminal_as_more_than_text(
    worktree: Path, repository: Path, paths: Paths
) -> None:
    name = f"a{HOSTILE}b"
    (worktree / name).write_text(f"{HOSTILE}\nend\n")
    git(worktree, "add", "-A")
    git(worktree, "-c", f"user.name=A{HOSTILE}", "commit", "-q", "-m", f"S{HOSTILE}")
    last = git(worktree, "rev-parse", "HEAD")
    ctui(repository, "worktree", "comment", "work", f"{name}:1", f"C{HOSTILE}")
    index = WorktreeIndex(paths.database)
    (thread,) = index.threads.of(str(worktree))
    index.threads.mark_sent([one.id for one in thread.unsent], "t", 1)
    index.threads.answer(thread.id, str(worktree), f"t{HOSTILE}", f"A{HOSTILE}", 2)
    index.close()
    for arguments in (
        ("review", "work"),
        ("review", "work", "--stat"),
        ("review", "work", "--json"),
        ("review", "work", "--scope", f"commit:{last}"),
        ("comments", "work"),
        ("comments", "work", "--json"),
    ):
        done = ctui(repository, "worktree", *arguments)
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", done.stdout + done.stderr
        )


@pytest.mark.parametrize(
    ("editor", "given"),
    [("vim", ["+3", "FILE"]), ("hx", ["FILE:3"]), ("code", ["-g", "FILE:3"]), ("other", ["FILE"])],
)
def test_an_editor_opens_at_the_line(
    worktree: Path, repository: Path, tmp_path: Path, editor: str, given: list[str]
) -> None:
    program = tmp_path / editor
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.given"\n')
    program.chmod(0o755)
    ctui(repository, "worktree", "open", "work", "--at", "app.py:3", EDITOR=str(program))
    wanted = [word.replace("FILE", str(worktree / "app.py")) for word in given]
    assert Path(f"{program}.given").read_text().splitlines() == wanted


def test_no_link_of_a_task_leads_the_editor_elsewhere(worktree: Path, repository: Path) -> None:
    (worktree / "link").symlink_to("/etc/passwd")
    (worktree / "folder").symlink_to("/etc")
    for name in ("link", "folder/passwd", "../x", "/etc/passwd"):
        line = refused(
            repository, "worktree", "open", "work", "--at", f"{name}:1", EDITOR="/bin/false"
        )
        assert "a link leads to it" in line or "no path in the worktree" in line
    assert "is not in the worktree" in refused(
        repository, "worktree", "open", "work", "--at", "gone:1", EDITOR="/bin/false"
    )
