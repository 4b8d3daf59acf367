"""`ctui config import`: the settings of claude-task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import json_option, print_json, warn
from ctui.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from ctui.config.claude_task import Import


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Also where your file says something else already.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, do nothing.")
@json_option
def import_(file: Path, *, force: bool, dry_run: bool, as_json: bool) -> None:
    """Take over what claude-task's config.json says, and say what could not be taken.

    Secrets are never copied.
    """
    from ctui.cli.shapes import ImportedConfig, LeftSetting, TakenSetting
    from ctui.config.template import with_value
    from ctui.config.writing import write_file

    path = context.paths().config_file
    before = _user_file(path)
    found = _without_conflicts(_read(file), before or "", force=force)
    text = _beginning(before)
    for taken in found.taken:
        text = with_value(text, taken.key, taken.value)
    if found.taken and not dry_run:
        write_file(path, text, replace=before is not None)
    if as_json:
        taken_ = [TakenSetting(*one) for one in found.taken]
        print_json(ImportedConfig(str(path), taken_, [LeftSetting(*one) for one in found.left]))
        return
    _tell(found, path, dry_run=dry_run)


def _read(file: Path) -> Import:
    from ctui.config.claude_task import read_claude_task
    from ctui.config.sources import FILE_LIMIT, read_text

    text = read_text(file, FILE_LIMIT)
    if text is None:
        raise NotFound(f"there is no file {file}", hint="name claude-task's config.json")
    try:
        return read_claude_task(text)
    except InvalidInput as error:
        raise InvalidInput(f"{file} {error.message}", hint=error.hint) from error


def _user_file(path: Path) -> str | None:
    from ctui.config.sources import FILE_LIMIT, checked, read_text

    text = read_text(path, FILE_LIMIT)
    for problem in checked(text or "")[1]:
        raise problem.error(path)
    return text


def _without_conflicts(found: Import, text: str, *, force: bool) -> Import:
    """Return the import without what your file sets otherwise; with `force` all of it."""
    from ctui.config.claude_task import Import, Left
    from ctui.config.sources import checked

    values = checked(text)[0]
    taken, left = [], list(found.left)
    for one in found.taken:
        section, _, name = one.key.partition(".")
        yours = values.get(section, {})
        if name in yours and yours[name] != one.value and not force:
            left.append(Left(one.source, f"your file sets {one.key} already (--force replaces it)"))
        else:
            taken.append(one)
    return Import(taken, left)


def _beginning(before: str | None) -> str:
    from ctui.config.template import template

    return template() if before is None else before


def _tell(found: Import, path: Path, *, dry_run: bool) -> None:
    from ctui.config.problems import toml_value

    for one in found.taken:
        note = f" ({one.note})" if one.note else ""
        word = "would take" if dry_run else "took"
        click.echo(f"{word} {one.source}: {one.key} = {toml_value(one.value)}{note}")
    for other in found.left:
        warn(f"left {other.source}: {other.reason}")
    if found.taken and not dry_run:
        click.echo(f"{path} is changed")
