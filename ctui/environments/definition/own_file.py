"""The person's own file of environments, which says what counts for a repository."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ctui.config.problems import Problem, parse
from ctui.config.sources import read_text
from ctui.environments.definition.definition import Found
from ctui.environments.definition.repository_file import environment_of
from ctui.errors import InvalidInput
from ctui.git.repository.repository import Repository
from ctui.text import one_line

_FILE_LIMIT = 1 << 18


def of_own_file(repository: Repository, file: Path) -> Found | None:
    """Return what the person's own file says of a repository: a table with its folder's name."""
    text = read_text(file, _FILE_LIMIT)
    if text is None:
        return None
    values = parse(text)
    if isinstance(values, Problem):
        raise values.error(file)
    place = repository.work_tree or repository.common_dir
    for folder, table in values.items():
        if Path(folder).expanduser() in {place, repository.common_dir}:
            return environment_of(_checked(table, file, folder), str(file), "settings")
    return None


def _checked(table: Any, file: Path, folder: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise InvalidInput(f"{file}: {one_line(folder)} is a section", hint='write ["/the/folder"]')
    return table
