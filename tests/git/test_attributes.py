"""Attributes of a commit's tree are what git itself says of them in a checkout."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ctui.errors import Unavailable
from ctui.git.process.caller import working_for
from ctui.git.stored.attributes import (
    Transformation,
    attributes_at,
    filters_in_use,
    transformed_files,
)
from tests.conftest import git, make_repository

_NAMES = st.sampled_from(["a", "b.key", "c c", "é", "x\n", "[y]", "lfs"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map("/".join)
_PATTERNS = st.sampled_from(
    ["*", "*.key", "/a", "a/**", "c\\ c", "[[]y[]]", "b.key", "é", "a/b.key"]
)
_VALUES = st.sampled_from(
    [
        "filter=one",
        "filter=two",
        "-filter",
        "!filter",
        "secret",
        "text",
        "working-tree-encoding=UTF-16",
    ]
)
_LINES = st.lists(st.tuples(_PATTERNS, _VALUES).map(" ".join), max_size=4).map("\n".join)
_FILES = st.dictionaries(st.lists(_NAMES, max_size=3).map("/".join), _LINES, max_size=4)


def commit_attributes(repository: Path, files: dict[str, str]) -> None:
    """Commit `.gitattributes` of folders, where folders and files do not exclude each other."""
    for folder, text in files.items():
        path = repository / folder / ".gitattributes"
        path.parent.mkdir(parents=True, exist_ok=True)
        macro = "[attr]secret filter=macro\n" if not folder else ""
        own = ".gitattributes !filter !working-tree-encoding"
        path.write_text(f"{macro}{text}\n{own}\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "--allow-empty", "-m", "Attributes")


def as_git_says(repository: Path, paths: list[str]) -> dict[bytes, Transformation]:
    said = subprocess.run(
        ["git", "check-attr", "-z", "--stdin", "filter", "working-tree-encoding"],
        cwd=repository,
        input="".join(f"{path}\0" for path in paths).encode(),
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    found: dict[bytes, dict[bytes, str]] = {}
    for path, name, value in zip(said[::3], said[1::3], said[2::3], strict=False):
        if value not in {b"unspecified", b"unset"}:
            found.setdefault(path, {})[name] = value.decode()
    return {
        path: Transformation(values.get(b"filter", ""), values.get(b"working-tree-encoding", ""))
        for path, values in found.items()
    }


@pytest.mark.slow
@settings(max_examples=15)
@given(_FILES, st.lists(_PATHS, min_size=1, max_size=8, unique=True))
@example({"": "* secret\nb.key !filter", "a": "*.key filter=two"}, ["a/b.key", "b.key", "a/a"])
def test_they_are_those_of_a_checkout(files: dict[str, str], paths: list[str]) -> None:
    """G1: nested, macros, unset, names with spaces and newlines."""
    with tempfile.TemporaryDirectory() as folder:
        repository = make_repository(Path(folder))
        git(repository, "rm", "-q", "hello.txt")
        commit_attributes(repository, files)
        found = asyncio.run(
            attributes_at(repository / ".git", "HEAD", [path.encode() for path in paths])
        )
        assert found == as_git_says(repository, paths)


async def test_names_that_are_not_utf8(repository: Path) -> None:
    name = b"\xff\xfe"
    (repository / os.fsdecode(name)).mkdir()
    (repository / os.fsdecode(name) / ".gitattributes").write_text("* filter=one\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Names")
    path = name + b"/\xfd"
    found = await attributes_at(repository / ".git", "HEAD", [path, b"other"])
    assert found == {path: Transformation("one")}


async def test_a_link_says_nothing(repository: Path) -> None:
    """What git does with it as well: it follows no link to attributes."""
    (repository / "elsewhere").write_text("* filter=one\n")
    (repository / ".gitattributes").symlink_to("elsewhere")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Link")
    assert await attributes_at(repository / ".git", "HEAD", [b"a"]) == {}


async def test_attributes_that_are_not_here_are_no_answer(repository: Path, tmp_path: Path) -> None:
    """Bad input: a partial clone without its `.gitattributes`."""
    commit_attributes(repository, {"": "* filter=one"})
    git(repository, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", f"file://{repository}", str(clone))
    git(clone, "config", "remote.origin.url", f"file://{tmp_path}/gone")
    with pytest.raises(Unavailable, match="nobody knows its filters"):
        await attributes_at(clone, "HEAD", [b"a"])


async def test_what_is_in_use_is_found_without_looking_at_each_path(repository: Path) -> None:
    git_dir = repository / ".git"
    assert await filters_in_use(git_dir) == set()
    commit_attributes(repository, {"deep/er": "*.txt filter=one", "": "hello.txt text"})
    assert await filters_in_use(git_dir) == set()
    (repository / "deep" / "er" / "new.txt").write_text("x")
    assert await transformed_files(git_dir) == {}
    found = await transformed_files(git_dir, files=repository)
    assert found == {b"deep/er/new.txt": Transformation("one")}
    git(repository, "add", "-A")
    assert await filters_in_use(git_dir) == {"one"}


async def test_the_file_of_whoever_gave_the_command_counts(
    repository: Path, tmp_path: Path
) -> None:
    """G21: a driver of another shell looks where that person's git does."""
    (repository / "secret").write_text("plain\n")
    git(repository, "add", ".")
    git_dir = repository / ".git"
    assert await filters_in_use(git_dir) == set()
    (tmp_path / "theirs" / ".config" / "git").mkdir(parents=True)
    (tmp_path / "theirs" / ".config" / "git" / "attributes").write_text("secret filter=crypt\n")
    with working_for({"HOME": str(tmp_path / "theirs")}):
        assert await filters_in_use(git_dir) == {"crypt"}
