"""A landing that is checked first: what would be landed is what is checked, or nothing moves."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ctui.client.access.environment_shell import network_builder
from ctui.client.access.secrets_of_shells import beginning, hand_over
from ctui.client.landing.failures import CheckFailed, CheckTimedOut, NoCheck
from ctui.client.landing.queue import turn
from ctui.client.landing.records import Check, LandingRecord, LandingRecords, Outcome
from ctui.config import Config, parse_size
from ctui.config.durations import parse_duration
from ctui.environments.check.log import CheckLog
from ctui.environments.check.running import (
    Bounds,
    Ended,
    check_argv,
    check_container,
    follow_check,
    name_of_check,
    sweep_checks,
)
from ctui.environments.check.wanted import committed_check, ready_environment
from ctui.environments.definition.commit_files import CommitFiles
from ctui.environments.records import Environment
from ctui.errors import Conflict, Unavailable
from ctui.paths import Paths
from ctui.redaction.forms import weakness
from ctui.redaction.redactor import Redactor
from ctui.sandbox.commands import Command, SandboxProcess
from ctui.sandbox.docker.docker_commands import DockerCommands
from ctui.tasks.secrets.values import Values, read_values
from ctui.text import one_line
from ctui.worktrees.landing.checkouts import branch_name
from ctui.worktrees.landing.kept_commit import kept_commit
from ctui.worktrees.landing.land import Landed, Prepared, finish, target_ref
from ctui.worktrees.landing.landing_commit import shown_branch

if TYPE_CHECKING:
    from ctui.git.repository.repository import Repository

_TRIES = 3


class Listener(NamedTuple):
    """Somebody who is told how a checked landing goes; all of it is safe to show."""

    line: Callable[[str], None]
    """Takes each line that the check prints."""
    note: Callable[[str], None]
    """Takes each line that ctui says of it."""


class Wanted(NamedTuple):
    """A landing that is to be checked."""

    worktree: Path
    target: str | None
    """As `land` takes it."""
    prepare: Callable[[], Awaitable[Prepared]]
    """Computes it anew."""
    command: str = ""
    """The check; else that of the settings, else that of the repository."""


class CheckedLanding:
    """Landings of one repository that are checked."""

    def __init__(
        self, paths: Paths, config: Config, repository: Repository, listener: Listener
    ) -> None:
        self._paths = paths
        self._config = config
        self._repository = repository
        self._listener = listener
        self._records = LandingRecords(paths)

    async def land(self, wanted: Wanted) -> tuple[Landed, LandingRecord]:
        """Wait for the turn, check what would be landed, and land exactly that.

        If the target moves meanwhile, it is computed and checked again.

        Raises:
            NoCheck: no check is named.
            CheckFailed: it did not pass.
            ConsentRequired: its environment is not built, or needs the person's consent.
            Conflict: the target moved during each try, or see `finish`.
            CtuiError: as `land`.
        """
        ref = target_ref(self._repository, wanted.target)
        queues = self._records.folder / "queues"
        name = wanted.worktree.name

        def waits(other: str) -> None:
            self._listener.note(f"waits for the landing of {other} in {shown_branch(ref)}")

        async with turn(queues, self._repository.common_dir, ref, name, waits) as key:
            for _ in range(_TRIES):
                prepared = await wanted.prepare()
                try:
                    with kept_commit(self._repository, key, prepared.after):
                        await finish(self._repository, prepared, dry_run=True)
                        record = await self._checked(wanted, prepared)
                        landed = await finish(self._repository, prepared)
                except Conflict:
                    if self._repository.resolve(ref) == prepared.before:
                        raise
                    self._listener.note(f"{shown_branch(ref)} moved meanwhile: once more")
                    continue
                record = msgspec.structs.replace(record, outcome="landed")
                self._records.save(record)
                return landed, record
        raise Conflict(
            f"{shown_branch(ref)} moved during each of {_TRIES} checks",
            hint="look who else works on it, then try again",
        )

    async def _checked(self, wanted: Wanted, prepared: Prepared) -> LandingRecord:
        """Check a landing, and return its record, which is kept in any case."""
        own = wanted.command or self._config.landing.check
        before, after = prepared.before, prepared.after
        command = own or await asyncio.to_thread(committed_check, self._repository, before)
        if not command.strip():
            raise NoCheck(
                "no check is named",
                hint='set check = "make test" in [landing] of your config (`ctui config edit`), '
                f"or of the .ctui.toml that is committed in {shown_branch(prepared.ref)}",
            )
        environment = await asyncio.to_thread(
            ready_environment, self._paths, self._repository, after
        )
        secrets = await asyncio.to_thread(self._secrets, own=bool(own))
        identity = self._records.new_id()
        started = time.monotonic()
        files = CommitFiles(self._repository, after)
        outcome: Outcome = "interrupted"
        ended = Ended(None)
        where = f"the environment {environment.id}" if environment else "ctui's default image"
        self._listener.note(f"checks {after[:10]} in {where}: {one_line(command, 200)}")
        try:
            ended = await self._run(identity, files, environment, command, secrets)
            passed: Outcome = "passed" if ended.exit == 0 else "failed"
            outcome = passed if ended.in_time else "timed out"
        finally:
            record = LandingRecord(
                id=identity,
                repository=str(self._repository.common_dir),
                worktree=str(wanted.worktree),
                branch=branch_name(prepared.branch),
                target=branch_name(prepared.ref),
                method=prepared.method,
                before=before,
                after=after,
                commits=prepared.commits,
                environment=environment.id if environment else "",
                outcome=outcome,
                when=time.time_ns(),
                check=Check(
                    command=command,
                    exit=ended.exit,
                    seconds=round(time.monotonic() - started, 1),
                    tree=files.tree,
                    log=str(self._records.log(identity)),
                ),
            )
            self._records.save(record)
        return self._passed(record)

    def _secrets(self, *, own: bool) -> Values:
        """Return what the person's own check is given; a repository's gets nothing."""
        names = self._config.landing.secret_names if own else ()
        found = read_values(self._paths, names, os.environ)
        if found.problem is not None:
            raise found.problem
        return found

    def _passed(self, record: LandingRecord) -> LandingRecord:
        """Return the record of a check that passed. Raises CheckFailed."""
        check, target = record.check, one_line(record.target)
        hint = f"{target} is as it was; all of the output: {check.log}"
        if record.outcome == "timed out":
            limit = self._config.landing.timeout
            message = f"the check was stopped after {limit} (landing.timeout)"
            raise CheckTimedOut(message, hint=hint, check=check)
        if record.outcome != "passed":
            how = "was killed" if check.exit is None else f"failed (exit code {check.exit})"
            raise CheckFailed(f"the check {how}", hint=hint, check=check)
        return record

    async def _run(
        self,
        identity: str,
        files: CommitFiles,
        environment: Environment | None,
        command: str,
        secrets: Values,
    ) -> Ended:
        """Run a check, and keep what it prints; for the errors see `follow_check`."""
        paths, config = self._paths, self._config
        bounds = Bounds(parse_duration(config.landing.timeout), parse_size(config.tasks.free_space))
        repository = str(self._repository.common_dir)
        redactor = Redactor(secrets.redacted)
        for line in "\n".join(secrets.redacted).splitlines():  # as one with several is printed
            if not weakness(line):
                redactor.add(line)
        with CheckLog(self._records.log(identity)) as log:

            def heard(line: str) -> None:
                log.write(line)
                self._listener.line(line)

            async with (
                name_of_check(paths, identity) as name,
                network_builder(paths, config, name, repository) as builder,
            ):
                await sweep_checks(builder.engine, paths)
                container = check_container(builder, name, files, environment, bounds)
                async with container as running:
                    commands = DockerCommands(builder.engine.endpoint)
                    process = await _begun(commands, running, command, secrets.variables)
                    return await follow_check(process, paths.data, bounds, heard, redactor)


async def _begun(
    commands: DockerCommands, container: str, command: str, secrets: Mapping[str, str]
) -> SandboxProcess:
    argv = check_argv(command)
    if not secrets:
        return await commands.run(container, Command(argv))
    process = await commands.run(container, Command(beginning(argv)))
    try:
        await hand_over(process, secrets)
    except Unavailable as error:
        raise Unavailable("the check does not take landing.secrets", hint=error.message) from error
    return process
