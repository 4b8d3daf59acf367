"""`ctui login`: the login of tasks, and others by name."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.login_input import complete_login, given_token
from ctui.cli.output import json_option, print_json, print_table, warn
from ctui.errors import CtuiError, InvalidInput

if TYPE_CHECKING:
    from ctui.cli.shapes import ShownLogin
    from ctui.paths import Paths


@click.group("login", invoke_without_command=True)
@click.option(
    "--login",
    "name",
    default="",
    metavar="NAME",
    help="Store it by this name, for `ctui run --login NAME`.  [default: for all tasks]",
)
@click.option(
    "--token-file",
    metavar="FILE",
    help="Read the token or API key from FILE (`-` is stdin) and ask nothing.",
)
@click.pass_context
def command(click_context: click.Context, name: str, token_file: str | None) -> None:
    """Store a token (from `claude setup-token`) or an API key for tasks.

    It is typed, read from stdin or from a file: never written on a command line. Without a name
    it is the login that `ctui setup` stores.
    """
    if click_context.invoked_subcommand is not None:
        if name or token_file:
            said = click_context.invoked_subcommand
            raise click.UsageError(f"--login and --token-file do not go in front of {said}.")
        return
    from ctui.claude.login.credentials import Credential, store_credential
    from ctui.claude.login.named import check_login_name, store_named

    paths = context.paths()
    if name:
        check_login_name(name)
    if not (text := given_token(token_file)):
        raise InvalidInput("no token was given", hint="`claude setup-token` prints one; paste it")
    credential = Credential.parse(text)
    if not name:
        click.echo(f"the login is stored in {store_credential(paths, credential)}")
        return
    stored = store_named(paths, name, credential)
    where = "the platform's keyring" if stored.place == "keyring" else "a file of mode 0600"
    click.echo(f"the login {name} is stored in {where}; `ctui run --login {name}` uses it")


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the logins with a name, and the tasks that have each. No value is read."""
    from ctui.claude.login.named import named_logins
    from ctui.cli.shapes import ShownLogin

    paths = context.paths()
    having = _tasks(paths)
    shown = [
        ShownLogin(one.name, one.kind, one.place, one.stored, having.get(one.name, []))
        for one in sorted(named_logins(paths).values(), key=lambda one: one.name)
    ]
    if as_json:
        print_json(shown)
        return
    header = ["NAME", "KIND", "PLACE", "AGE", "TASKS"]
    empty = "no login has a name: `ctui login --login NAME` stores one"
    print_table(header, [_row(one) for one in shown], empty=empty)


@command.command("remove")
@click.argument("name", shell_complete=complete_login)
def remove(name: str) -> None:
    """Forget a login. Tasks that have it wait at their next run until it is stored again."""
    from ctui.claude.login.named import remove_named

    paths = context.paths()
    remove_named(paths, name)
    click.echo(f"the login {name} is forgotten")
    if tasks := _tasks(paths).get(name):
        warn(f"* tasks that have it wait at their next run: {', '.join(tasks)}")


def _row(one: ShownLogin) -> list[str]:
    from ctui.humanize import age

    return [one.name, one.kind, one.place, age(one.stored), ", ".join(one.tasks)]


def _tasks(paths: Paths) -> dict[str, list[str]]:
    """Return the tasks on the list by the name of their login."""
    found: dict[str, list[str]] = {}
    if not paths.database.exists():
        return found
    try:
        tasks = context.store().tasks.list()
    except (CtuiError, sqlite3.Error):
        return found
    for task in tasks:
        if task.options.login:
            found.setdefault(task.options.login, []).append(task.id)
    return found
