"""Landings that a crash cut off: found without loading what completes them."""

from __future__ import annotations

from ctui.git.exchange.swap import forget_killed_swap
from ctui.git.repository.repository import Repository
from ctui.worktrees.landing.checkouts import NOTE


async def complete_unfinished(repository: Repository) -> None:
    """Complete or undo them in every checkout, and skip those that cannot be opened or mended."""
    forget_killed_swap(repository.common_dir)
    notes = (repository.common_dir.glob(NOTE), repository.common_dir.glob(f"worktrees/*/{NOTE}"))
    if not any(map(any, notes)):
        return  # as nearly always, and cheaper than to open them all
    from ctui.worktrees.landing.ref_transaction import recover_all

    await recover_all(repository)
