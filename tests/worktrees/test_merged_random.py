"""Random histories: what is called merged is there, says an oracle that merges nothing.

Every line, name and mode is a token that is written once. The oracle looks only at which tokens are
in which commit, and at the parents that it noted itself.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctui.worktrees.model import Proof, Work
from tests.worktrees.story import FILE, PROGRAM, Conflicting, Content, Files, Story, numbered

pytestmark = pytest.mark.slow

Tokens = frozenset[str]

_PLACES = (1, 4, 7, 10, 13)
"""Lines that are edited: far enough apart to be merged."""


class Step(NamedTuple):
    """What happens next, and two numbers that choose where."""

    name: str
    x: int
    y: int


class Teller:
    """Carries out steps, as far as they are possible."""

    def __init__(self, folder: Path) -> None:
        files: Files = {name: Content(numbered(15, name).encode()) for name in ("f", "g", "h")}
        self.story = Story(folder, files)
        self._written = 0

    def take(self, step: Step) -> None:
        try:
            getattr(self, f"_{step.name}")(step.x, step.y)
        except (Conflicting, LookupError):
            # It conflicts, or what it works on is gone: what happened so far is the history.
            for branch in ("main", "b"):
                self.story.branch(branch, branch)

    def _token(self) -> str:
        self._written += 1
        return f"token {self._written}"

    def _edit(self, branch: str, x: int, y: int) -> None:
        path = _nth(sorted(self.story.files[branch]), y)
        self.story.edited(branch, _PLACES[x % len(_PLACES)], self._token(), path)

    def _edit_b(self, x: int, y: int) -> None:
        self._edit("b", x, y)

    def _edit_main(self, x: int, y: int) -> None:
        self._edit("main", x, y)

    def _overwrite(self, x: int, _: int) -> None:
        """Main edits a line that the branch has edited."""
        for path, content in sorted(self.story.files["main"].items()):
            lines = content.data.decode().splitlines()
            places = [str(place) for place, line in enumerate(lines) if line.startswith("token")]
            if places:
                self.story.edited("main", int(_nth(places, x)), self._token(), path)
                return

    def _add_b(self, x: int, y: int) -> None:
        self.story.write("b", f"new{x % 3}", f"{self._token()}\n" * (1 + y % 2))
        self.story.commit("b")

    def _remove(self, branch: str, x: int) -> None:
        self.story.files[branch].pop(_nth(sorted(self.story.files[branch]), x))
        self.story.commit(branch)

    def _remove_b(self, x: int, _: int) -> None:
        self._remove("b", x)

    def _remove_main(self, x: int, _: int) -> None:
        self._remove("main", x)

    def _rename(self, branch: str, x: int, name: str) -> None:
        self.story.rename(branch, _nth(sorted(self.story.files[branch]), x), name)
        self.story.commit(branch)

    def _rename_b(self, x: int, _: int) -> None:
        self._rename("b", x, self._token())

    def _rename_main(self, x: int, _: int) -> None:
        self._rename("main", x, self._token())

    def _rename_alike(self, x: int, _: int) -> None:
        """Both give the same file the same name, each in a commit of its own."""
        name = self._token()
        self._rename("b", x, name)
        self._rename("main", x, name)

    def _edit_alike(self, x: int, y: int) -> None:
        text = self._token()
        for branch in ("b", "main"):
            path = _nth(sorted(self.story.files[branch]), y)
            self.story.edited(branch, _PLACES[x % len(_PLACES)], text, path)

    def _mode(self, branch: str, x: int) -> None:
        path = _nth(sorted(self.story.files[branch]), x)
        data, mode = self.story.files[branch][path]
        self.story.write(branch, path, data, FILE if mode == PROGRAM else PROGRAM)
        self.story.commit(branch)

    def _mode_b(self, x: int, _: int) -> None:
        self._mode("b", x)

    def _mode_main(self, x: int, _: int) -> None:
        self._mode("main", x)

    def _squash(self, _: int, __: int) -> None:
        self.story.squash("b")

    def _squash_some(self, x: int, _: int) -> None:
        self.story.squash(self._own(x))

    def _pick(self, x: int, _: int) -> None:
        self.story.pick(self._own(x))

    def _pick_all(self, _: int, __: int) -> None:
        for commit in self._line("b"):
            self.story.pick(commit)

    def _revert_main(self, x: int, _: int) -> None:
        self.story.revert(_nth(self._line("main")[::-1], x))

    def _undo_b(self, x: int, _: int) -> None:
        self.story.revert(self._own(x), "b")

    def _merge_main(self, _: int, __: int) -> None:
        self.story.merge("main", "b")

    def _merge_b(self, _: int, __: int) -> None:
        self.story.merge("b")

    def _evil_merge(self, x: int, y: int) -> None:
        before = self.story.heads["b"]
        self.story.merge("main", "b")
        files = self.story.files["b"]
        self.story.branch("b", before)
        self.story.files["b"] = files
        path = _nth(sorted(files), y)
        self.story.edit("b", _PLACES[x % len(_PLACES)], self._token(), path)
        self.story.commit("b", self.story.heads["main"])

    def _force_push(self, x: int, _: int) -> None:
        self.story.branch("main", _nth(self._line("main"), x))

    def _line(self, branch: str) -> list[str]:
        """The commits with one parent on a branch's first line, oldest first."""
        found: list[str] = []
        commit = self.story.commit_of(self.story.heads[branch])
        while commit.parent_ids:
            if len(commit.parent_ids) == 1:
                found.append(str(commit.id))
            commit = self.story.commit_of(commit.parent_ids[0])
        return found[::-1]

    def _own(self, x: int) -> str:
        return _nth(self._line("b"), x)


def _nth(choices: list[str], number: int) -> str:
    if not choices:
        raise LookupError
    return choices[number % len(choices)]


