"""Output of commands: lines for a person, or JSON for a program."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

import click

from ctui.errors import CtuiError, InvalidInput
from ctui.text import one_line, sanitise

_LINE = 2000
_NO_TEXT = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff]"
)
_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
repo_option = click.option(
    "--repo",
    default=".",
    type=click.Path(path_type=str),
    help="A folder in the repository.  [default: here]",
)
target_option = click.option(
    "--target", default="", help="The branch to judge against.  [default: worktrees.target]"
)


def print_json(value: Any) -> None:
    """Print a value, msgspec structs included."""
    import msgspec

    plain = msgspec.to_builtins(value, enc_hook=msgspec.json.decode)  # of parts kept as JSON
    try:
        # Indented in a second pass: the `json` module does that in Python, many times as slow.
        text = msgspec.json.format(json.dumps(plain, ensure_ascii=False), indent=2)
    except (UnicodeEncodeError, msgspec.DecodeError):  # a name that is not UTF-8, or no number
        text = json.dumps(plain, indent=2, ensure_ascii=False)
    click.echo(json_text(text))


def json_text(text: str) -> str:
    """Return JSON with every character escaped that could do something in a terminal.

    What stands for bytes that are not UTF-8, in names of files and branches, stays what it is:
    Python reads it back as the same name (PEP 383).
    """
    return (_NOT_PLAIN if sys.stdout.isatty() else _NO_TEXT).sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match.group())[1:-1]


def read_stdin() -> str:
    """Return all of stdin.

    Raises:
        InvalidInput: it is not UTF-8.
    """
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("what comes on stdin is not UTF-8", hint="convert it first") from error


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Print sanitised columns, each as wide as its widest cell; a terminal's edge cuts lines.

    Without rows stdout stays empty, for scripts, and a person reads `empty`.
    """
    if not rows:
        warn(empty)
        return
    cells = [[sanitise(cell).replace("\n", " ") for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    edge = _terminal_width() if sys.stdout.isatty() else sys.maxsize
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        line = line.rstrip()
        click.echo(line if len(line) <= edge else line[: edge - 1] + "…")


def _terminal_width() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def report(error: CtuiError, *, as_json: bool) -> None:
    """Print an error: one line that says what is wrong, and what to do."""
    if as_json:
        click.echo(json.dumps({"error": error.message, "hint": error.hint}))
        return
    warn(one_line(f"ctui: {error.one_line()}", _LINE))


def show_progress(done: int, of: int) -> None:
    """Say on a terminal how many of how many files are there."""
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {of} files", nl=done == of, err=True)


def warn(text: str) -> None:
    """Print one line on stderr, whatever is in it."""
    click.echo(sanitise(text).replace("\n", " "), err=True)


def drop_output(descriptor: int = 1) -> None:
    """Send what is still in a stream's buffer nowhere, so that its next flush succeeds."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
