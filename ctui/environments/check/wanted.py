"""Environment that a commit is checked in, and the check that its file names."""

from __future__ import annotations

from ctui.config.model import REPOSITORY_FILE
from ctui.config.sources import FILE_LIMIT, committed_value
from ctui.environments.definition.commit_files import CommitFiles
from ctui.environments.lookup import plan_of, shown
from ctui.environments.records import Environment, Records
from ctui.errors import ConsentRequired, Refused
from ctui.git.repository.repository import Repository
from ctui.paths import Paths
from ctui.text import one_line


def committed_check(repository: Repository, commit: str) -> str:
    """Return the check that a repository names in a commit, or "".

    Raises:
        InvalidInput: its file cannot be read.
    """
    text = CommitFiles(repository, commit).text(REPOSITORY_FILE, FILE_LIMIT)
    where = f"{REPOSITORY_FILE} of {commit[:12]}"
    return committed_value(text, where, "landing.check") if text else ""


def ready_environment(paths: Paths, repository: Repository, commit: str) -> Environment | None:
    """Return the environment of a commit, which is built; None is ctui's default image.

    Call it in a thread.

    Raises:
        ConsentRequired: it is not built, or nobody has consented to it.
        Refused: it has services, which a check cannot have.
        CtuiError: its definition cannot be read.
    """
    plan = plan_of(paths, repository, commit)
    if plan is None:
        return None
    found = shown(paths, plan)
    what = f"the environment of what would be landed ({one_line(found.file)})"
    build = f"ctui env build --base {commit[:12]}"
    if found.consent == "needed":
        hint = f"`ctui env show --base {commit[:12]}` says what it is, `{build} --yes` consents"
        raise ConsentRequired(f"{what} needs your consent, and is not built without", hint=hint)
    record = Records(paths).get(plan.id)
    if record is None or record.state != "ready":
        raise ConsentRequired(f"{what} is not built ({found.state})", hint=build)
    if record.services:
        names = ", ".join(one_line(one.name) for one in record.services)
        raise Refused(
            f"{what} has services ({names}), and a check has none yet",
            hint="run it in a task, then land with --no-check",
        )
    return record
