"""The generated pages: docs/cli.md, docs/schemas and the table in docs/setup.md."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from ctui.cli.main import cli
from ctui.cli.schemas import PRINTED, SHAPES
from ctui.config.model import known_keys
from ctui.config.problems import toml_value
from ctui.config.sources import REPOSITORY_KEYS
from tests.docs.examples import EXAMPLES
from tests.docs.tree import commands, context_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
_TABLE = re.compile(
    r"(<!-- settings: made by `make docs` -->\n).*?(<!-- end of settings -->)", re.DOTALL
)

_IDS = re.compile(r"\[1<=x<=9223372036854775807\]")
"""What click says of a number that only the store limits."""

_HEAD = """\
# Commands

Made from the commands themselves by `make docs`; `ctui COMMAND --help` says the same.

## Everywhere

| exit code | means |
|---|---|
| 0 | done |
| 1 | an error: one line on stderr that says what is wrong and what to do |
| 2 | wrong usage: an unknown command or option, or one that is missing |
| 3 | a turn that needs an answer or a consent; the line names the command that gives it |
| 4 | a turn whose budget or time is spent |
| 130 | interrupted by Ctrl-C |

With `--json` a command prints JSON in the shape that its section names, and an error becomes
`{"error": …, "hint": …}` on stdout ([schema](schemas/error.json)) with the same exit code. A shape
may get more fields; none that is there changes its meaning. Times are nanoseconds since the epoch,
sizes are bytes.

`--repo PATH` names a folder in the repository that is meant; without it that is the current one.
The settings that count for a command, the strongest first: its options, the environment
(`CTUI_…`), the repository's `.ctui.toml`, your file, the defaults ([setup](setup.md)).
"""


def cli_page() -> str:
    """docs/cli.md."""
    parts = [_HEAD, _section("ctui", cli, "")]
    parts += [_section(f"ctui {path}", command, path) for path, command in commands()]
    return "\n".join(parts)


def schemas() -> dict[str, str]:
    """File names in docs/schemas with their content."""
    found: dict[str, str] = {}
    for name, shape in SHAPES.items():
        schema = msgspec.json.schema(shape, schema_hook=_anything)
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        found[f"{name}.json"] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return found


def setup_page(text: str) -> str:
    """docs/setup.md with its table of settings made anew."""
    rows = ["| key | default | means |", "|---|---|---|"]
    for key in known_keys():
        mark = " ✓" if key.path in REPOSITORY_KEYS else ""
        rows.append(f"| `{key.path}`{mark} | `{toml_value(key.default)}` | {key.about} |")
    table = "\n".join(rows) + "\n"
    return _TABLE.sub(lambda match: match.group(1) + table + match.group(2), text)


def _section(title: str, command: click.Command, path: str) -> str:
    context = context_of(path)
    level = "##" if title.count(" ") < 2 else "###"
    lines = [f"{level} {title}", ""]
    usage = " ".join(command.collect_usage_pieces(context))
    lines += [f"    {context.command_path} {usage}".rstrip(), ""]
    lines += [*_help(command), ""]
    if rows := list(_options(command, context)):
        lines += ["| option | means |", "|---|---|", *rows, ""]
    if examples := EXAMPLES.get(path):
        lines += [*(f"    {example}" for example in examples), ""]
    if path in PRINTED:
        lines += [f"`--json`: [{PRINTED[path]}](schemas/{PRINTED[path]}.json)", ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _help(command: click.Command) -> Iterator[str]:
    text = inspect.cleandoc(command.help or "")
    for part in text.split("\n\n"):
        if part.startswith("\b"):
            yield from (f"    {line}" for line in part.split("\n")[1:])
        else:
            yield _cell(" ".join(part.split()))
        yield ""


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or "--help" in parameter.opts or isinstance(parameter, click.Argument):
            continue
        names, about = record
        means = " ".join(_IDS.sub("", about).split())
        yield f"| `{_cell(names)}` | {_cell(means)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _anything(kind: type[Any]) -> dict[str, Any]:
    """JSON that is passed on as it is."""
    if kind is msgspec.Raw:
        return {}
    raise NotImplementedError(kind)
