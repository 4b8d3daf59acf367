"""Environments that tasks wait for, built on this machine."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.config import Config
from ctui.errors import ConsentRequired, NotFound
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tasks.mailbox.ports import BuiltEnvironment, ConsentMissing, ConsentQuestion
from ctui.tasks.model import Task
from ctui.tasks.runs.launch import network_name
from ctui.tasks.secrets.registry import wanted_secrets
from ctui.worktrees.owner import TASK_UID

if TYPE_CHECKING:
    from ctui.environments.build.provision import Lend
    from ctui.environments.plan import Plan
    from ctui.environments.records import Records

_LONGEST = 1 << 18
"""Characters that are asked about; more of them nobody reads in an inbox."""
_STEP = re.compile(r"\d+/\d+ |building |pulling |waiting ")


class LocalEnvironments:
    """The environments of one home."""

    def __init__(self, paths: Paths, lend: Lend) -> None:
        self._paths, self._lend = paths, lend

    async def provide(
        self, task: Task, config: Config, agreed: Collection[str], say: Callable[[str], None]
    ) -> BuiltEnvironment:
        """See `Environments.provide`."""
        # Only a task that waits for one needs all this.
        from ctui.environments.build.carrying import carry_into
        from ctui.environments.build.left_out import note_carried
        from ctui.environments.build.provision import Provision, provision
        from ctui.environments.lookup import plan_of
        from ctui.environments.records import Records

        if task.base is None:
            raise NotFound("its worktree has no commit to take an environment from")
        repository = await asyncio.to_thread(open_repository, Path(task.repository))
        plan = await asyncio.to_thread(plan_of, self._paths, repository, task.base)
        if plan is None:
            return BuiltEnvironment()
        records = Records(self._paths)
        _agree(records, plan, agreed)
        network = network_name(self._paths.instance, config.sandbox)
        said = _Steps(say)
        lend = self._lend if config.network.gateway else None
        given = Provision(self._paths, config, network, TASK_UID, said.line, lend)
        made = await provision(given, plan)
        notes: list[str] = []
        if task.options.environment_due == "new-worktree" and task.metadata is not None:
            kept = records.carried(made.id)
            metadata = Path(task.metadata)
            notes = await carry_into(kept, made.carry, Path(task.worktree), metadata)
            await asyncio.to_thread(note_carried, metadata, made.id, made.carry)
        have = {*task.options.env, *task.options.secrets}
        secrets, missing = wanted_secrets(self._paths, made.secrets, have)
        found = BuiltEnvironment(made.id, made.mount_points, (*notes, *missing), made.services)
        return found._replace(
            secrets=secrets, start_commands=made.start_commands, named_ports=made.ports
        )


def _agree(records: Records, plan: Plan, agreed: Collection[str]) -> None:
    """Make sure of the person's consent.

    Raises:
        ConsentMissing: there is none.
        ConsentRequired: nor can it be asked for.
    """
    from ctui.environments.consent import consent_text

    repository, definition = str(plan.repository.common_dir), plan.found.definition
    if not definition.of_repository or records.has_consent(repository, plan.consent):
        return
    if plan.consent in agreed:
        records.give_consent(repository, plan.consent, definition.file)
        return
    text = consent_text(plan, changed=bool(records.consents(repository)))
    if len(text) > _LONGEST:
        raise ConsentRequired(
            f"the environment of {plan.repository.name} is too large to be asked about",
            hint="`ctui env show` says what it is, `ctui env build --yes` consents",
        )
    raise ConsentMissing(ConsentQuestion(plan.repository.name, definition.file, plan.consent, text))


class _Steps:
    """The steps of a build as a transcript has them: each once, and not what they print."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._left = 100

    def line(self, text: str) -> None:
        if _STEP.match(text) and self._left:
            self._left -= 1
            self._say(text)
