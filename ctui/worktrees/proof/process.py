"""Process that proves, because libgit2 holds the GIL and would stall an event loop.

    python -m ctui.worktrees.proof.process

One question a line on stdin, one answer a line on stdout, in the same order, until stdin ends.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from ctui.errors import CtuiError
from ctui.git.repository.repository import Repository, Target
from ctui.worktrees.model import Proof, Work

_NICENESS = 10


class ProofQuestion(msgspec.Struct, frozen=True):
    """Question with the work to be proven; see `Prover`."""

    id: int
    common_dir: str
    targets: tuple[Target, ...]
    cache: str
    works: tuple[Work, ...]


class ProofAnswer(msgspec.Struct, frozen=True):
    """Proofs for the question of the same id, or the reason for their absence."""

    id: int
    proofs: tuple[Proof, ...] = ()
    error: str = ""
    hint: str = ""


def answer(question: ProofQuestion) -> ProofAnswer:
    """Answer a question, with an error if proving fails."""
    from ctui.worktrees.proof.prover import Prover

    repository = Repository(Path(question.common_dir), None)
    try:
        proofs = Prover(repository, question.targets, Path(question.cache)).prove(question.works)
    except CtuiError as error:
        return ProofAnswer(question.id, error=error.message, hint=error.hint)
    except Exception as error:  # noqa: BLE001 - one question must not end the process of the others
        return ProofAnswer(question.id, error=f"the proof failed: {type(error).__name__}")
    return ProofAnswer(question.id, tuple(proofs))


def main() -> None:
    """Answer questions until stdin ends."""
    with suppress(OSError):
        os.nice(_NICENESS)
    # Load libgit2 now, before the first question waits for it.
    import ctui.worktrees.proof.prover  # noqa: F401

    for line in sys.stdin.buffer:
        reply = answer(msgspec.json.decode(line, type=ProofQuestion))
        try:
            sys.stdout.buffer.write(msgspec.json.encode(reply) + b"\n")
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # The parent is gone. Without a stdout, Python does not try to flush it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return


if __name__ == "__main__":
    main()
