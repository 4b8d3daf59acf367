"""Environments that are built in the background, so that the next task starts at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ctui.environments.records import Records
from ctui.errors import CtuiError
from ctui.git.repository.repository import Repository
from ctui.paths import Paths


def _start(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "ctui", "env", "build"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    process.returncode = 0  # nobody waits for it


def rebuild_in_background(
    paths: Paths, repository: Repository, start: Callable[[Path], None] = _start
) -> str:
    """Begin to build the environment of HEAD where its inputs have changed; return its id, or "".

    Only where an environment of the repository is in use already, and where the person has
    consented to what this one builds and runs: nobody is asked, and nothing is built for the first
    time. What goes wrong is in its log and in `ctui env list`. Call it in a thread.
    """
    try:
        return _begin(paths, repository, start)
    except (CtuiError, OSError):
        return ""  # whoever starts a task is told


def _begin(paths: Paths, repository: Repository, start: Callable[[Path], None]) -> str:
    records, common = Records(paths), str(repository.common_dir)
    if not any(one.state == "ready" for one in records.all(common)):
        return ""
    from ctui.environments.lookup import plan_of  # a picture is not to wait for it

    plan = plan_of(paths, repository, repository.resolve("HEAD"))
    if plan is None or records.state(plan.id, common) != "stale":
        return ""
    if plan.found.definition.of_repository and not records.has_consent(common, plan.consent):
        return ""
    start(repository.work_tree or repository.common_dir)
    return plan.id
