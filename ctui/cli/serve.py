"""`ctui serve`: tasks over HTTP, for services, scripts, agents and browsers on other machines."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.extras import require
from ctui.cli.output import json_option, print_json, repo_option, warn

if TYPE_CHECKING:
    from ctui.config import Config
    from ctui.git.repository.repository import Repository
    from ctui.paths import Paths
    from ctui.web.auth import Tokens
    from ctui.web.listen import Listening

DEFAULT_PORT = 6080

_file = click.Path(path_type=Path, dir_okay=False)


@click.group("serve", invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 takes a free one.",
)
@repo_option
@click.option("--tls-cert", type=_file, help="Certificate with its chain, PEM.")
@click.option("--tls-key", type=_file, help="Its key, PEM, without a password.")
@click.option(
    "--insecure-listen",
    is_flag=True,
    help="Listen without TLS on an address that other machines reach.",
)
@click.option(
    "--name",
    "names",
    multiple=True,
    help="A further name that clients reach it by; can be repeated.",
)
@click.pass_context
def command(
    ctx: click.Context,
    host: str,
    port: int,
    repo: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    *,
    insecure_listen: bool,
    names: tuple[str, ...],
) -> None:
    """Serve the HTTP task API, MCP and the dashboard in a browser, until Ctrl-C; tasks go on.

    All ask for a token: `ctui serve token show` prints it.
    """
    require("serve", "ctui serve")
    if ctx.invoked_subcommand is not None:
        return
    from ctui.web.auth import Tokens
    from ctui.web.listen import listen

    paths = context.paths()
    repository = context.repository(repo)
    tokens = Tokens(paths)
    tokens.current()
    listening = listen(
        host, port, cert=tls_cert, key=tls_key, insecure=insecure_listen, names=names
    )
    asyncio.run(_serve(paths, repository, tokens, listening))
    logging.shutdown()
    sys.stdout.flush()
    # Taking a thousand modules apart takes the interpreter longer than all else.
    os._exit(0)


async def _serve(
    paths: Paths, repository: Repository, tokens: Tokens, listening: Listening
) -> None:
    from ctui.config import load_config
    from ctui.mcp_server.http import PATH, HttpServer
    from ctui.web.app import Part, create_app
    from ctui.web.browser import browser_routes
    from ctui.web.pages_of_tasks import pages_of_tasks
    from ctui.web.server import serve
    from ctui.web.service import Service

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    service = Service(paths, repository)
    # -P and the root as its folder: what lies in the repository is no module.
    shown = str(repository.work_tree or repository.common_dir)
    dashboard = [sys.executable, "-P", "-m", "ctui", shown]
    pages = browser_routes(tokens.check, dashboard, Path("/"), title=repository.name)
    mcp = HttpServer(paths, Path(shown))
    parts = [Part(pages), Part(mcp.routes, (PATH,), mcp.running)]
    app = create_app(service, tokens, names=listening.names, parts=parts)
    warn(f"{listening.url} serves {repository.name}; `ctui serve token show` prints the token")
    config = load_config(paths)
    if note := _pages_note(config, listening.url):
        warn(note)
    await serve(app, listening, service.feeds.close, pages_of_tasks(config))


def _pages_note(config: Config, url: str) -> str:
    """Return how a browser elsewhere gets to what tasks serve; "" where none does."""
    from ctui.client.access.ports import forwarding, is_elsewhere
    from ctui.sandbox.proxies import is_own_address

    if not config.network.ports:
        return ""
    if place := config.serve.ports_place:
        return f"what tasks serve: https://PORT-TASK.{place} (`ctui task open TASK --url`)"
    if is_own_address(url) and not is_elsewhere(os.environ):
        return ""
    way = forwarding(config.network.ports)
    return f"what tasks serve: `{way}` where your browser is, then `ctui task open TASK --url`"


@command.group("token")
def token() -> None:
    """Print or replace the token that clients show to be let in."""


@token.command("show")
@json_option
def show(*, as_json: bool) -> None:
    """Print the token."""
    from ctui.web.auth import Tokens

    _print(Tokens(context.paths()).current(), as_json=as_json)


@token.command("regenerate")
@json_option
def regenerate(*, as_json: bool) -> None:
    """Make a new token and print it; the old one is void at once."""
    from ctui.web.auth import Tokens

    _print(Tokens(context.paths()).regenerate(), as_json=as_json)


def _print(value: str, *, as_json: bool) -> None:
    if as_json:
        from ctui.cli.shapes import ServeToken

        print_json(ServeToken(value))
    else:
        click.echo(value)
