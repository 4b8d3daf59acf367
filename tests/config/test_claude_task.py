"""Importing claude-task's config.json: what means something is taken, the rest explained."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.config.claude_task import read_claude_task
from ctui.errors import InvalidInput
from ctui.text import one_line

DOCUMENTED: dict[str, Any] = {
    "version": "0.1.0",
    "paths": {
        "worktreeBaseDir": "~/.claude-task/worktrees",
        "taskBaseHomeDir": "~/.claude-task/home",
        "branchPrefix": "claude-task/",
    },
    "docker": {
        "imageName": "ghcr.io/onegrep/claude-task:latest",
        "volumePrefix": "claude-task-",
        "volumes": {"home": "claude-task-home", "npmCache": "claude-task-npm-cache"},
        "containerNamePrefix": "claude-task-",
        "defaultWebViewProxyPort": 4618,
        "defaultHtMcpPort": None,
        "environmentVariables": {"SECRET": "hidden"},
    },
    "claudeUserConfig": {"configPath": "~/.claude.json", "userMemoryPath": "~/.claude/CLAUDE.md"},
    "worktree": {"defaultOpenCommand": "code", "autoCleanOnRemove": True},
    "claudeCredentials": {"token": "sk-ant-oat01-hidden"},
    "globalOptionDefaults": {"debug": False, "openEditorAfterCreate": True},
    "taskRunner": "kubernetes",
    "kubeConfig": {"context": "my-cluster"},
}


def test_the_documented_file_is_taken_as_far_as_it_means_something() -> None:
    found = read_claude_task(json.dumps(DOCUMENTED))
    assert {(one.key, one.value) for one in found.taken} == {
        ("worktrees.prefix", "claude-task/"),
        ("claude.memory", "~/.claude/CLAUDE.md"),
        ("worktrees.open", "code"),
        ("worktrees.delete_branch", True),
    }
    left = {one.source for one in found.left}
    assert {"docker.imageName", "claudeCredentials.token", "taskRunner", "kubeConfig"} <= left
    assert "docker.defaultHtMcpPort" not in left  # null says nothing
    # Nothing that may be a secret is repeated.
    assert "hidden" not in repr(found)


def test_an_image_of_one_s_own_is_taken() -> None:
    [taken] = read_claude_task('{"docker": {"imageName": "python:3.13"}}').taken
    assert (taken.key, taken.value) == ("image.base", "python:3.13")


@pytest.mark.parametrize(
    ("text", "source", "reason"),
    [
        ('{"paths": {"branchPrefix": "../x"}}', "paths.branchPrefix", "cannot begin a branch"),
        ('{"paths": {"branchPrefix": 3}}', "paths.branchPrefix", "Expected"),
        ('{"worktree": {"autoCleanOnRemove": "yes"}}', "worktree.autoCleanOnRemove", "Expected"),
        ('{"worktree": []}', "worktree", "no such setting"),
        ('{"docker": {"\\u001b[31m": 1}}', "docker.", "no such setting"),
    ],
)
def test_nonsense_is_left_with_a_reason(text: str, source: str, reason: str) -> None:
    found = read_claude_task(text)
    assert found.taken == []
    assert (found.left[0].source, reason in found.left[0].reason) == (source, True)


@pytest.mark.parametrize(
    "text", ["", "[]", "3", '"x"', "{}", '{"a": 1}', "[" * 100_000, "\ud800", "{'a': 1}", "null"]
)
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_claude_task(text)
    assert caught.value.message.isprintable()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
sections = st.sampled_from(list(DOCUMENTED))
names = st.sampled_from(
    [name for section in DOCUMENTED.values() if isinstance(section, dict) for name in section]
)


@given(st.dictionaries(sections, anything | st.dictionaries(names, anything), min_size=1))
def test_no_shape_of_values_raises_anything_else(values: dict[str, Any]) -> None:
    try:
        found = read_claude_task(json.dumps(values))
    except InvalidInput:
        return
    sources = [one.source for one in found.taken] + [one.source for one in found.left]
    assert all(one_line(source, 200) == source for source in sources)
