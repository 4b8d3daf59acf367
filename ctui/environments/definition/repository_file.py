"""`[environment]` of `.ctui.toml`, and the same table in the person's own file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctui.config.problems import Problem, parse
from ctui.environments.definition.commit_files import path_in_commit
from ctui.environments.definition.definition import Definition, Found, KeyReport, Source, Step
from ctui.environments.definition.services.table import read_services
from ctui.environments.definition.variable_names import allowed, name_problem, text_values
from ctui.errors import InvalidInput
from ctui.text import one_line

SECTION = "environment"

KEYS: Mapping[str, tuple[str, Any]] = {
    "image": ("the image underneath", "debian:bookworm"),
    "dockerfile": ("is built; a path in the repository", "docker/dev.Dockerfile"),
    "context": ("the folder that the build gets", "docker"),
    "setup": ("commands that run once, as the task's user, in /workspace", ["npm ci"]),
    "setup_root": (
        "commands that root runs before; /workspace is read-only",
        "apt-get update",
    ),
    "start": ("commands that run at each start of a task, beside the CLI", ["redis-server &"]),
    "inputs": ("files whose content decides about another set-up", ["package-lock.json"]),
    "carry": ("ignored folders that come into each new worktree", ["node_modules"]),
    "env": ("variables of every task", {"NODE_ENV": "test"}),
    "secrets": ("names of your secrets (`ctui secret set`) that every task gets", ["NPM_TOKEN"]),
    "services": ("are started beside each task; see Services", {"db": {"image": "postgres"}}),
}
"""Key of `[environment]` -> what is done with it, and an example."""

_ENTRIES = 100


def read_environment(text: str, file: str) -> Found | None:
    """Return what `[environment]` of a `.ctui.toml` says, or None if there is none.

    Raises:
        InvalidInput: with the key that is wrong.
    """
    values = parse(text)
    if isinstance(values, Problem):
        raise values.error(file)
    table = values.get(SECTION)
    return None if table is None else environment_of(table, file, "repository")


def environment_of(table: object, file: str, source: Source) -> Found:
    """Return what a table says; paths in it are of the commit.

    Raises:
        InvalidInput: with the key that is wrong.
    """
    if not isinstance(table, dict):
        raise InvalidInput(f"{file}: {SECTION} is a section", hint=f"write [{SECTION}]")
    unknown = [key for key in table if key not in KEYS]
    if unknown:
        import difflib

        near = difflib.get_close_matches(unknown[0], KEYS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"its keys: {', '.join(KEYS)}"
        raise InvalidInput(f"{file}: there is no {SECTION}.{one_line(unknown[0])}", hint=hint)
    read = _Table(table, file)
    keys = [read.report(key) for key in table]
    env, refused = allowed(read.variables("env"))
    keys += [
        KeyReport(f"{SECTION}.env.{one_line(name)}", file, "refused", why)
        for name, why in refused.items()
    ]
    services, told = read_services(table.get("services", {}), file)
    keys += told
    image, dockerfile = read.text("image"), read.path("dockerfile")
    if image and dockerfile:
        raise InvalidInput(f"{file}: image and dockerfile exclude each other", hint="keep one")
    definition = Definition(
        source=source,
        file=file,
        image=image,
        dockerfile=dockerfile,
        context=read.path("context"),
        root_steps=read.steps("setup_root"),
        steps=read.steps("setup"),
        start_steps=read.steps("start"),
        inputs=read.paths("inputs"),
        carry=read.paths("carry"),
        env=env,
        services=services,
        secrets=read.names("secrets"),
    )
    return Found(definition, tuple(keys))


class _Table:
    """Reads the keys of one table."""

    def __init__(self, table: dict[str, Any], file: str) -> None:
        self._table = table
        self._file = file

    def report(self, key: str) -> KeyReport:
        return KeyReport(f"{SECTION}.{key}", self._file, "used", KEYS[key][0])

    def _wrong(self, key: str, what: str) -> InvalidInput:
        return InvalidInput(
            f"{self._file}: {SECTION}.{key} {what}", hint="see docs/environments.md"
        )

    def _texts(self, key: str) -> tuple[str, ...] | None:
        value = self._table.get(key)
        if value is None:
            return None
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
            raise self._wrong(key, "is neither a text nor a list of texts")
        if any("\0" in one or not one.strip() for one in texts):
            raise self._wrong(key, "has an empty entry")
        if len(texts) > _ENTRIES:
            raise self._wrong(key, f"has more than {_ENTRIES} entries")
        return tuple(texts)

    def text(self, key: str) -> str:
        value = self._table.get(key, "")
        if not isinstance(value, str) or not value.isprintable():
            raise self._wrong(key, "is no plain text")
        return value

    def path(self, key: str) -> str:
        value = self.text(key)
        return path_in_commit("", value, f"{self._file}: {SECTION}.{key}") if value else ""

    def paths(self, key: str) -> tuple[str, ...] | None:
        texts = self._texts(key)
        if texts is None:
            return None
        where = f"{self._file}: {SECTION}.{key}"
        found = tuple(path_in_commit("", one.rstrip("/"), where) for one in texts)
        if "" in found or any(not path.isprintable() for path in found):
            raise self._wrong(key, "names the whole repository, or has a control character")
        return found

    def steps(self, key: str) -> tuple[Step, ...]:
        return tuple(Step(f"{SECTION}.{key}", one) for one in self._texts(key) or ())

    def names(self, key: str) -> tuple[str, ...]:
        """Return names of variables, each once."""
        found = tuple(dict.fromkeys(self._texts(key) or ()))
        for name in found:
            if why := name_problem(name):
                raise self._wrong(key, f"has {one_line(name, 40)!r}: {why}")
        return found

    def variables(self, key: str) -> dict[str, str]:
        values = text_values(self._table.get(key, {}))
        if values is None:
            raise self._wrong(key, "is no table of names and texts")
        return values
