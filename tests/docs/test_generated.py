"""The pages in docs/ say what the commands say, and what they print fits its schema."""

from __future__ import annotations

import shlex

import click
import pytest

from ctui.cli.schemas import PRINTED, SHAPES
from ctui.config.model import known_keys
from tests.docs.examples import EXAMPLES
from tests.docs.pages import DOCS, cli_page, schemas, setup_page
from tests.docs.tree import commands, context_of

STALE = "run `make docs`"

LEAVES = {path: command for path, command in commands() if not isinstance(command, click.Group)}


def test_the_page_of_commands_is_not_stale() -> None:
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == cli_page(), STALE


def test_the_schemas_are_not_stale() -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("schemas/*.json")}
    assert found == schemas(), STALE


def test_the_table_of_settings_is_not_stale() -> None:
    text = (DOCS / "setup.md").read_text(encoding="utf-8")
    assert setup_page(text) == text, STALE
    assert all(f"| `{key.path}`" in text and key.about for key in known_keys())


def test_every_command_has_an_example() -> None:
    assert set(EXAMPLES) == set(LEAVES)


@pytest.mark.parametrize("example", [line for lines in EXAMPLES.values() for line in lines])
def test_an_example_can_be_typed(example: str) -> None:
    words = shlex.split(example.partition(" < ")[0])[1:]
    words[0] = "worktree" if words[0] == "wt" else words[0]
    path = max((one for one in LEAVES if words[: len(one.split())] == one.split()), key=len)
    context = context_of(path)
    # Raises UsageError for an option that is not there, or an argument that is missing.
    context.command.parse_args(context, words[len(path.split()) :])


def test_every_command_with_json_has_a_schema() -> None:
    # Lines of the CLI, as they are, have the CLI's own shapes.
    lines = {"task logs"}
    with_json = {
        path
        for path, command in LEAVES.items()
        if any("--json" in parameter.opts for parameter in command.params)
    }
    assert with_json - lines == set(PRINTED)
    assert set(PRINTED.values()) <= set(SHAPES)
