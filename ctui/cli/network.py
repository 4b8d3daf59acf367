"""`ctui network`: the hosts that tasks reach, and what they reached."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, print_table
from ctui.cli.task.task_names import complete_task
from ctui.errors import InvalidInput, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from ctui.cli.shapes import ShownNetwork
    from ctui.gateway.egress.policy import Policy
    from ctui.tasks.host_rules import Effect, HostRule
    from ctui.tasks.model import Task


@click.group("network")
def command() -> None:
    """Show and change which hosts tasks reach.

    A task has no network of its own: what it sends goes through the gateway, which decides by name.
    What is denied anywhere is denied; hosts that nobody has named are asked for.
    """


def _scope_options(function: Callable[..., Any]) -> Callable[..., Any]:
    function = click.option(
        "--task", metavar="NAME", shell_complete=complete_task, help="Of this task only."
    )(function)
    return click.option(
        "--repo", metavar="PATH", help="Of the tasks of the repository that this folder is in."
    )(function)


class _Scope:
    """Tasks that a rule is for, or whose rules are shown."""

    def __init__(self, task: str | None, repo: str | None) -> None:
        import msgspec

        from ctui.config import load_config
        from ctui.tasks.network.sealed import is_sealed

        if task is not None and repo is not None:
            raise InvalidInput("--task and --repo exclude each other", hint="keep one of them")
        self.repository = ""
        self.task: Task | None = None
        self.config = load_config(context.paths())
        if task is not None:
            self.task = found = context.store().tasks.get(task)
            self.repository = found.repository
            network, sealed = self.config.network, is_sealed(found)
            mode = found.options.network if sealed else network.mode
            network = msgspec.structs.replace(network, gateway=sealed, mode=mode)
            self.config = msgspec.structs.replace(self.config, network=network)
        elif repo is not None:
            self.repository = str(context.repository(repo).common_dir)

    def rules(self) -> list[HostRule]:
        """Return the kept rules that tasks of this scope have."""
        return context.store().host_rules.of(self.repository, self.task_id)

    @property
    def task_id(self) -> str:
        """Id of the task that it is about; "" for several."""
        return self.task.id if self.task else ""

    def policy(self) -> Policy:
        """Return what its tasks reach.

        Raises:
            Refused: its task is on the engine's network.
        """
        from ctui.tasks.network.rules import policy_of
        from ctui.tasks.network.sealed import task_policy

        if self.task is None:
            return policy_of(self.config, self.rules())
        if not self.config.network.gateway:
            raise Refused(
                f"the task {self.task.id} is unsealed: it reaches what the engine's network does",
                hint="leave --task out for tasks behind the gateway",
            )
        return task_policy(self.task, self.config, self.rules())


@command.command("show")
@_scope_options
@click.option("--shipped", is_flag=True, help="List ctui's own hosts as well.")
@json_option
def show(task: str | None, repo: str | None, *, shipped: bool, as_json: bool) -> None:
    """Show what tasks reach, and which rule says so."""
    scope = _Scope(task, repo)
    shown = _shown(scope)
    if as_json:
        print_json(shown)
        return
    unsealed = "unsealed" if task else "unsealed: network.gateway is off"
    state = "sealed behind the gateway" if shown.gateway else unsealed
    whose = f"{task} is" if task else "new tasks are"
    click.echo(f"{whose} {state}; {'its mode' if task else 'network.mode'} is {shown.mode}")
    rows = [[str(rule.id or ""), rule.effect, rule.host, rule.origin] for rule in shown.rules]
    rows += [["", "opened", f"{one.host}: {one.header}", one.secret] for one in shown.opened]
    rows += [["", "ssh", one.host, one.key] for one in shown.ssh]
    rows += [["", "private", host, "person"] for host in shown.private]
    rows += [["", "offer", host, "settings"] for host in shown.offered]
    if shipped:
        rows += [["", "allow", one.host, f"shipped: {one.source}"] for one in shown.shipped]
    print_table(["ID", "RULE", "HOST", "BY"], rows, empty="nobody has named a host")
    if not shipped:
        click.echo(f"and {len(shown.shipped)} package registries and git hosts (--shipped)")


def _shown(scope: _Scope) -> ShownNetwork:
    from ctui.cli.shapes import OpenedHost, ShippedHost, ShownHostRule, ShownNetwork, SshHost
    from ctui.gateway.egress.shipped import SHIPPED

    network, lending = scope.config.network, scope.config.gateway
    said = [ShownHostRule(None, "allow", host, "settings") for host in network.allowed]
    said += [ShownHostRule(None, "deny", host, "settings") for host in network.denied]
    if scope.task is not None:
        given = scope.task.options.allow_hosts
        said += [ShownHostRule(None, "allow", host, "task") for host in given]
    kept = [ShownHostRule(one.id, one.effect, one.host, one.origin) for one in scope.rules()]
    return ShownNetwork(
        mode=network.mode,
        gateway=network.gateway,
        rules=[*said, *kept],
        opened=[OpenedHost(one.host, one.name, one.secret) for one in lending.credentials],
        ssh=[SshHost(one.host, one.key) for one in lending.ssh],
        private=list(network.private_hosts),
        offered=list(network.offered),
        shipped=[ShippedHost(one.host, list(one.ports), one.source) for one in SHIPPED],
    )


@command.command("check")
@click.argument("host")
@_scope_options
@json_option
def check(host: str, task: str | None, repo: str | None, *, as_json: bool) -> None:
    """Say whether tasks reach HOST, or HOST:PORT, and why; exit with 1 where they do not.

    It looks at the name only: an address that it leads to and that is not public is refused later.
    """
    from ctui.tasks.network.rules import verdict_of

    scope = _Scope(task, repo)
    verdict = verdict_of(scope.policy(), host, scope.config)
    if as_json:
        print_json(verdict)
    else:
        added = f"; opened: {verdict.opened} is added" if verdict.opened else ""
        click.echo(f"{verdict.host}:{verdict.port} {verdict.verdict}: {verdict.rule}{added}")
    if verdict.verdict != "allowed":
        raise SystemExit(1)


@command.command("allow")
@click.argument("hosts", nargs=-1, required=True, metavar="HOST...")
@_scope_options
@json_option
def allow(hosts: tuple[str, ...], task: str | None, repo: str | None, *, as_json: bool) -> None:
    """Let tasks reach HOST, *.DOMAIN or HOST:PORT; without a port it is the web's, 80 and 443.

    It counts at once, also for what waits.
    """
    _change(hosts, "allow", _Scope(task, repo), as_json=as_json)


@command.command("deny")
@click.argument("hosts", nargs=-1, required=True, metavar="HOST...")
@_scope_options
@json_option
def deny(hosts: tuple[str, ...], task: str | None, repo: str | None, *, as_json: bool) -> None:
    """Let no task reach HOST, *.DOMAIN or HOST:PORT, whoever allows it; without a port: on none."""
    _change(hosts, "deny", _Scope(task, repo), as_json=as_json)


@command.command("sign")
@click.argument("hosts", nargs=-1, required=True, metavar="HOST...")
@_scope_options
@json_option
def sign(hosts: tuple[str, ...], task: str | None, repo: str | None, *, as_json: bool) -> None:
    """Let tasks sign in at HOST or HOST:PORT by ssh unasked, with the key of [[gateway.ssh]].

    The key stays outside of them.
    """
    _change(hosts, "sign", _Scope(task, repo), as_json=as_json)


@command.command("forget")
@click.argument("ids", nargs=-1, required=True, type=click.IntRange(1, 2**63 - 1), metavar="ID...")
@json_option
def forget(ids: tuple[int, ...], *, as_json: bool) -> None:
    """Take rules back that an answer or a command made; `ctui network show` has their ids."""
    store = context.store()
    gone = [store.host_rules.forget(rule) for rule in dict.fromkeys(ids)]
    _tell_driver()
    if as_json:
        print_json(gone)
        return
    for rule in gone:
        click.echo(f"forgotten {rule.id}: {rule.effect} {rule.host}")


@command.command("log")
@click.argument("task", required=False, shell_complete=complete_task)
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@json_option
def log(task: str | None, *, limit: int, as_json: bool) -> None:
    """Show what tasks asked for outside, the newest last: hosts, verdicts, bytes; no contents."""
    from ctui.gateway.books.reading import read_requests
    from ctui.humanize import age, size_text

    if task is not None:
        context.store().tasks.get(task)  # says that there is none
    rows = read_requests(context.paths().network_books, task=task or "", limit=limit)
    rows.reverse()
    if as_json:
        print_json(rows)
        return
    print_table(
        ["AGE", "TASK", "HOST", "VERDICT", "RULE", "CREDENTIAL", "UP", "DOWN"],
        [
            [
                age(one.at),
                one.task,
                f"{one.host}:{one.port}",
                one.verdict,
                one.anomaly or one.rule,
                one.credential,
                size_text(one.up),
                size_text(one.down),
            ]
            for one in rows
        ],
        empty="no task has asked for anything outside",
    )


def _change(hosts: tuple[str, ...], effect: Effect, scope: _Scope, *, as_json: bool) -> None:
    from ctui.tasks.store import now

    rules = [_rule_of(host, effect, scope) for host in hosts]  # all of them, or none
    table = context.store().host_rules
    kept = [table.set(host, effect, now(), scope.repository, scope.task_id) for host in rules]
    _tell_driver()
    if as_json:
        print_json(kept)
        return
    for rule in kept:
        click.echo(f"{rule.id}: {rule.effect} {rule.host} ({rule.origin})")


def _rule_of(host: str, effect: Effect, scope: _Scope) -> str:
    """Return a rule as it is kept."""
    from ctui.host_port import SSH
    from ctui.tasks.network.lent import checked_target, ssh_target
    from ctui.tasks.network.rules import checked_host

    if effect != "sign":
        return str(checked_host(host, effect))
    target = checked_target(host, SSH)
    there = [ssh_target(rule) for rule in scope.config.gateway.ssh]
    if target not in there:
        named = f"they name {', '.join(map(str, there))}" if there else "there is none"
        raise InvalidInput(
            f"no rule of [[gateway.ssh]] is for {target}; {named}",
            hint="`ctui config edit` adds one: docs/network.md",
        )
    return str(target)


def _tell_driver() -> None:
    from ctui.client.rule_changes import tell_rules_changed

    asyncio.run(tell_rules_changed(context.paths()))
