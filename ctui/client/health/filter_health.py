"""One line of `ctui doctor` about the filters of a repository, and what tasks see of its files."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from ctui.client.health.health import Check
from ctui.config.own_sections import GitConfig
from ctui.errors import CtuiError
from ctui.git.repository.repository import open_repository
from ctui.git.stored.attributes import LFS, filter_setting, transformed_files
from ctui.text import one_line

_WIDTH = 60


async def filter_check(folder: Path, settings: GitConfig) -> Check | None:
    """Return what a repository's filters mean for tasks, or None where it has none.

    Args:
        folder: in the repository, or not in one.
        settings: the person's own.
    """
    try:
        git_dir = open_repository(folder).common_dir
        rules = await transformed_files(git_dir)
        counts = Counter(rule.filter for rule in rules.values() if rule.filter)
        facts = [
            await _fact(git_dir, name, count, settings) for name, count in sorted(counts.items())
        ]
    except CtuiError:
        return None  # there is none here, or its own checks say what is wrong
    if not facts:
        return None
    mends = [mend for _, mend in facts if mend]
    return Check("filters", not mends, "; ".join(found for found, _ in facts), "; ".join(mends))


async def _fact(git_dir: Path, name: str, count: int, settings: GitConfig) -> tuple[str, str]:
    """Return what is so, and what mends it."""
    shown = one_line(name, _WIDTH)
    files = f"{count} file{'' if count == 1 else 's'}"
    if name == LFS:
        if shutil.which("git-lfs") is None:
            return f"{shown}: {files}, and no git-lfs", "install git-lfs, then: git lfs install"
        return f"{shown}: {files}", ""
    if name not in settings.filter_names:
        return f"{shown}: tasks see {files} as stored, and cannot bring home a changed one", ""
    if await filter_setting(git_dir, name, "clean"):
        return f"{shown}: runs in new tasks, if its program is in the image", ""
    return f"{shown}: named in git.filters, without a clean program", (
        f"git config filter.{shown}.clean PROGRAM"
    )
