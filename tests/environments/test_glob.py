"""Patterns of a `.dockerignore` take no time, and mean what they do to docker's SDK."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from docker.utils.fnmatch import fnmatch
from hypothesis import example, given
from hypothesis import strategies as st

from ctui.environments.build.glob import is_costly, matcher
from ctui.errors import Refused
from tests.environments.test_building_parts import context_of, names
from tests.environments.test_choice import BUILT, plan, put

PIECES = st.sampled_from(["*", "**", "**/", "/", "a", "b", ".", "?", "[ab]", "[!a]"])


@given(st.lists(PIECES, max_size=8).map("".join), st.text("ab/.c", max_size=12))
@example("**/*.b", "a/b/x.b")
@example("***", "a/b")
@example("a**/b", "a/b")
def test_they_mean_the_same(pattern: str, path: str) -> None:
    assert matcher(pattern)(path) == bool(fnmatch(path, pattern))


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    began = time.process_time()
    for pattern in ("*a" * 30 + "*b", "**/a" * 30 + "/b"):
        assert is_costly(pattern)
        assert not matcher(pattern)("a" * 250)
        assert not matcher(pattern)("a/" * 250)
    assert time.process_time() - began < 2


def test_a_context_is_packed_whatever_its_patterns(repository: Path) -> None:
    ignored = "*a" * 30 + "*b\n**/*.x.*\n"
    put(repository, {**BUILT, "docker/.dockerignore": ignored, "docker/" + "a" * 200: "1"})
    put(repository, {"docker/deep/er/a.x.b": "1"})
    assert "a" * 200 in names(context_of(plan(repository)).archive)
    assert "deep/er/a.x.b" not in names(context_of(plan(repository)).archive)
    put(repository, {"docker/.dockerignore": "[b-a]\n"})
    with pytest.raises(Refused, match="cannot be read: bad character range"):
        context_of(plan(repository))
