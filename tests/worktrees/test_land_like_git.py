"""Landing random branches makes the trees that git makes by hand, and touches nothing else."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import pygit2
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from ctui.errors import Refused
from ctui.worktrees.landing.land import land, undo_landing
from ctui.worktrees.landing.landing_commit import Method
from ctui.worktrees.landing.merge_plan import MergeConflict
from tests.conftest import git
from tests.worktrees.landing import Place, leftovers, make_place, raw_git, snapshot

pytestmark = pytest.mark.slow

_FILES = ("a", "b", "folder/c", "folder/d")
_LINES = 8

Operation = Literal["edit", "insert", "cut", "delete", "rename", "add", "program"]
Files = dict[str, tuple[list[str], bool]]
"""Path -> its lines, and whether it is a program."""


class Step(NamedTuple):
    """One commit of one side."""

    side: Literal["main", "work"]
    operation: Operation
    file: int
    line: int


_STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(("main", "work")),
        st.sampled_from((*["edit"] * 6, *get_args(Operation))),
        st.integers(0, len(_FILES) - 1),
        st.integers(0, _LINES - 1),
    ),
    min_size=2,
    max_size=8,
)


def test_what_is_landed_is_what_git_makes(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("alike")
    (folder / "repository").mkdir()
    git(folder / "repository", "init", "-q", "-b", "main")
    git(folder / "repository", "commit", "-q", "--allow-empty", "-m", "Begin")
    place = asyncio.run(make_place(folder / "repository", folder))
    git(folder, "clone", "-q", "--shared", str(place.main), "twin")
    outcomes: dict[str, int] = {}

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(steps=_STEPS, method=st.sampled_from(get_args(Method)))
    def check(steps: list[Step], method: Method) -> None:
        before, tip = build(place, steps)
        expected = by_hand(folder / "twin", before, tip, method)
        outcome = compare(place, before, expected, method)
        event(outcome)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1

    check()
    assert outcomes.get("landed", 0) >= 10, outcomes
    assert outcomes.get("conflict", 0) >= 2, outcomes


def build(place: Place, steps: Sequence[Step]) -> tuple[str, str]:
    """Both branches from one base, checked out, with unsaved changes in the main checkout."""
    store = pygit2.Repository(str(place.repository.common_dir))
    base: Files = {name: ([f"{name} {n}" for n in range(_LINES)], False) for name in _FILES}
    base["unsaved"] = (["as committed"], False)
    base["staged"] = (["as committed"], False)
    root = commit(store, base, [], 0)
    sides: dict[str, tuple[Files, str]] = {"main": (base, root), "work": (base, root)}
    for number, step in enumerate(steps, 1):
        files, parent = sides[step.side]
        changed = apply(files, step, f"token {number}")
        sides[step.side] = changed, commit(store, changed, [parent], number)
    before, tip = sides["main"][1], sides["work"][1]
    git(place.main, "reset", "-q", "--hard", before)
    git(place.main, "clean", "-qfdx")
    git(place.path, "checkout", "-q", "-f", "-B", "ctui/work", tip)
    git(place.path, "clean", "-qfdx")
    (place.main / "staged").write_text("staged\n")
    git(place.main, "add", "staged")
    (place.main / "unsaved").write_text("unsaved\n")
    (place.main / "untracked").write_text("untracked\n")
    return before, tip


def apply(files: Files, step: Step, token: str) -> Files:
    """The files after a step; a step that cannot be made adds a file instead."""
    result = {name: (list(lines), program) for name, (lines, program) in files.items()}
    name = _FILES[step.file]
    if name not in result or step.operation == "add":
        result[f"new {token}"] = ([token], False)
        return result
    lines, program = result[name]
    if step.operation == "edit" and step.line < len(lines):
        lines[step.line] = token
    elif step.operation == "insert":
        lines.insert(step.line, token)
    elif step.operation == "cut" and step.line < len(lines):
        del lines[step.line]
    elif step.operation == "delete":
        del result[name]
    elif step.operation == "rename":
        result[f"moved/{name}"] = result.pop(name)
    elif step.operation == "program":
        result[name] = lines, not program
    else:
        lines.append(token)
    return result


def commit(store: pygit2.Repository, files: Files, parents: list[str], time: int) -> str:
    index = pygit2.Index()
    for name, (lines, program) in files.items():
        blob = store.create_blob("".join(f"{line}\n" for line in lines).encode())
        mode = pygit2.enums.FileMode.BLOB_EXECUTABLE if program else pygit2.enums.FileMode.BLOB
        index.add(pygit2.IndexEntry(name, blob, mode))
    who = pygit2.Signature("Task", "task@example.org", 1_700_000_000 + time, 0)
    tree = index.write_tree(store)
    return str(store.create_commit(None, who, who, f"Step {time}", tree, parents))


def by_hand(twin: Path, before: str, tip: str, method: Method) -> str | None:
    """The tree that git makes in a clone, None where it finds a conflict."""
    for command in (["merge", "--abort"], ["rebase", "--abort"]):
        subprocess.run(["git", *command], cwd=twin, capture_output=True, check=False)
    git(twin, "checkout", "-q", "-f", "--detach", tip if method == "rebase" else before)
    git(twin, "clean", "-qfdx")
    commands: dict[Method, list[str]] = {
        "merge": ["merge", "-q", "--no-ff", "-m", "x", tip],
        "squash": ["merge", "-q", "--squash", tip],
        "rebase": ["rebase", "-q", before],
    }
    try:
        git(twin, *commands[method])
    except subprocess.CalledProcessError:
        git(twin, "reset", "-q", "--hard")
        return None
    return git(twin, "write-tree")


def compare(place: Place, before: str, expected: str | None, method: Method) -> str:
    state, refs = snapshot(place.main), raw_git(place.main, "for-each-ref")
    local = raw_git(place.main, "status", "--porcelain=v2", "-z", "-uall")
    try:
        landed = asyncio.run(land(place.repository, place.worktree, method=method))
    except MergeConflict:
        assert expected is None
        assert snapshot(place.main) == state
        return "conflict"
    except Refused:
        assert expected == git(place.main, "rev-parse", f"{before}^{{tree}}")
        assert raw_git(place.main, "for-each-ref") == refs
        return "nothing to land"
    assert git(place.main, "rev-parse", "main^{tree}") == expected
    assert raw_git(place.main, "status", "--porcelain=v2", "-z", "-uall") == local
    asyncio.run(undo_landing(place.repository, landed))
    assert snapshot(place.main) == state
    assert leftovers(place) == []
    return "landed"
