"""The plan of an environment: its definition at a commit, its id, and what consent to it covers."""

from __future__ import annotations

import fnmatch
import hashlib
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ctui.environments.definition.choice import devcontainer_id, find
from ctui.environments.definition.commit_files import CommitFiles
from ctui.environments.definition.definition import Found
from ctui.environments.definition.dockerfile import copies, refuse_fetching
from ctui.environments.definition.ecosystems import ECOSYSTEMS, MANIFESTS
from ctui.errors import NotFound
from ctui.git.repository.repository import Repository
from ctui.sandbox.services import ImageBuild

_DOCKERFILE_LIMIT = 1 << 18
_NO_NAME = "*?[$\"'\\"
"""Signs in a path that stand for something else: its folder counts."""
_PATH = re.compile(r"[\w.@+~/-]+")
_FOLDERS = 8
"""Folders that a command names, such as that of a `cd`, in which its files may be."""


class Plan(NamedTuple):
    """An environment that can be built."""

    files: CommitFiles
    found: Found
    id: str
    """Sixteen hex digits over all that decides what is built: definition, Dockerfile, inputs."""
    consent: str
    """SHA-256 over what is built and run; lock files are not in it."""
    covers: tuple[str, ...]
    """Files of the commit beside the definition that the consent covers."""
    inputs: tuple[str, ...]
    dockerfiles: Mapping[str, str]
    """Texts of the Dockerfiles by their paths: of the image underneath, and of services."""

    @property
    def repository(self) -> Repository:
        return self.files.repository


def make_plan(
    repository: Repository,
    commit: str,
    *,
    image: str = "",
    devcontainer: str = "",
    settings: Path | None = None,
) -> Plan | None:
    """Return what the tasks that start from a commit are built in; None is ctui's default image.

    For the arguments and errors see `choice.find`.

    Raises:
        NotFound: a Dockerfile is not in the commit.
        Refused: a Dockerfile would have the engine fetch something.
    """
    files = CommitFiles(repository, commit)
    found = find(files, image=image, devcontainer=devcontainer, settings=settings)
    if found.definition.is_default:
        return None
    dockerfiles = {
        one.dockerfile: _dockerfile(files, found, one) for one in found.definition.builds
    }
    inputs = dict(inputs_of(files, found))
    parts = dict(_parts(files, found, dockerfiles))
    covered = {path: ids for path, ids in parts.items() if not _is_manifest(files, found, path)}
    said = found.definition.digest()
    consent = _hash(said, covered)
    place = devcontainer_id(repository)
    return Plan(
        files=files,
        found=found,
        id=_hash(place + said, {**parts, **inputs})[:16],
        consent=consent,
        covers=tuple(sorted(covered)),
        inputs=tuple(sorted(inputs)),
        dockerfiles=dockerfiles,
    )


def _dockerfile(files: CommitFiles, found: Found, build: ImageBuild) -> str:
    path = build.dockerfile
    text = files.text(path, _DOCKERFILE_LIMIT)
    if text is None:
        raise NotFound(
            f"{found.definition.file}: {path} is not a file of the commit",
            hint="commit it: what lies around does not count",
        )
    refuse_fetching(text, path)
    return text


def inputs_of(files: CommitFiles, found: Found) -> Iterator[tuple[str, str]]:
    """Yield the files whose content decides about another set-up, with their object ids."""
    wanted = found.definition.inputs
    if wanted is None:
        wanted = tuple(name for one in ECOSYSTEMS for name in one.files)
    patterns = [one for one in wanted if any(sign in one for sign in "*?[")]
    for path in wanted:
        if path not in patterns and (ids := files.entry_id(path)):
            yield path, ids
    if patterns:  # one walk for all: a commit may have many files
        matches = re.compile("|".join(map(fnmatch.translate, patterns))).match
        for file in files.below(""):
            if matches(file.path):
                yield file.path, f"{file.mode:o} {file.id}"


def _parts(
    files: CommitFiles, found: Found, dockerfiles: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield what is built and run beside the definition.

    That is: the Dockerfiles, what these copy by name, local features, each file that a command
    names, and what a service reads of the worktree.
    """
    definition = found.definition
    for path in dockerfiles:
        yield path, files.entry_id(path) or ""
    mounted = [file.path for service in definition.services for file in service.files]
    named = (*definition.features, *_named(files, found), *mounted)
    copied = [
        path
        for one in definition.builds
        for path in _copied(files, one.context, dockerfiles[one.dockerfile])
    ]
    for path in (*copied, *named):
        if ids := files.entry_id(path):
            yield path or ".", ids


def _copied(files: CommitFiles, context: str, dockerfile: str) -> Iterator[str]:
    """Yield what a Dockerfile takes of its context; "" is the commit's root."""
    for copy in copies(dockerfile):
        for source in copy.sources:
            # As the engine takes it: below the context, whatever it begins with.
            inside = posixpath.normpath(f"/{source}").strip("/")
            path = posixpath.join(context, inside).rstrip("/")
            while any(sign in path for sign in _NO_NAME):
                path = posixpath.dirname(path)
            # A link is followed by the engine, to wherever in the context it leads.
            yield path if list(files.followed(path)) == [path] else context


def _named(files: CommitFiles, found: Found) -> Iterator[str]:
    """Yield the files that commands name, and the links that lead to them."""
    said = found.definition
    for step in (*said.root_steps, *said.steps, *said.start_steps):
        words = _words(step.command)
        ends = (end for word in words for end in files.followed(word))
        folders = list(islice((end for end in ends if end and files.is_folder(end)), _FOLDERS))
        for word in (*words, *(f"{folder}/{word}" for folder in folders for word in words)):
            yield from (path for path in files.followed(word) if files.file(path) is not None)


def _words(command: str) -> list[str]:
    """Return what may name a file or folder: the shell's words, and those inside of them."""
    try:
        lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        words = command.split()
    return list(dict.fromkeys((*words, *_PATH.findall(command))))


def _is_manifest(files: CommitFiles, found: Found, path: str) -> bool:
    """Return True for a file that only says which packages there are; it needs no consent."""
    built = {one.dockerfile for one in found.definition.builds}
    known = posixpath.basename(path) in MANIFESTS and path not in built
    return known and not files.is_folder(path)


def _hash(said: str, parts: Mapping[str, str]) -> str:
    digest = hashlib.sha256(said.encode())
    for path, ids in sorted(parts.items()):
        digest.update(f"{ids} {path}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
