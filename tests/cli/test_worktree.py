"""`ctui worktree` as people script with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_bad_input import ctui, refused
from tests.conftest import git

KEYS = {
    "name",
    "path",
    "branch",
    "head",
    "base",
    "status",
    "verdict",
    "evidence",
    "changes",
    "upstream",
    "ahead",
    "behind",
    "added",
    "removed",
    "conflict",
    "active",
    "state",
    "locked",
    "problem",
    "task",
}


def said(folder: Path, *arguments: str, code: int = 0, **environ: str) -> Any:
    done = ctui(folder, *arguments, "--json", **environ)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def made(repository: Path, name: str, *, commits: int = 0) -> Path:
    path = Path(said(repository, "worktree", "create", name)["path"])
    for number in range(commits):
        (path / f"{name}-{number}").write_text("work\n")
        git(path, "add", ".")
        git(path, "commit", "-q", "-m", f"{name} {number}")
    return path


def listed(repository: Path) -> dict[str, Any]:
    return {item["name"]: item for item in said(repository, "worktree", "list")["worktrees"]}


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody whose name git knows, and whose worktrees belong to another uid if it is root."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.org\n[safe]\n\tdirectory = *\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))


def test_a_list_has_the_documented_shape(repository: Path) -> None:
    made(repository, "empty")
    path = made(repository, "squashed", commits=2)
    (path / "new").write_text("x")
    git(repository, "merge", "-q", "--squash", "ctui/squashed")
    git(repository, "commit", "-q", "-m", "All of it")
    found = said(repository, "worktree", "list")
    assert found["repository"] == str(repository / ".git")
    assert found["target"] == {
        "ref": "refs/heads/main",
        "commit": git(repository, "rev-parse", "HEAD"),
    }
    empty, squashed = found["worktrees"]
    assert set(empty) == set(squashed) == KEYS
    assert (empty["status"], empty["verdict"]["kind"]) == ("clean", "no-commits")
    assert squashed["status"] == "unclean"
    assert squashed["verdict"]["kind"] == "merged"
    assert "(squash)" in squashed["verdict"]["evidence"]
    assert squashed["verdict"]["commit"] == found["target"]["commit"]
    assert squashed["changes"]["untracked"] == 1


def test_clean_takes_what_is_safe_and_restore_brings_it_back(repository: Path) -> None:
    merged, open_ = made(repository, "merged", commits=1), made(repository, "open", commits=1)
    git(repository, "merge", "-q", "ctui/merged")
    evidence = listed(repository)["merged"]["evidence"]
    assert git(repository, "rev-parse", "--short=7", "ctui/merged") in evidence
    assert said(repository, "worktree", "clean", "--dry-run") == {
        "removed": [{"name": "merged", "trash_id": None, "evidence": evidence}],
        "refused": [],
        "kept": [],
    }
    assert merged.is_dir()
    done = said(repository, "worktree", "clean")
    (removed,) = done["removed"]
    assert removed["name"] == "merged"
    assert not merged.exists()
    assert open_.is_dir()
    assert [entry["id"] for entry in said(repository, "worktree", "trash")] == [removed["trash_id"]]
    assert said(repository, "worktree", "restore", removed["trash_id"]) == {
        "restored": [{"name": "merged", "path": str(merged), "branch": "ctui/merged"}],
        "refused": [],
        "notes": [],
    }
    assert listed(repository)["merged"]["status"] == "merged"


def pushed(repository: Path, remote: Path, branch: str) -> None:
    if not remote.exists():
        subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
        git(repository, "remote", "add", "origin", str(remote))
        git(repository, "push", "-q", "origin", "main")
    git(repository, "push", "-q", "--set-upstream", "origin", branch)


def test_what_is_young_or_pushed_but_open_goes_only_when_asked(
    repository: Path, tmp_path: Path
) -> None:
    """S7: `clean` takes what is merged; `--clean` adds the rest."""
    made(repository, "young")
    made(repository, "open", commits=1)
    pushed(repository, tmp_path / "remote.git", "ctui/open")
    done = said(repository, "worktree", "clean", "--dry-run")
    assert (done["removed"], done["refused"]) == ([], [])
    assert {kept["name"]: kept["evidence"] for kept in done["kept"]} == {
        "young": "nothing was committed yet",
        "open": "all of it is on origin/ctui/open",
    }
    assert said(repository, "worktree", "clean", "--merged")["removed"] == []
    line = ctui(repository, "worktree", "clean").stderr
    assert "kept young: nothing was committed yet" in line
    assert "--clean" in line
    done = said(repository, "worktree", "clean", "--clean")
    assert {item["name"] for item in done["removed"]} == {"young", "open"}
    assert done["kept"] == []


def test_what_was_reverted_or_undone_is_clean_and_says_so(repository: Path) -> None:
    """G22: such a worktree is not taken for merged, and its evidence names both commits."""
    for name in ("squashed", "merged", "ours"):
        made(repository, name, commits=2)
    undone = made(repository, "undone", commits=1)
    git(undone, "revert", "--no-edit", "HEAD")
    git(repository, "merge", "-q", "--squash", "ctui/squashed")
    git(repository, "commit", "-q", "-m", "All of it")
    squash = git(repository, "rev-parse", "HEAD")
    git(repository, "revert", "--no-edit", "HEAD")
    revert = git(repository, "rev-parse", "HEAD")
    git(repository, "merge", "-q", "--no-edit", "ctui/merged")
    merge = git(repository, "rev-parse", "HEAD")
    git(repository, "revert", "--no-edit", "-m", "1", "HEAD")
    unmerge = git(repository, "rev-parse", "HEAD")
    git(repository, "merge", "-q", "--no-edit", "-s", "ours", "ctui/ours")
    ours = git(repository, "rev-parse", "HEAD")
    found = listed(repository)
    assert {item["status"] for item in found.values()} == {"clean"}
    assert {name: item["evidence"] for name, item in found.items()} == {
        "squashed": f"merged in {squash[:7]} (squash), reverted in {revert[:7]}",
        "merged": f"merged in {merge[:7]}, reverted in {unmerge[:7]}",
        "ours": f"merged in {ours[:7]} with none of its changes, as by `merge -s ours`",
        "undone": "2 commits not in main, which undo each other",
    }
    assert found["merged"]["verdict"]["reverted"] == unmerge
    assert said(repository, "worktree", "clean")["removed"] == []
    done = said(repository, "worktree", "clean", "--clean")
    assert len(done["removed"]) == 4
    said(repository, "worktree", "restore", *(item["trash_id"] for item in done["removed"]))
    assert {name: item["evidence"] for name, item in listed(repository).items()} == {
        name: item["evidence"] for name, item in found.items()
    }


def test_the_target_is_chosen_and_shown(repository: Path, tmp_path: Path) -> None:
    """G12: `--target` of list and clean, and the setting, which land follows too."""
    path = made(repository, "work", commits=1)
    git(repository, "branch", "develop")
    git(repository, "worktree", "add", "-q", str(tmp_path / "develop"), "develop")
    git(tmp_path / "develop", "merge", "-q", "--no-edit", "ctui/work")
    assert said(repository, "worktree", "clean", "--dry-run")["removed"] == []
    found = said(repository, "worktree", "list", "--target=develop")
    assert found["target"]["ref"] == "refs/heads/develop"
    assert {item["name"]: item["status"] for item in found["worktrees"]}["work"] == "merged"
    header = ctui(repository, "worktree", "list", "--target=develop").stdout.splitlines()[0]
    assert f"against develop at {git(repository, 'rev-parse', '--short=7', 'develop')}" in header
    (removed,) = said(repository, "worktree", "clean", "--target=develop")["removed"]
    assert removed["name"] == "work"
    said(repository, "worktree", "restore", "work")
    assert "'nope' to judge against" in refused(repository, "worktree", "list", "--target=nope")
    setting = {"CTUI_WORKTREES_TARGET": "develop"}
    listed_ = ctui(repository, "worktree", "list", **setting).stdout
    assert "against develop" in listed_.splitlines()[0]
    (path / "more").write_text("more\n")
    git(path, "add", ".")
    git(path, "commit", "-q", "-m", "More")
    landed = ctui(repository, "worktree", "land", "work", "--dry-run", **setting)
    assert "would land 1 commit in develop" in landed.stdout
    elsewhere = ctui(repository, "worktree", "list", CTUI_WORKTREES_TARGET="none-here").stdout
    assert "against main" in elsewhere.splitlines()[0]


def test_a_list_tells_what_landing_would_bring(repository: Path) -> None:
    """Lines against the target, a conflict with it, and the age."""
    for name in ("apart", "against"):
        path = made(repository, name)
        text = "changed\n" if name == "against" else "hello\nworld\nmore\nlines\n"
        (path / "hello.txt").write_text(text)
        git(path, "commit", "-q", "-a", "-m", "Change")
    (repository / "hello.txt").write_text("otherwise\n")
    git(repository, "commit", "-q", "-a", "-m", "Change too")
    git(repository, "revert", "--no-edit", "HEAD")
    (repository / "hello.txt").write_text("hello\nworld!\n")
    git(repository, "commit", "-q", "-a", "-m", "Change again")
    found = listed(repository)
    assert (found["against"]["added"], found["against"]["removed"]) == (1, 2)
    assert (found["apart"]["added"], found["apart"]["removed"]) == (2, 0)
    assert found["against"]["conflict"] is True
    lines = ctui(repository, "worktree", "list").stdout.splitlines()
    assert lines[0].split()[5:8] == ["LINES", "CONFLICT", "AGE"]
    row = next(line for line in lines if line.startswith("against"))
    assert "+1 -2" in row
    assert "conflict" in row
    done = ctui(repository, "worktree", "land", "against", "--dry-run")
    assert "conflicts with main" in done.stderr


def test_what_is_refused_is_said_and_the_rest_is_done(repository: Path) -> None:
    made(repository, "open", commits=1)
    made(repository, "fresh")
    done = said(repository, "worktree", "remove", "open", "fresh", "nothing", code=1)
    assert [item["name"] for item in done["removed"]] == ["fresh"]
    reasons = {item["name"]: item["reason"] for item in done["refused"]}
    assert "1 commit not in main" in reasons["open"]
    assert "no worktree 'nothing'" in reasons["nothing"]
    forced = said(repository, "worktree", "remove", "open", "--force", "--delete-branch")
    assert "ctui/open" not in git(repository, "branch")
    said(repository, "worktree", "restore", forced["removed"][0]["trash_id"])
    assert "ctui/open" in git(repository, "branch")


def test_a_worktree_is_found_by_branch_and_path_also_one_of_plain_git(
    repository: Path, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    git(repository, "worktree", "add", "-q", str(plain), "-b", "topic")
    for name in ("topic", str(plain), "plain"):
        done = ctui(repository, "worktree", "diff", name)
        assert done.returncode == 0, done.stderr
    (removed,) = said(repository, "worktree", "remove", "topic")["removed"]
    assert not plain.exists()
    said(repository, "worktree", "restore", removed["trash_id"])
    assert plain.is_dir()


def test_the_trash_is_purged_on_request_only(repository: Path) -> None:
    made(repository, "fresh")
    said(repository, "worktree", "remove", "fresh")
    assert "--older DAYS" in refused(repository, "worktree", "trash", "--purge")
    assert said(repository, "worktree", "trash", "--purge", "--older=1")["ids"] == []
    assert len(said(repository, "worktree", "trash", "--purge", "--all")["ids"]) == 1
    assert said(repository, "worktree", "trash") == []


def test_it_opens_in_the_program_that_the_person_wants(repository: Path, tmp_path: Path) -> None:
    path = made(repository, "fresh")
    seen = tmp_path / "seen"
    program = tmp_path / "my editor"
    program.write_text(f'#!/bin/sh\necho "$1" > {seen}; exit 3\n')
    program.chmod(0o755)
    done = ctui(repository, "worktree", "open", "fresh", "--command", f"'{program}'")
    assert (done.returncode, seen.read_text()) == (3, f"{path}\n")
    line = refused(repository, "worktree", "open", "fresh", "--command", "no-such-program")
    assert "no-such-program does not start" in line


def test_a_diff_shows_what_was_committed_and_what_was_not(repository: Path) -> None:
    path = made(repository, "work", commits=1)
    (path / "hello.txt").write_text("hello\nmoon\n")
    (path / "untracked\x1b[31m").write_text("")
    shown = ctui(repository, "worktree", "diff", "work").stdout
    assert "+work" in shown
    assert "+moon" in shown
    assert "untracked" in shown
    assert "\x1b" not in shown
    assert "work-0" in ctui(repository, "worktree", "diff", "work", "--stat").stdout


@pytest.mark.usefixtures("person")
def test_a_worktree_is_committed_landed_and_pushed(repository: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    git(repository, "remote", "add", "origin", str(remote))
    path = made(repository, "work", commits=1)
    (path / "late").write_text("x\n")
    assert "uncommitted" in refused(repository, "worktree", "land", "work")
    assert said(repository, "worktree", "commit", "work", "-m", "Late")["files"] == 1
    (path / "later").write_text("x\n")
    told = ctui(repository, "worktree", "commit", "work", "-m", "Later").stdout
    assert told.startswith("committed 1 file as ")
    before = git(repository, "rev-parse", "main")
    assert said(repository, "worktree", "land", "work", "--dry-run")["dry_run"] is True
    assert git(repository, "rev-parse", "main") == before
    landed = said(repository, "worktree", "land", "work", "--method=squash", "--push")
    assert landed["commits"] == 3
    assert (repository / "late").read_text() == "x\n"
    assert git(repository, "status", "--porcelain") == ""
    assert git(remote, "rev-parse", "main") == landed["after"]
    assert listed(repository)["work"]["status"] == "merged"
    assert said(repository, "worktree", "push", "work")["branch"] == "ctui/work"


@pytest.mark.usefixtures("person")
def test_a_conflict_is_listed_and_moves_nothing(repository: Path) -> None:
    path = made(repository, "work")
    for folder, text in ((path, "theirs\n"), (repository, "ours\n")):
        (folder / "hello.txt").write_text(text)
        git(folder, "commit", "-q", "-a", "-m", "Change")
    before = git(repository, "rev-parse", "main")
    done = ctui(repository, "worktree", "land", "work")
    assert done.returncode == 1
    assert "hello.txt" in done.stderr
    line = refused(repository, "worktree", "land", "work", "--tell-task")
    assert "no task worked in work" in line
    assert "it conflicts with main: hello.txt" in line
    dry = ctui(repository, "worktree", "land", "work", "--tell-task", "--dry-run")
    assert dry.returncode == 1
    assert "no task worked" not in dry.stderr
    assert git(repository, "rev-parse", "main") == before
    assert git(repository, "status", "--porcelain") == ""


@pytest.mark.usefixtures("person")
def test_a_worktree_is_updated_from_the_target(repository: Path) -> None:
    """G18: `worktree update`, where no task works."""
    path = made(repository, "work", commits=1)
    assert "has everything of main" in ctui(repository, "worktree", "update", "work").stdout
    (repository / "theirs").write_text("theirs\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Theirs")
    shown = ctui(repository, "worktree", "update", "work", "--dry-run").stdout
    assert "would bring 1 commit of main into ctui/work" in shown
    done = said(repository, "worktree", "update", "work", "--rebase")
    assert (done["method"], done["target"], done["commits"]) == ("rebase", "main", 1)
    assert git(path, "rev-parse", "HEAD~") == git(repository, "rev-parse", "main")
    assert (path / "theirs").read_text() == "theirs\n"
    (path / "late").write_text("late\n")
    git(repository, "commit", "-q", "--allow-empty", "-m", "More")
    assert "uncommitted changes: late" in refused(repository, "worktree", "update", "work")
    assert "is the target itself" in refused(
        repository, "worktree", "update", "work", "--target=ctui/work"
    )


@pytest.mark.usefixtures("person")
def test_an_update_that_conflicts_moves_nothing(repository: Path) -> None:
    """G18: the files are named, and who can resolve them."""
    path = made(repository, "work")
    for folder, text in ((path, "theirs\n"), (repository, "ours\n")):
        (folder / "hello.txt").write_text(text)
        git(folder, "commit", "-q", "-a", "-m", "Change")
    before = git(path, "rev-parse", "HEAD")
    done = ctui(repository, "worktree", "update", "work")
    assert done.returncode == 1
    assert "it conflicts with main: hello.txt" in done.stderr
    assert "--tell-task" in done.stderr
    line = refused(repository, "worktree", "update", "work", "--tell-task")
    assert "no task worked in work" in line
    assert git(path, "rev-parse", "HEAD") == before
    assert git(path, "status", "--porcelain") == ""


def test_names_are_completed(repository: Path) -> None:
    for name in ("fix-one", "fix-two", "other"):
        made(repository, name)
    done = subprocess.run(
        [sys.executable, "-m", "ctui"],
        cwd=repository,
        env={
            **os.environ,
            "_CTUI_COMPLETE": "bash_complete",
            "COMP_WORDS": "ctui worktree remove fix",
            "COMP_CWORD": "3",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["plain,fix-one", "plain,fix-two"], done.stderr


def test_a_restore_takes_a_name_that_only_one_has(repository: Path) -> None:
    for _ in range(2):
        made(repository, "work")
        said(repository, "worktree", "remove", "work")
        git(repository, "branch", "-D", "ctui/work")
    assert "2 in the trash are called work" in refused(repository, "worktree", "restore", "work")
    said(repository, "worktree", "trash", "--purge", "--all")
    made(repository, "other")
    said(repository, "worktree", "remove", "other")
    (back,) = said(repository, "worktree", "restore", "other")["restored"]
    assert back["name"] == "other"
