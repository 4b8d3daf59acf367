"""Packages of the system that are added to a repository's environment: `ctui env add`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ctui.config.problems import Problem, parse, toml_value
from ctui.environments.definition.repository_file import SECTION, environment_of
from ctui.errors import Conflict, InvalidInput
from ctui.text import one_line

_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]{0,99}(=[A-Za-z0-9.+:~-]{1,99})?")
_HEADER = re.compile(rf"^[ \t]*\[[ \t]*{SECTION}[ \t]*\][ \t]*(#.*)?$", re.MULTILINE)


def install_command(packages: Sequence[str]) -> str:
    """Return the command that installs Debian packages as root.

    Raises:
        InvalidInput: one of them has no name that a package can have.
    """
    for name in packages:
        if not _PACKAGE.fullmatch(name):
            raise InvalidInput(
                f"{one_line(name)!r} is no name of a package", hint="such as libpq-dev"
            )
    return f"apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"


def with_packages(text: str, file: str, packages: Sequence[str]) -> str:
    """Return the text of a `.ctui.toml` whose `[environment]` installs packages too.

    Args:
        text: that it has, or "".
        file: for errors.
        packages: of Debian.

    Raises:
        InvalidInput: it cannot be read, or a package has no such name.
        Conflict: it has a `setup_root` already, which only the person should change.
    """
    values = parse(text)
    if isinstance(values, Problem):
        raise values.error(file)
    command = install_command(packages)
    line = f"setup_root = {toml_value([command])}\n"
    table = values.get(SECTION)
    if table is None:
        begin = f"{text.rstrip()}\n\n" if text.strip() else ""
        return f"{begin}[{SECTION}]\n{line}"
    environment_of(table, file, "repository")
    header = _HEADER.search(text)
    if "setup_root" in table or "dockerfile" in table or header is None:
        where = "its Dockerfile: RUN" if "dockerfile" in table else "its setup_root:"
        raise Conflict(
            f"{file} says already what root does in its environment",
            hint=f"add to {where} {command}",
        )
    end = text.find("\n", header.end())
    end = len(text) if end < 0 else end + 1
    before = text[:end] if text[:end].endswith("\n") else f"{text[:end]}\n"
    return before + line + text[end:]
