"""`ctui config edit`: an editor on a copy, which counts only when it is right."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from ctui.cli import context
from ctui.cli.output import report
from ctui.errors import Conflict, InvalidInput, Unavailable


@click.command("edit")
def edit() -> None:
    """Edit your file with $VISUAL or $EDITOR.

    You edit a copy. It takes the file's place only when nothing is wrong with it; else you can go
    on editing, or keep what was there. Without a file you begin with one that explains everything.
    """
    from ctui.client.rule_changes import tell_rules_changed
    from ctui.config.sources import FILE_LIMIT, read_text
    from ctui.config.template import template
    from ctui.config.writing import write_file
    from ctui.paths import private_folder

    path = context.paths().config_file
    editor = _editor()
    private_folder(path.parent)
    before = read_text(path, FILE_LIMIT)
    descriptor, name = tempfile.mkstemp(prefix="edit-", suffix=".toml", dir=path.parent)
    copy = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(template() if before is None else before)
        text = _edited(copy, editor, path)
        if text == before or (before is None and text == template()):
            click.echo("nothing changed")
            return
        if read_text(path, FILE_LIMIT) != before:
            raise Conflict(
                f"{path} was changed meanwhile, and stays as it is", hint="edit it again"
            )
        write_file(path, text, replace=before is not None)
        click.echo(f"{path} is changed")
        asyncio.run(tell_rules_changed(context.paths()))
    finally:
        copy.unlink(missing_ok=True)


def _edited(copy: Path, editor: list[str], path: Path) -> str:
    """Return what the person made of the copy, once nothing is wrong with it."""
    from ctui.client.base_url import all_problems
    from ctui.config.sources import FILE_LIMIT, read_text

    while True:
        _run(editor, copy)
        text = read_text(copy, FILE_LIMIT)
        if text is None:
            raise Unavailable("the editor removed what was edited", hint=f"{path} is unchanged")
        problems = all_problems(text)
        if not problems:
            return text
        for problem in problems:
            report(problem.error("line" if problem.line is None else "your text"), as_json=False)
        if not sys.stdin.isatty() or not click.confirm("Edit again?", default=True, err=True):
            raise InvalidInput(
                "what you wrote was not taken over", hint=f"{path} is as it was before"
            )


def _editor() -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        line = os.environ.get(variable, "").strip()
        if not line:
            continue
        try:
            return shlex.split(line)
        except ValueError as error:
            raise InvalidInput(
                f"${variable} is no command: {error}", hint="mend its quotes"
            ) from error
    raise Unavailable("there is no editor", hint="set $VISUAL or $EDITOR, such as EDITOR=nano")


def _run(editor: list[str], copy: Path) -> None:
    try:
        done = subprocess.run([*editor, str(copy)], check=False)
    except OSError as error:
        raise Unavailable(
            f"the editor {editor[0]} does not start: {error.strerror}",
            hint="set $VISUAL or $EDITOR",
        ) from error
    if done.returncode:
        raise Unavailable(
            f"the editor {editor[0]} ended with exit code {done.returncode}",
            hint="your file is as it was before",
        )
