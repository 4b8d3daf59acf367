"""`ctui config`: the settings; what edits, imports and grants is in files of its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.config.config_edit import edit
from ctui.cli.config.config_grants import grants
from ctui.cli.config.config_import import import_
from ctui.cli.config.config_trust import trust
from ctui.cli.output import json_option, print_json, print_table, report, warn
from ctui.errors import CtuiError, NotFound

if TYPE_CHECKING:
    from ctui.cli.shapes import ShownConfig


@click.group("config")
def command() -> None:
    """Show, check, edit and import settings; list and revoke grants and trust.

    What counts, the strongest first: options of a command, the environment (CTUI_…), the
    repository's .ctui.toml (a few harmless keys), your file, the defaults.
    """


for _command in (edit, import_, grants, trust):
    command.add_command(_command)


@command.command("init")
@click.option("--force", is_flag=True, help="Replace the file that is there.")
def init(*, force: bool) -> None:
    """Write a file that explains every setting, with all defaults as comments."""
    from ctui.config.template import template
    from ctui.config.writing import write_file

    path = context.paths().config_file
    write_file(path, template(), replace=force)
    click.echo(str(path))


@command.command("show")
@click.option(
    "--repo", type=click.Path(path_type=str), help="A folder in the repository.  [default: here]"
)
@json_option
def show(repo: str | None, *, as_json: bool) -> None:
    """Show the value of every setting that counts here, and where it comes from."""
    shown = _shown(repo)
    if as_json:
        print_json(shown)
        return
    from ctui.config.problems import toml_value

    rows = []
    for setting in shown.settings:
        line = f":{setting.line}" if setting.line else ""
        where = f"{setting.origin} ({setting.where}{line})" if setting.where else setting.origin
        rows.append([setting.key, toml_value(setting.value), where])
    print_table(["KEY", "VALUE", "FROM"], rows, empty="no settings")


@command.command("validate")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_option
def validate(file: Path | None, *, as_json: bool) -> int:
    """Check your file, or FILE: every problem with its line. Exit code 1 if there is any.

    Without FILE, variables CTUI_… that mean nothing are problems too.
    """
    from ctui.cli.shapes import FoundProblem, ValidatedConfig
    from ctui.client.base_url import all_problems
    from ctui.config.problems import variable_problems
    from ctui.config.sources import FILE_LIMIT, read_text, retired_in

    path = file or context.paths().config_file
    text = read_text(path, FILE_LIMIT)
    if text is None and file is not None:
        raise NotFound(f"there is no file {path}", hint="name another one")
    problems = all_problems(text or "")
    variables = variable_problems(os.environ) if file is None else []
    if as_json:
        both = [*problems, *variables]
        found = [FoundProblem(one.line, one.key, one.message, one.hint) for one in both]
        print_json(ValidatedConfig(str(path), not found, found))
    else:
        for problem in problems:
            report(problem.error(path), as_json=False)
        for problem in variables:
            report(problem.error("the environment"), as_json=False)
        for line in retired_in(path):
            warn(f"{path}: {line}")
        if not problems:
            said = "ok" if text is not None else "is not there; the defaults count"
            click.echo(f"{path}: {said}")
    return 1 if problems or variables else 0


def _shown(repo: str | None) -> ShownConfig:
    from ctui.cli.shapes import ShownConfig, ShownSetting
    from ctui.config.lines import line_of, lines_of
    from ctui.config.model import known_keys
    from ctui.config.sources import FILE_LIMIT, effective, read_text

    paths = context.paths()
    defaults = {key.path: key.default for key in known_keys()}
    found = effective(paths, repository=_settings_folder(repo))
    lines = lines_of(read_text(paths.config_file, FILE_LIMIT) or "")
    settings = []
    for one in found:
        line = line_of(lines, tuple(one.key.split("."))) if one.origin == "user file" else None
        default = defaults.get(one.key)
        settings.append(ShownSetting(one.key, one.value, default, one.origin, one.where, line))
    return ShownConfig(str(paths.config_file), settings)


def _settings_folder(repo: str | None) -> Path | None:
    """Return the checkout whose settings count, of the named repository or of the one around us."""
    from ctui.worktrees.layout import settings_folder

    try:
        return settings_folder(context.repository(repo or "."))
    except CtuiError:
        if repo is not None:
            raise
        return None
