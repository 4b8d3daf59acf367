"""Shapes that commands print with `--json`, and the names of their schemas in docs/schemas."""

from __future__ import annotations

from typing import Any

from ctui.cli.shapes import (
    CleanedImages,
    Committed,
    DoneStep,
    Failure,
    ImportedConfig,
    LandedWorktree,
    ListedTask,
    NotLanded,
    Pushed,
    RemovedTask,
    ServeToken,
    ShownAsk,
    ShownConfig,
    ShownLogin,
    ShownNetwork,
    ShownSecret,
    ShownTask,
    ShownTrust,
    ShownTurn,
    StartedTask,
    ValidatedConfig,
)
from ctui.client.access.usage import Top
from ctui.client.cleaning.prune import Cleaning
from ctui.client.cleaning.uninstall import Uninstall
from ctui.client.cleaning.volumes import CleanedVolumes
from ctui.client.health.health import Check
from ctui.client.landing.records import LandingRecord
from ctui.client.review.report import ReviewedWorktree, ReviewThread
from ctui.client.worktrees.bulk_removal import RemovedWorktrees
from ctui.client.worktrees.listing import WorktreeList
from ctui.client.worktrees.worktree_restore import RestoredWorktrees
from ctui.environments.lookup import ListedEnvironment, ShownEnvironment
from ctui.environments.records import Environment
from ctui.gateway.books.rows import RequestRow
from ctui.sandbox.docker.image_facts import ImageFacts
from ctui.sandbox.docker.old_images import BuiltImage
from ctui.sandbox.docker.volumes import Volume
from ctui.tasks.grants import Grant
from ctui.tasks.host_rules import HostRule
from ctui.tasks.model import Task
from ctui.tasks.network.rules import HostVerdict
from ctui.worktrees.landing.update import Updated
from ctui.worktrees.model import WorktreeRecord
from ctui.worktrees.snapshots.model import Snapshot
from ctui.worktrees.trash.entries import TrashEntry
from ctui.worktrees.trash.purge import Purged

SHAPES: dict[str, Any] = {
    "error": Failure,
    "task-list": list[ListedTask],
    "task-show": ShownTask,
    "task": Task,
    "task-turns": list[ShownTurn],
    "task-snapshot": Snapshot,
    "task-start": StartedTask,
    "ask": ShownAsk,
    "task-remove": RemovedTask,
    "worktree-create": WorktreeRecord,
    "worktree-list": WorktreeList,
    "worktree-remove": RemovedWorktrees,
    "worktree-restore": RestoredWorktrees,
    "worktree-trash": list[TrashEntry],
    "worktree-trash-purge": Purged,
    "worktree-commit": Committed,
    "worktree-land": LandedWorktree,
    "worktree-land-failed": NotLanded,
    "worktree-landings": list[LandingRecord],
    "worktree-push": Pushed,
    "worktree-update": Updated,
    "worktree-review": ReviewedWorktree,
    "worktree-comment": ReviewThread,
    "worktree-comments": list[ReviewThread],
    "doctor": list[Check],
    "setup": list[DoneStep],
    "image-show": ImageFacts,
    "env-show": ShownEnvironment,
    "env-build": Environment,
    "env-list": list[ListedEnvironment],
    "image-list": list[BuiltImage],
    "image-clean": CleanedImages,
    "top": Top,
    "volume-list": list[Volume],
    "volume-clean": CleanedVolumes,
    "clean": Cleaning,
    "uninstall": Uninstall,
    "config-show": ShownConfig,
    "config-validate": ValidatedConfig,
    "config-import": ImportedConfig,
    "config-grants": list[Grant],
    "config-trust": list[ShownTrust],
    "login-list": list[ShownLogin],
    "secret-list": list[ShownSecret],
    "network-show": ShownNetwork,
    "network-check": HostVerdict,
    "network-rules": list[HostRule],
    "network-log": list[RequestRow],
    "serve-token": ServeToken,
}
"""Name of a schema -> the shape that it describes."""

PRINTED: dict[str, str] = {
    "network show": "network-show",
    "network check": "network-check",
    "network allow": "network-rules",
    "network deny": "network-rules",
    "network sign": "network-rules",
    "network forget": "network-rules",
    "network log": "network-log",
    "run": "task-start",
    "task list": "task-list",
    "task show": "task-show",
    "task snapshot": "task-snapshot",
    "task turns": "task-turns",
    "task send": "task",
    "task interrupt": "task",
    "task stop": "task",
    "task resume": "task",
    "task answer": "ask",
    "task remove": "task-remove",
    "worktree create": "worktree-create",
    "worktree list": "worktree-list",
    "worktree remove": "worktree-remove",
    "worktree clean": "worktree-remove",
    "worktree restore": "worktree-restore",
    "worktree trash": "worktree-trash",
    "worktree commit": "worktree-commit",
    "worktree land": "worktree-land",
    "worktree landings": "worktree-landings",
    "worktree push": "worktree-push",
    "worktree update": "worktree-update",
    "worktree review": "worktree-review",
    "worktree comment": "worktree-comment",
    "worktree comments": "worktree-comments",
    "doctor": "doctor",
    "setup": "setup",
    "image show": "image-show",
    "env show": "env-show",
    "env build": "env-build",
    "env list": "env-list",
    "image list": "image-list",
    "image clean": "image-clean",
    "top": "top",
    "volume list": "volume-list",
    "volume init": "volume-list",
    "volume clean": "volume-clean",
    "uninstall": "uninstall",
    "clean": "clean",
    "config show": "config-show",
    "config validate": "config-validate",
    "config import": "config-import",
    "config grants": "config-grants",
    "config trust": "config-trust",
    "login list": "login-list",
    "secret list": "secret-list",
    "serve token show": "serve-token",
    "serve token regenerate": "serve-token",
}
"""Command -> the name of the schema of what it prints with `--json`."""