class Oracle:
    """Which tokens each commit has, adds and removes; nothing is asked of git but files."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._tokens: dict[str, Tokens] = {}
        self._reachable: dict[str, Tokens] = {}

    def tokens(self, commit: str) -> Tokens:
        if commit not in self._tokens:
            found: set[str] = set()
            for path, content in self._story.read(commit).items():
                lines = content.data.decode().splitlines()
                # The first line is never edited; a file keeps it and its mode when it is renamed.
                found |= {f"name {path}", f"mode {lines[0]} {content.mode:o}", *lines}
            self._tokens[commit] = frozenset(found)
        return self._tokens[commit]

    def parents(self, commit: str) -> list[str]:
        return [str(parent) for parent in self._story.commit_of(commit).parent_ids]

    def reachable(self, commit: str) -> Tokens:
        if commit not in self._reachable:
            above = [self.reachable(parent) for parent in self.parents(commit)]
            self._reachable[commit] = frozenset({commit}).union(*above)
        return self._reachable[commit]

    def effect(self, commit: str) -> tuple[Tokens, Tokens]:
        """Tokens that a commit itself adds and removes; of a merge what no parent explains."""
        before = [self.tokens(parent) for parent in self.parents(commit)]
        after = self.tokens(commit)
        return after.difference(*before), frozenset.intersection(*before) - after

    def holds(self, commit: str, added: Tokens, removed: Tokens) -> bool:
        """Whether it has all that was added, and once had and now lacks all that was removed."""
        there = self.tokens(commit)
        once: Tokens = frozenset().union(*map(self.tokens, self.reachable(commit)))
        return added <= there and not removed & there and removed <= once

    def check(self, tip: str, target: str, began: str, proof: Proof) -> str:
        """Assert that a verdict is sound; returns what it was reached by."""
        kind, reached = proof.verdict.kind, self.reachable(target)
        own = self.reachable(tip) - reached
        assert proof.ahead == len(own)
        for named in (proof.verdict.commit, proof.verdict.reverted):
            assert named is None or named in reached
        if kind == "no-commits":
            assert tip in self.reachable(began)
        elif kind == "empty":
            assert not any(any(self.effect(commit)) for commit in own)
        elif kind == "undone":
            assert all(self.tokens(tip) == self.tokens(base) for base in self._bases(tip, target))
        elif kind in {"merged", "history"} and own:
            self._check_content(tip, target, own, proof)
            return "reverted" if proof.verdict.reverted else kind
        elif kind in {"merged", "history"}:
            assert (kind, tip in reached) == ("merged", True)
        return "otherwise"

    def _bases(self, tip: str, target: str) -> list[str]:
        """The common ancestors that are not ancestors of one another."""
        common = self.reachable(tip) & self.reachable(target)
        return [
            commit
            for commit in common
            if not any(commit in self.reachable(other) for other in common - {commit})
        ]

    def _check_content(self, tip: str, target: str, own: Tokens, proof: Proof) -> None:
        bases = [self.tokens(commit) for commit in self._bases(tip, target)]
        changed: Tokens = frozenset().union(*(part for one in own for part in self.effect(one)))
        there = self.tokens(tip)
        added = (changed & there) - frozenset.intersection(*bases)
        removed = (changed - there) & frozenset().union(*bases)
        holding = [one for one in self.reachable(target) if self.holds(one, added, removed)]
        each = all(
            any(self.holds(one, *self.effect(commit)) for one in self.reachable(target))
            for commit in own
            if len(self.parents(commit)) == 1
        )
        if proof.verdict.kind == "merged":
            assert target in holding
        else:
            assert holding or each
        if proof.verdict.reverted:
            assert added or removed
            assert target not in holding


_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Thousands of small repositories, which no disk needs to see."""

_NAMES = [name[1:] for name in vars(Teller) if name.startswith("_") and name[1].isalpha()]
_HELPERS = {"token", "edit", "remove", "rename", "mode", "line", "own"}
_STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(
            sorted({*_NAMES} - _HELPERS)
            # What happens most, so that there is something to squash.
            + ["edit_b"] * 4
            + ["edit_main"] * 3
            + ["squash", "pick_all", "overwrite"] * 2
        ),
        st.integers(0, 20),
        st.integers(0, 2),
    ),
    min_size=3,
    max_size=12,
)


def histories(count: int, *, same: bool) -> Counter[str]:
    """Check so many histories, each with every commit of the branch; returns what there was."""
    seen: Counter[str] = Counter()

    @settings(
        max_examples=count,
        derandomize=same,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_STEPS)
    def one(steps: list[Step]) -> None:
        with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
            teller = Teller(Path(folder) / "repository")
            tips: dict[str, None] = {}
            for step in steps:
                teller.take(step)
                tips[teller.story.heads["b"]] = None
            story = teller.story
            works = [Work(tip, story.base) for tip in tips]
            oracle = Oracle(story)
            proofs = story.prove(Path(folder) / "cache", *works)
            kinds = {
                oracle.check(tip, story.heads["main"], story.base, proof)
                for tip, proof in zip(tips, proofs, strict=True)
            }
            seen.update(kinds)
            seen["histories"] += 1

    one()
    return seen


def test_nothing_is_called_merged_that_is_not_there() -> None:
    seen = histories(500, same=True)
    assert seen["histories"] >= 500
    # Not by ancestry: the share of histories in which there was something to get wrong.
    assert seen["merged"] >= 50
    assert seen["history"] + seen["reverted"] >= 15
    assert seen["reverted"] >= 1


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_nothing_is_called_merged_that_is_not_there_for_long() -> None:
    seen = histories(5000, same=False)
    assert seen["merged"] >= 300
    assert seen["history"] + seen["reverted"] >= 100
