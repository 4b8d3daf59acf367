"""Entry point of the proof of merge: which work of some worktrees the targets have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from ctui.errors import CtuiError
from ctui.git.repository.partial import completing_command
from ctui.git.repository.repository import Repository, Target
from ctui.text import one_line
from ctui.worktrees.model import Proof, Verdict, Work
from ctui.worktrees.proof.known import KEPT, KnownProofs, questions_of, together
from ctui.worktrees.proof.merged import Judge
from ctui.worktrees.proof.outlook import outlooks
from ctui.worktrees.proof.own_work import OwnWork, own_work
from ctui.worktrees.proof.question import PROVEN, Question
from ctui.worktrees.proof.scratch import Scratch, scratch_repository
from ctui.worktrees.proof.target_history import read_history

_MISSING = "its commits cannot be read: an object is missing"
_OPEN = frozenset({"unmerged", "undone"})

_MANY_PAIRS = 16
"""Fewer pairs of trees are compared by libgit2 before a process of git has begun."""


class Prover:
    """Prover for one repository, valid while its targets do not move."""

    def __init__(self, repository: Repository, targets: Sequence[Target], cache: Path) -> None:
        """Prepare a prover without reading any history yet.

        Args:
            repository: whose objects are read; nothing is written into it.
            targets: as `Repository.targets` gives them, one or two.
            cache: ctui's own folder for what can be had again.
        """
        self._repository = repository
        self._targets = tuple(targets)
        self._cache = cache
        self._known = KnownProofs(repository, targets, cache)

    def prove(self, works: Sequence[Work]) -> list[Proof]:
        """Return one proof for each work, in their order.

        This blocks and may hold the GIL for long: call it in a thread without an event
        loop, or use a `ProofWorker`. An error in one work is the verdict `unknown` of that
        work.

        Raises:
            Unavailable, Refused: the folder for the cache cannot be used.
        """
        questions = {question for work in works for question in questions_of(work)}
        proofs = self._answers(questions)
        return [together(work, proofs, self._targets[0]) for work in works]

    def _answers(self, questions: set[Question]) -> dict[Question, Proof]:
        found = self._known.find(questions)
        asked = [question for question in questions if question not in found]
        if asked:
            with scratch_repository(self._repository, self._cache) as scratch:
                new = _Proving(scratch, self._targets).prove(asked)
                if not scratch.failed:
                    self._known.keep(new)
            found.update(self._incomplete(new, failed=scratch.failed))
        return found

    def _incomplete(
        self, proofs: Mapping[Question, Proof], *, failed: bool
    ) -> Mapping[Question, Proof]:
        """Say of a partial clone what would let it prove more: nothing is fetched for a look."""
        unsure = {
            question: proof
            for question, proof in proofs.items()
            if proof.verdict.kind == "unknown" or (failed and proof.verdict.kind == "unmerged")
        }
        if not unsure or not (command := completing_command(self._repository)):
            return proofs
        verdict = Verdict("unknown", f"it needs objects that are not here: {command}")
        return {
            **proofs,
            **{q: msgspec.structs.replace(proof, verdict=verdict) for q, proof in unsure.items()},
        }


class _Proving:
    """Judge that answers in one scratch repository."""

    def __init__(self, scratch: Scratch, targets: Sequence[Target]) -> None:
        self._scratch = scratch
        self._targets = targets

    def prove(self, questions: Sequence[Question]) -> dict[Question, Proof]:
        """Return a proof for each; a stash is proven with what was staged in it."""
        parts = {q: part for q in questions if q.stash and (part := self._staged(q))}
        proofs = self._judge([*questions, *parts.values()])
        for question, part in parts.items():
            if proofs[part].verdict.kind not in KEPT:
                proofs[question] = proofs[part]
        return {question: proofs[question] for question in questions}

    def _judge(self, questions: Sequence[Question]) -> dict[Question, Proof]:
        """Judge against the first target, and against the second if that can change the result.

        If the first contains the second, the second only tells if it was pushed. If each
        has commits of its own, either can prove it.
        """
        first, *more = self._targets
        proofs = self._against(first, questions)
        if not more:
            return proofs
        inside = self._contains(first, more[0])
        if inside and first.ref.startswith("refs/remotes/"):
            return proofs
        asked = [q for q, proof in proofs.items() if (proof.verdict.kind in PROVEN) == inside]
        combined = _pushed if inside else _either
        for question, other in self._against(more[0], asked).items():
            proof = proofs[question]
            verdict = combined(proof.verdict, other.verdict)
            proofs[question] = msgspec.structs.replace(proof, verdict=verdict)
        return proofs

    def _contains(self, one: Target, other: Target) -> bool:
        import pygit2

        try:
            return bool(self._scratch.graph.descendant_of(one.commit, other.commit))
        except (KeyError, ValueError, pygit2.GitError):
            return False

    def _against(self, target: Target, questions: Sequence[Question]) -> dict[Question, Proof]:
        works: dict[Question, OwnWork] = {}
        proofs: dict[Question, Proof] = {}
        for question in questions:
            try:
                self._scratch.commit(question.tip)
                works[question] = own_work(self._scratch, question.tip, target.commit)
            except _unreadable() as error:
                proofs[question] = _unknown(error)
        self._compare(works.values())
        judge = self._judge_of(target, works)
        for question, own in works.items():
            try:
                verdict = judge.verdict(question, own)
            except _unreadable() as error:
                proofs[question] = _unknown(error)
            else:
                proofs[question] = Proof(verdict, own.ahead, own.behind)
        if target == self._targets[0]:
            self._look_ahead(target, works, proofs)
        return proofs

    def _compare(self, works: Iterable[OwnWork]) -> None:
        """Compare at once what nearly every verdict is about: the whole work, its first commit."""
        pairs = set()
        for own in works:
            if own.commits and len(own.bases) == 1:
                with suppress(*_unreadable()):
                    base = self._scratch.commit(own.bases[0]).tree_id
                    pairs |= {(base, own.commits[place].tree_id) for place in (0, -1)}
        if len(pairs) >= _MANY_PAIRS:
            self._scratch.compare(pairs)

    def _look_ahead(
        self,
        target: Target,
        works: Mapping[Question, OwnWork],
        proofs: dict[Question, Proof],
    ) -> None:
        """Add to the proofs of open branches what landing them would bring."""
        open_ = {
            question: own
            for question, own in works.items()
            if question.outlook and not question.stash and proofs[question].verdict.kind in _OPEN
        }
        with suppress(*_unreadable()):
            for question, seen in outlooks(self._scratch, target.commit, open_).items():
                proofs[question] = msgspec.structs.replace(
                    proofs[question],
                    added=seen.added,
                    removed=seen.removed,
                    conflict=seen.conflict,
                    files=seen.files,
                )

    def _judge_of(self, target: Target, works: Mapping[Question, OwnWork]) -> Judge:
        bases = {
            base
            for question, own in works.items()
            for base in own.bases
            if own.ahead or question.created_only or question.tip != question.base
        }
        return Judge(
            self._scratch, target, read_history(self._scratch, target.commit, sorted(bases))
        )

    def _staged(self, question: Question) -> Question | None:
        """Return the staged part of a stash: its second parent, on top of its first.

        The stash's own files are those of the worktree, which may be others.
        """
        with suppress(*_unreadable()):
            parents = self._scratch.commit(question.tip).parent_ids
            if len(parents) > 1 and self._scratch.commit(parents[1]).parent_ids == parents[:1]:
                return Question(str(parents[1]))
        return None


def _pushed(here: Verdict, remote: Verdict) -> Verdict:
    """Combine both verdicts if the local target contains the remote one."""
    if (remote.reverted is None) != (here.reverted is None):
        return here if here.reverted else _not_pushed(here)
    if remote.kind == here.kind:
        return remote
    return here if remote.kind in PROVEN else _not_pushed(here)


def _either(remote: Verdict, local: Verdict) -> Verdict:
    """Combine both verdicts if each target has commits of its own."""
    return _not_pushed(local) if local.kind in PROVEN else remote


def _not_pushed(verdict: Verdict) -> Verdict:
    return msgspec.structs.replace(verdict, evidence=f"{verdict.evidence}, not pushed")


def _unreadable() -> tuple[type[Exception], ...]:
    """Errors that hostile or damaged objects cause."""
    import pygit2

    return (KeyError, ValueError, TypeError, OSError, pygit2.GitError, CtuiError)


def _unknown(error: Exception) -> Proof:
    if isinstance(error, KeyError):
        return Proof(Verdict("unknown", _MISSING))
    reason = one_line(str(error), 100) or "it is damaged"
    return Proof(Verdict("unknown", f"its commits cannot be read: {reason}"))
