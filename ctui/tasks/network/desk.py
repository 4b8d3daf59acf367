"""The driver's side of the gateway: what runs need of it, and what it says of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Container, Coroutine, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ctui.config import Config
from ctui.config.gateway_section import GatewayConfig
from ctui.errors import CtuiError
from ctui.gateway import model as gateway
from ctui.gateway.egress.policy import Policy
from ctui.tasks.mailbox import mail
from ctui.tasks.mailbox.ports import LoginSource
from ctui.tasks.model import Task
from ctui.tasks.network.gate import Gate, Link
from ctui.tasks.network.lent import lent_to, still_lent
from ctui.tasks.network.rules import policy_of
from ctui.tasks.network.sealed import (
    SealedRun,
    access_of,
    folder_name,
    is_sealed,
    login_of,
    task_policy,
)
from ctui.tasks.store import Store

LENT = "build:"
"""Beginning of the name of an access that no task has; no task's id has a colon."""
_LENT_SECONDS = 300.0

log = logging.getLogger(__name__)


class _Lent(NamedTuple):
    repository: str
    """Common directory of the repository whose rules of hosts count."""
    end: asyncio.TimerHandle


class NetworkDesk:
    """The gateway for all tasks of a driver; see `mailbox.ports.Network`."""

    def __init__(
        self,
        link: Link,
        folder: Path,
        store: Store,
        logins: LoginSource,
        config: Callable[[], Config],
    ) -> None:
        """Begin with no run; `tell` has to be set before the gateway says anything."""
        self.tell: Callable[[str, mail.GatewayMail], None]
        self._link = link
        self._gate = Gate(
            link, folder, lambda: (config().network.ports, config().serve.ports_place)
        )
        self._store, self._logins, self._config = store, logins, config
        self._taken_over: set[str] = set()
        """Tasks with something that an earlier driver opened."""
        self._labels: dict[str, str] = {}
        """Task of each label."""
        self._wanted: dict[str, str] = {}
        """Task of each host that is asked for."""
        self._lent: dict[str, _Lent] = {}
        self._spent: dict[str, float] = {}
        self._renewing: set[str] = set()
        """Runs whose login is looked for: the gateway asks again before a slow keyring answers."""
        self._jobs: set[asyncio.Task[None]] = set()

    def take_over(self) -> None:
        """Have the runs of an earlier driver in the table before it is pushed first."""
        found = [access for number in self._numbers() if (access := self._left(*number))]
        self._labels = {access.label: access.task for access in found}
        self._taken_over = {access.task for access in found}
        self._gate.begin(found)

    def _numbers(self) -> Iterator[tuple[str, int]]:
        """Yield the runs that are under way, and those whose sandbox is open for a shell."""
        yield from ((run.task, run.number) for run in self._store.runs.open())
        if not self._gate.folder.is_dir():
            return
        there = {path.name for path in self._gate.folder.iterdir()}
        for task in self._store.tasks.list():
            last = self._store.runs.last(task.id)
            number = last.number + 1 if last else 1
            if folder_name(task.id, number) in there:
                yield task.id, number

    def _left(self, task_id: str, number: int) -> gateway.Access | None:
        """Return the access of a run of an earlier driver, if it has one."""
        try:
            task = self._store.tasks.get(task_id, removed=True)
            if not is_sealed(task):
                return None
            policy, folder = self._policy(task), self._gate.folder
            access = access_of(task.id, number, policy, folder, task.options.budget)
            return lent_to(access, self._config(), None)
        except CtuiError as error:  # one bad record hides no other
            log.warning("a run of %s has no network: %s", task_id, error.one_line())
            return None

    # -- what runs need

    async def open(self, run: SealedRun) -> None:
        """Let a run reach what it may."""
        self._labels[run.access.label] = run.access.task
        await self._gate.open(run)

    async def close(self, task: str) -> None:
        """Take everything away that a task reached."""
        await self._gate.close(task)
        self._labels = {label: one for label, one in self._labels.items() if one != task}

    async def close_others(self, at_work: Container[str]) -> None:
        """Take away what an earlier driver opened for tasks that are not at work."""
        for task in sorted(self._taken_over):
            if task not in at_work:
                await self.close(task)
        self._taken_over = set()

    async def lend(self, name: str, repository: str) -> Path:
        """Let a build reach what the repository's tasks do."""
        lent = f"{LENT}{name}"
        if (earlier := self._lent.get(lent)) is not None:
            earlier.end.cancel()
        # Before anything can fail: what is in the table by then is taken back, too.
        end = asyncio.get_running_loop().call_later(_LENT_SECONDS, self._take_back, lent)
        self._lent[lent] = _Lent(repository, end)
        access = access_of(lent, 0, self._lent_policy(repository), self._gate.folder)
        await self._gate.open(SealedRun(access, None))
        return Path(access.folder)

    @property
    def lends(self) -> bool:
        """Return True while a build may have what it was lent: nobody else takes it back."""
        return bool(self._lent)

    def _take_back(self, lent: str) -> None:
        self._lent.pop(lent, None)
        self._do(self._gate.close(lent))

    def decide(self, request: str, *, allow: bool) -> None:
        """Let what waits for a host go on, or refuse it."""
        self._link.decide(request, allow=allow)

    def rules_changed(self) -> None:
        """Have the rules of hosts, and what the settings lend, count as they are now."""
        self._do(self._gate.change(self._now))

    # -- what the gateway says

    def hear(self, event: gateway.FromGateway) -> None:
        """Pass on to a task what the gateway says of it."""
        if (news := self._news(event)) is not None:
            self.tell(*news)
            return
        match event:
            case gateway.Spent():
                # It is told after each call, also one that was refused and cost nothing.
                if event.dollars > self._spent.get(event.task, 0.0):
                    self._spent[event.task] = event.dollars
                    self._logins.accepted(event.task)
            case gateway.LoginRejected(run=run) if run not in self._renewing:
                self._renewing.add(run)
                self._do(self._log_in_again(event))
            case gateway.Anomaly():
                log.warning("the gateway: %s: %s", event.kind, event.text)

    def _news(self, event: gateway.FromGateway) -> tuple[str, mail.GatewayMail] | None:
        """Return the task that an event is for, and what it is told; None for any other event."""
        match event:
            case gateway.HostWanted(id=request, run=run, host=host, port=port):
                self._wanted[request] = event.task
                number = int(run.rpartition("/")[2])
                return event.task, mail.HostAsked(
                    run=number,
                    request=request,
                    host=host,
                    port=port,
                    program=event.program,
                    key=event.key,
                )
            case gateway.HostGone(id=request) if task := self._wanted.pop(request, ""):
                return task, mail.HostGone(request=request)
            case gateway.Listening(label=label) if task := self._labels.get(label, ""):
                return task, mail.PortsChanged(ports=event.ports)
            case gateway.LimitReached(run=run):
                said = mail.LimitReached(resets_at=event.resets_at)
                return run.rpartition("/")[0], said
            case gateway.Anomaly(run=run) if run:
                return run.rpartition("/")[0], mail.Anomaly(kind=event.kind, text=event.text)
        return None

    async def _log_in_again(self, event: gateway.LoginRejected) -> None:
        """Read a task's login anew, and have the gateway try again with another one."""
        login = None
        try:
            task = self._store.tasks.get(event.run.rpartition("/")[0], removed=True)
            if await self._logins.another(task):
                account = await self._logins.of(task, needed=True)
                login = login_of(task, account, self._config())
            if login is not None:
                await self._gate.renew(login)
        finally:
            self._renewing.discard(event.run)
        self.tell(task.id, mail.LoginRejected(renewed=login is not None))

    def _now(self, access: gateway.Access) -> gateway.Access:
        try:
            if (lent := self._lent.get(access.task)) is not None:
                policy = self._lent_policy(lent.repository)
            else:
                policy = self._policy(self._store.tasks.get(access.task, removed=True))
            return still_lent(msgspec.structs.replace(access, egress=policy), self._config())
        except CtuiError as error:  # what cannot be read allows nothing more
            log.warning("the rules of %s stay as they are: %s", access.task, error.one_line())
            return access

    def _lent_policy(self, repository: str) -> Policy:
        # Hosts that are reached for a credential are none of a build, which has no credential.
        config = msgspec.structs.replace(self._config(), gateway=GatewayConfig())
        policy = policy_of(config, self._store.host_rules.of(repository, ""))
        # There is nobody to be asked by: what is not allowed is refused at once.
        return msgspec.structs.replace(policy, hold=0.0)

    def _policy(self, task: Task) -> Policy:
        rules = self._store.host_rules.of(task.repository, task.id)
        return task_policy(task, self._config(), rules)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.ensure_future(self._safely(work))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _safely(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except CtuiError as error:
            log.warning("the gateway: %s", error.one_line())
