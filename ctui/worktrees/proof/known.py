"""Proofs that are kept already, found without reading any history.

All that is asked for often is found here, so nobody starts a process or opens a scratch repository
for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from ctui.git.process.version import git_version
from ctui.git.repository.repository import Repository, Target
from ctui.git.repository.shallow import shallow_commits
from ctui.git.repository.target import short_ref
from ctui.text import one_line
from ctui.worktrees.model import Proof, Verdict, Work
from ctui.worktrees.proof.question import MERGE_TREE_VERSION, PROVEN, Question
from ctui.worktrees.proof.verdicts import VerdictCache

_ALGORITHM = 4
"""Version of the rules; it grows with every change that may alter a verdict or a sentence."""

KEPT = PROVEN | {"empty", "no-commits"}
"""Kinds of verdicts after which nothing is lost with a branch."""


class KnownProofs:
    """Kept proofs of one repository, valid while its targets do not move."""

    def __init__(self, repository: Repository, targets: Sequence[Target], cache: Path) -> None:
        """Prepare a look without reading anything yet.

        Args:
            repository: whose work is judged.
            targets: as `Repository.targets` gives them, one or two.
            cache: ctui's own folder for what can be had again.
        """
        self._repository = repository
        self._targets = tuple(targets)
        self._verdicts = VerdictCache(cache)

    def of(self, works: Sequence[Work]) -> list[Proof | None]:
        """Return a proof for each work, in their order; None where a part of it is not kept."""
        proofs = self.find({question for work in works for question in questions_of(work)})
        return [
            together(work, proofs, self._targets[0])
            if all(question in proofs for question in questions_of(work))
            else None
            for work in works
        ]

    def find(self, questions: set[Question]) -> dict[Question, Proof]:
        """Return the proofs of those questions that are kept."""
        # What is kept with an outlook answers the question without one too.
        asked = {q: {self._key(q), self._key(q._replace(outlook=True))} for q in questions}
        kept = self._verdicts.find({key for keys in asked.values() for key in keys})
        return {q: kept[key] for q, keys in asked.items() for key in keys if key in kept}

    def keep(self, proofs: Mapping[Question, Proof]) -> None:
        """Keep proofs; one that may be another tomorrow is not kept."""
        sure = {q: proof for q, proof in proofs.items() if proof.verdict.kind != "unknown"}
        self._verdicts.keep({self._key(question): proof for question, proof in sure.items()})

    def _key(self, question: Question) -> bytes:
        return hashlib.sha256(self._surroundings + msgspec.json.encode(question)).digest()

    @cached_property
    def _surroundings(self) -> bytes:
        """Everything that a verdict depends on, apart from the question."""
        import pygit2

        facts = (
            _ALGORITHM,
            pygit2.LIBGIT2_VERSION,
            git_version() >= MERGE_TREE_VERSION,
            self._targets,
            shallow_commits(self._repository.common_dir),
        )
        return msgspec.json.encode(facts)


def questions_of(work: Work) -> list[Question]:
    """Return what is to be judged of a work: its tip, then what else only its tasks have."""
    fresh = work.created_only and work.base is None
    first = Question(work.tip, work.base, fresh, outlook=work.outlook)
    return [first, *(Question(commit, stash=True) for _, commit in work.also)]


def together(work: Work, proofs: Mapping[Question, Proof], target: Target) -> Proof:
    """Return the proof of a work from those of its questions."""
    first, *others = questions_of(work)
    proof = proofs[first]
    lost = tuple(
        one_line(name, 60)
        for (name, _), question in zip(work.also, others, strict=True)
        if proofs[question].verdict.kind not in KEPT
    )
    if not lost:
        return proof
    if proof.verdict.kind not in KEPT | {"undone"}:
        return msgspec.structs.replace(proof, lost=lost)
    names = lost[0] + (f" and {len(lost) - 1} more" if lost[1:] else "")
    is_are = "are" if lost[1:] else "is"
    verdict = Verdict("unmerged", f"its {names} {is_are} not in {short_ref(target.ref)}")
    return msgspec.structs.replace(proof, verdict=verdict, lost=lost)
