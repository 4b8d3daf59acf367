"""A proposal of `[environment]`, from the lock files that a commit has."""

from __future__ import annotations

from typing import NamedTuple

from ctui.config.problems import toml_value
from ctui.environments.definition.commit_files import CommitFiles
from ctui.environments.definition.ecosystems import ECOSYSTEMS, Ecosystem


class Proposal(NamedTuple):
    """Text that `ctui env init` writes."""

    text: str
    ecosystems: tuple[Ecosystem, ...]


def propose(files: CommitFiles) -> Proposal | None:
    """Return a proposal, or None where no ecosystem is known."""
    found: list[tuple[Ecosystem, list[str]]] = []
    for one in ECOSYSTEMS:
        there = [name for name in one.files if files.file(name) is not None]
        # Of several managers of the same folder the first one counts: the others are left over.
        filled = {folder for other, _ in found for folder in other.carry}
        if there and not (one.carry and filled.intersection(one.carry)):
            found.append((one, there))
    if not found:
        return None
    lines = ["[environment]"]
    for one, _ in found:
        if one.needs:
            lines.append(f"# ctui's default image has no {one.needs}: name a Dockerfile with it.")
    if any(one.needs for one, _ in found):
        lines.append('# dockerfile = "Dockerfile"')
    lines.append(f"setup = {toml_value([one.setup for one, _ in found])}")
    lines.append(f"inputs = {toml_value([name for _, there in found for name in there])}")
    carried = list(dict.fromkeys(folder for one, _ in found for folder in one.carry))
    if carried:
        lines.append(f"carry = {toml_value(carried)}")
    return Proposal("\n".join(lines) + "\n", tuple(one for one, _ in found))
