"""Changes between trees: git compares many at once, libgit2 one pair, and both find the same."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pygit2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctui.worktrees.model import Work
from ctui.worktrees.proof.scratch import scratch_repository
from ctui.worktrees.proof.tree_changes import changes_between
from tests.worktrees.story import FILE, PROGRAM, SUBMODULE, Content, Story

LINK = 0o120000

PATHS = st.sampled_from(["a", "a-b", "a/x", "a/y/z", "b", "b/x", "two\nlines", ":100644 1", "ä"])
CONTENTS = st.builds(
    Content, st.sampled_from([b"one\n", b"two\n"]), st.sampled_from([FILE, PROGRAM, LINK])
) | st.sampled_from([Content(b"1" * 40, SUBMODULE), Content(b"2" * 40, SUBMODULE)])
STAGES = st.lists(st.dictionaries(PATHS, CONTENTS), min_size=2, max_size=4)


def trees_of(story: Story, stages: list[dict[str, Content]]) -> list[pygit2.Tree]:
    found = []
    for files in stages:
        story.files["main"] = dict(files)
        found.append(story.commit_of(story.commit("main")).tree)
    return found


@given(stages=STAGES)
@settings(max_examples=40)
def test_git_finds_what_libgit2_finds(
    tmp_path_factory: pytest.TempPathFactory, stages: list[dict[str, Content]]
) -> None:
    folder = tmp_path_factory.mktemp("story")
    story = Story(folder / "repository")
    trees = trees_of(story, stages)
    pairs = list(permutations(trees, 2))
    with scratch_repository(story.repository(), folder / "cache") as scratch:
        scratch.compare((before.id, after.id) for before, after in pairs)
        for before, after in pairs:
            assert scratch.changes(before, after) == changes_between(before, after)


def test_what_was_compared_is_not_read_again(tmp_path: Path) -> None:
    story = Story(tmp_path / "repository")
    stages = [{"a/x": Content(text), "b": Content(b"b\n")} for text in (b"one\n", b"two\n")]
    before, after = trees_of(story, stages)
    with scratch_repository(story.repository(), tmp_path / "cache") as scratch:
        scratch.compare([(before.id, after.id)])
        inner = str(after["a"].id)
        (story.folder / ".git/objects" / inner[:2] / inner[2:]).unlink()
        mine = [scratch.objects[tree.id].peel(pygit2.Tree) for tree in (before, after)]
        assert list(scratch.changes(mine[0], mine[1])) == ["a/x"]
        with pytest.raises(KeyError):
            scratch.changes(mine[1], mine[0])


def test_trees_that_git_cannot_read_hide_no_others(tmp_path: Path) -> None:
    story = Story(tmp_path / "repository")
    stages = [{"b": Content(text)} for text in (b"one\n", b"two\n")]
    before, after = trees_of(story, stages)
    missing = pygit2.Oid(hex="1" * 40)
    with scratch_repository(story.repository(), tmp_path / "cache") as scratch:
        scratch.compare([(missing, after.id), (before.id, after.id)])
        assert not scratch.failed
        assert scratch.changes(before, after) == changes_between(before, after)
        assert list(scratch.changes(before, after)) == ["b"]


def test_many_branches_are_judged_as_each_alone(tmp_path: Path) -> None:
    story = Story(tmp_path / "repository")
    works = []
    for number in range(12):
        story.branch("b", story.base)
        story.edited("b", 3 * number, f"B {number}")
        story.write("b", f"new {number}", "new\n")
        works.append(Work(story.commit("b"), story.base))
        if number % 3 == 0:
            story.squash("b")
        if number % 6 == 0:
            story.edited("main", 3 * number, "rewritten")
    together = story.prove(tmp_path / "together", *works)
    alone = [story.prove(tmp_path / f"alone {at}", work)[0] for at, work in enumerate(works)]
    assert together == alone
    kinds = [proof.verdict.kind for proof in together]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "history": 2,
        "unmerged": 8,
        "merged": 2,
    }
