"""Local features of a devcontainer.json: folders of the commit, whose install.sh root runs once.

After containers.dev/implementors/features. Those of a registry are not fetched.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ctui.environments.definition.commit_files import FILE_LIMIT, Texts, path_in_commit
from ctui.environments.definition.definition import Step
from ctui.environments.definition.jsonc import parse_jsonc
from ctui.environments.definition.variable_names import text_values
from ctui.errors import InvalidInput, NotFound
from ctui.paths import WORKSPACE
from ctui.text import one_line

_USER = {
    f"_{whose}_USER{of}": value
    for whose in ("REMOTE", "CONTAINER")
    for of, value in (("", "root"), ("_HOME", "/root"))
}
"""Variables that tell an install.sh of its user: the tasks' own has no account in the image yet."""
_SHELL_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)")
_SCRIPT = 'cd {folder} && f=$(mktemp -d) && cp -R . "$f" && cd "$f" && chmod +x install.sh && {run}'


class Feature(NamedTuple):
    """One local feature, as it is to be installed."""

    reference: str
    """As devcontainer.json writes it, such as `./greeting`."""
    folder: str
    """Path in the commit."""
    said: Mapping[str, Any]
    """Its devcontainer-feature.json."""
    options: Mapping[str, str]
    """Values of its options, the defaults among them."""

    def install(self) -> Step:
        """Return the command that installs it, in a copy of its folder as the page demands."""
        given = {**_USER, **{_variable(name): one for name, one in self.options.items()}}
        words = [f"{name}={value}" for name, value in given.items()]
        run = shlex.join(["env", *words, "./install.sh"])
        folder = shlex.quote(f"{WORKSPACE}/{self.folder}")
        return Step(f"features: {one_line(self.reference)}", _SCRIPT.format(folder=folder, run=run))

    def missing(self, known: Collection[str]) -> list[str]:
        """Return the names of those that it needs and the file does not have."""
        needed = self.said.get("dependsOn")
        return [name for name in needed if name not in known] if isinstance(needed, dict) else []

    def after(self) -> list[str]:
        """Return the names of those that are to be installed before it."""
        waits = [self.said.get(key) for key in ("dependsOn", "installsAfter")]
        many = [list(one) for one in waits if isinstance(one, dict | list)]
        return [name for names in many for name in names if isinstance(name, str)]

    def environment(self, at: str) -> dict[str, str]:
        """Return its containerEnv; a shell's `${NAME}` in it means what the container has."""
        values = text_values(self.said.get("containerEnv") or {})
        if values is None:
            raise _wrong(at, self.reference, "containerEnv is no table of names and texts")
        return {name: _SHELL_VARIABLE.sub(_of_container, one) for name, one in values.items()}


def name_of(reference: str) -> str:
    """Return the name of a registry's feature, such as `git` of `ghcr.io/a/b/git:1`."""
    last = reference.rstrip("/").rpartition("/")[2].partition("@")[0].partition(":")[0]
    return re.sub(r"[^A-Za-z0-9_-]", "", last.removesuffix(".tgz")) or "feature"


def read_features(
    said: Mapping[str, Any], order: Sequence[Any], at: str, commit: Texts, folder: str
) -> tuple[tuple[Feature, ...], tuple[str, ...]]:
    """Return the local features in the order in which they are installed, and the others' names.

    Args:
        said: the key `features`.
        order: the key `overrideFeatureInstallOrder`; these come first.
        at: the key's place, for errors.
        commit: has their folders.
        folder: of the devcontainer.json, which they are relative to.

    Raises:
        NotFound: a folder has not both of a feature's files.
        InvalidInput: a value is none that the specification allows, or they wait for each other.
    """
    local = {name: given for name, given in said.items() if name.startswith(("./", "../"))}
    found = {
        name: _read(name, given, path_in_commit(folder, name, at), at, commit)
        for name, given in local.items()
    }
    first = [name for name in order if isinstance(name, str) and name in found]
    sorted_names = list(dict.fromkeys((*first, *found)))
    others = tuple(name for name in said if name not in found)
    return tuple(found[name] for name in _in_order(sorted_names, found, at)), others


def _read(reference: str, given: Any, folder: str, at: str, commit: Texts) -> Feature:
    place = f"{folder}/devcontainer-feature.json"
    text = commit.text(place, FILE_LIMIT)
    if text is None or commit.entry_id(f"{folder}/install.sh") is None:
        raise NotFound(
            f"{at}: {one_line(reference)} is no folder of the commit with a "
            "devcontainer-feature.json and an install.sh",
            hint="commit both: what lies around does not count",
        )
    said = parse_jsonc(text, place)
    options = said.get("options") or {}
    if not isinstance(options, dict):
        raise _wrong(at, reference, "options is no object")
    defaults = {
        name: one["default"]
        for name, one in options.items()
        if isinstance(one, dict) and one.get("default") is not None
    }
    # A text alone is the option "version", and true alone means the defaults.
    chosen = {"version": given} if isinstance(given, str) else {} if given is True else given
    values = text_values({**defaults, **chosen}) if isinstance(chosen, dict) else None
    if values is None:
        raise _wrong(at, reference, "has options that are no table of names and texts")
    return Feature(reference, folder, said, values)


def _in_order(names: Sequence[str], found: Mapping[str, Feature], at: str) -> Iterator[str]:
    """Yield each name after those that its feature waits for."""
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> Iterator[str]:
        if name in way:
            circle = " → ".join((*way[way.index(name) :], name))
            raise InvalidInput(
                f"{at}: features wait for each other: {one_line(circle, 120)}",
                hint="take one of their dependsOn or installsAfter away",
            )
        if name in done:
            return
        for before in found[name].after():
            if before in found:
                yield from visit(before, (*way, name))
        done.add(name)
        yield name

    for name in names:
        yield from visit(name, ())


def _variable(option: str) -> str:
    """Return the variable of an option, by the specification's rule."""
    return re.sub(r"^[\d_]+", "_", re.sub(r"\W", "_", option, flags=re.ASCII)).upper()


def _of_container(match: re.Match[str]) -> str:
    return f"${{containerEnv:{match[1] or match[2]}}}"


def _wrong(at: str, reference: str, what: str) -> InvalidInput:
    hint = "see containers.dev/implementors/features"
    return InvalidInput(f"{at}: {one_line(reference)}: {what}", hint=hint)
