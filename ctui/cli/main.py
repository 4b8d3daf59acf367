"""The tree of commands; each is imported only when it is used."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctui import __version__
from ctui.cli.commands import COMMANDS
from ctui.cli.lazy_group import LazyGroup
from ctui.cli.output import drop_output, report
from ctui.errors import ConsentRequired, CtuiError, InvalidInput, NotFound
from ctui.text import one_line

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

NEEDS_CONSENT = 3
"""Exit code where a command would build or run what nobody has consented to."""


class AllCommands(LazyGroup):
    """Group that knows the names and the help of its commands, and loads one when it runs."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the names of commands, without loading any."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=COMMANDS[name][1])
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]

    def list_commands(self, _context: click.Context) -> list[str]:
        return [name for name in COMMANDS if name != "wt"]

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, COMMANDS[name][1]) for name in self.list_commands(context)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=AllCommands,
    elsewhere={name: f"{module}:command" for name, (module, _) in COMMANDS.items()},
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "-V", "--version", message="ctui %(version)s")
@click.option("--mcp", is_flag=True, help="Serve the Model Context Protocol on stdin and stdout.")
@click.option(
    "--repo", type=click.Path(path_type=str), help="With --mcp: its repository.  [default: here]"
)
@click.option(
    "--config-path",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, wanted: _print_config_path(context) if wanted else None,
    help="Print the path of your file of settings.",
)
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    help="Print what led to an error, without secrets, and where the driver's log is.",
)
@click.pass_context
def cli(context: click.Context, repo: str | None, *, mcp: bool) -> int | None:
    """Run several Claude Code tasks at once, each in its own worktree and sealed container.

    Without a command, or with the PATH of a repository, the dashboard is shown.
    """
    if mcp and context.invoked_subcommand is None:
        from pathlib import Path

        from ctui.cli.extras import require

        if not Path(repo or ".").is_dir():
            raise NotFound(f"there is no folder {repo}", hint="name a git repository with --repo")
        require("mcp", "ctui --mcp")
        from ctui.mcp_server.server import run

        run(repo or ".")
    if context.invoked_subcommand is None:
        context.fail("Missing command.")
    if mcp or repo is not None:
        context.fail(f"--mcp and --repo do not go in front of {context.invoked_subcommand}.")
    return None


def _print_config_path(context: click.Context) -> None:
    from ctui.paths import Paths

    click.echo(str(Paths.from_environment().config_file))
    context.exit()


def _report_usage(error: click.ClickException, *, as_json: bool) -> None:
    """Report wrong usage in one line, as any other error: click would print the usage above it."""
    where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "ctui"
    message = error.format_message()
    message = (message[:1].lower() + message[1:]).rstrip(".")
    report(InvalidInput(message, hint=f"{where} --help"), as_json=as_json)


def _open_missing_streams() -> None:
    """Open the null device for each closed stream: whoever closed it wants nothing from it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - for good


def _refuse_what_is_no_text(arguments: Sequence[str]) -> None:
    for number, argument in enumerate(arguments, 1):
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(f"argument {number} is not UTF-8", hint="write it anew") from error


def run(arguments: Sequence[str]) -> int:
    """Run a command line, and turn every error into one line and an exit code."""
    as_json = "--json" in arguments
    _open_missing_streams()
    # Only before the command: behind it, the same word can be a part of a prompt.
    debug = "--debug" in takewhile(lambda argument: argument.startswith("-"), arguments)
    try:
        _refuse_what_is_no_text(arguments)
        result = cli.main(list(arguments), prog_name="ctui", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        _report_usage(error, as_json=as_json)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except CtuiError as error:
        if debug:
            _explain(error)
        report(error, as_json=as_json)
        return NEEDS_CONSENT if isinstance(error, ConsentRequired) else 1
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        drop_output()
        return 0
    except OSError as error:
        drop_output()
        with suppress(OSError):
            report(_in_words(error), as_json=False)
        return 1
    except Exception as error:  # noqa: BLE001 - whatever it is, the person gets one line
        if debug:
            _explain(error)
        hint = "please report it, with what `ctui --debug …` says"
        report(
            CtuiError(f"ctui made a mistake: {one_line(repr(error))}", hint=hint), as_json=as_json
        )
        return 1
    return result if isinstance(result, int) else 0


def _in_words(error: OSError) -> CtuiError:
    try:
        Path.cwd()
    except OSError:
        return NotFound(
            "the folder that you are in is gone",
            hint="go to one that is there, or name the repository with --repo",
        )
    what = f"{error.filename} cannot be used" if error.filename else "it cannot be written"
    return CtuiError(f"{what}: {error.strerror}")


def _explain(error: Exception) -> None:
    from ctui.cli.debug import explain

    explain(error)
