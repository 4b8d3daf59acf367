"""What landing a branch would bring, and whether it would conflict: as the landing finds it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from ctui.worktrees.landing.merge_plan import merge_repository
from ctui.worktrees.model import Proof, Work
from ctui.worktrees.proof.known import KnownProofs
from tests.worktrees.story import Story


def test_it_is_found_only_where_it_is_asked_for(tmp_path: Path) -> None:
    story = Story(tmp_path / "repository")
    story.branch("b", story.base)
    story.edited("main", 30, "main")
    tip, cache = story.edited("b", 3, "b"), tmp_path / "cache"

    def proof(*, outlook: bool) -> Proof:
        return story.prove(cache, Work(tip, story.base, outlook=outlook))[0]

    without = proof(outlook=False)
    assert (without.verdict.kind, without.added, without.conflict) == ("unmerged", None, None)
    found = proof(outlook=True)
    assert (found.verdict, found.conflict) == (without.verdict, False)
    assert found.added
    known = KnownProofs(story.repository(), story.repository().targets(), cache)
    both = [Work(tip, story.base, outlook=outlook) for outlook in (True, False)]
    assert [each and each.verdict for each in known.of(both)] == [found.verdict] * 2


def one_line_each(s: Story) -> None:
    s.edited("b", 3, "b")
    s.edited("main", 30, "main")


def the_same_line(s: Story) -> None:
    s.edited("b", 3, "b")
    s.edited("main", 3, "main")


def removed_and_edited(s: Story) -> None:
    s.files["b"].pop("f")
    s.commit("b")
    s.edited("main", 3, "main")


def renamed_and_edited(s: Story) -> None:
    s.rename("b", "f", "f2")
    s.commit("b")
    s.edited("main", 3, "main")


def renamed_to_two_names(s: Story) -> None:
    for branch in ("b", "main"):
        s.rename(branch, "f", f"f-{branch}")
        s.commit(branch)


def both_added(s: Story) -> None:
    for branch in ("b", "main"):
        s.write(branch, "new", f"{branch}\n")
        s.commit(branch)


def a_binary(s: Story) -> None:
    for branch in ("b", "main"):
        s.write(branch, "bin", f"\0{branch}")
        s.commit(branch)


def work_undone(s: Story) -> None:
    s.revert(s.edited("b", 3, "b"), "b")
    s.edited("main", 3, "main")


STORIES: list[tuple[Callable[[Story], None], tuple[int, int], bool]] = [
    (one_line_each, (1, 1), False),
    (the_same_line, (1, 1), True),
    (removed_and_edited, (0, 40), True),
    (renamed_and_edited, (40, 40), False),
    (renamed_to_two_names, (40, 40), True),
    (both_added, (1, 0), True),
    (a_binary, (0, 0), True),
    (work_undone, (0, 0), False),
]


@pytest.mark.parametrize(
    ("tell", "lines", "conflict"), STORIES, ids=[tell.__name__ for tell, _, _ in STORIES]
)
def test_it_is_what_the_landing_finds(
    tmp_path: Path, tell: Callable[[Story], None], lines: tuple[int, int], conflict: bool
) -> None:
    story = Story(tmp_path / "repository")
    tell(story)
    [proof] = _proven(story, tmp_path)
    assert (proof.added, proof.removed, proof.conflict) == (*lines, conflict)
    with merge_repository(story.repository()) as place:
        _, files = asyncio.run(place.merge(story.heads["main"], story.heads["b"]))
    assert bool(files) == conflict


def test_many_are_told_apart_and_what_is_merged_has_nothing_to_bring(tmp_path: Path) -> None:
    story = Story(tmp_path / "repository")
    story.edited("main", 3, "main")
    tips = []
    for number, line in enumerate((3, 10, 3, 20)):
        story.branch("x", story.base)
        tips.append(story.edited("x", line, f"x {number}"))
    story.branch("x", story.base)
    story.write("x", "two\nlines", "a\nb\n")
    tips.append(story.commit("x"))
    works = [Work(tip, story.base) for tip in tips]
    merged = Work(story.base, None)
    proofs = story.prove(tmp_path / "cache", *works, merged)
    assert [proof.conflict for proof in proofs] == [True, False, True, False, False, None]
    assert [proof.added for proof in proofs] == [1, 1, 1, 1, 2, None]


def test_without_a_common_history_nothing_is_known(tmp_path: Path) -> None:
    story = Story(tmp_path / "repository")
    fine = story.two()[1]
    del story.heads["b"]
    story.write("b", "o", "o\n")
    orphan = story.commit("b")
    proofs = story.prove(tmp_path / "cache", Work(orphan, None), Work(fine, story.base))
    assert [proof.conflict for proof in proofs] == [None, False]


def test_it_is_computed_once_for_a_tip_and_a_target(tmp_path: Path) -> None:
    story = Story(tmp_path / "repository")
    the_same_line(story)
    first = _proven(story, tmp_path)
    (tmp_path / "repository/.git/objects").rename(tmp_path / "away")
    assert _proven(story, tmp_path) == first
    assert first[0].conflict


def _proven(story: Story, tmp_path: Path) -> list[Proof]:
    return story.prove(tmp_path / "cache")
