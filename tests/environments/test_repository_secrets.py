"""Secrets that a repository names: names only, shown before, and only those that a person has."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.environments.consent import consent_text
from ctui.environments.definition.definition import Definition
from ctui.environments.definition.repository_file import read_environment
from ctui.environments.lookup import plan_of
from ctui.errors import InvalidInput
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tasks.secrets.registry import Secret, put_secret, wanted_secrets
from tests.environments.test_choice import put


def named(value: str) -> Definition:
    found = read_environment(f"[environment]\nsecrets = {value}\n", ".ctui.toml")
    assert found is not None
    return found.definition


def test_names_are_read_each_once() -> None:
    assert named('["NPM_TOKEN", "DB", "DB"]').secrets == ("NPM_TOKEN", "DB")


@pytest.mark.parametrize(
    "value",
    [
        '["LD_PRELOAD"]',
        '["ANTHROPIC_API_KEY"]',
        '["a b"]',
        '["op read x"]',
        '[{ command = "cat" }]',
        '{ NPM_TOKEN = "/etc/passwd" }',
        "7",
    ],
)
def test_nothing_but_names_of_variables_is_taken(value: str) -> None:
    """Part 3: a repository names secrets only by NAME, never a file or a command."""
    with pytest.raises(InvalidInput, match=r"environment\.secrets"):
        named(value)


def test_the_consent_covers_them(paths: Paths, repository: Path) -> None:
    """They are shown, and another name is another consent."""
    ids = set()
    for name in ("ONE", "TWO"):
        put(repository, {".ctui.toml": f'[environment]\nsetup = "true"\nsecrets = ["{name}"]\n'})
        plan = plan_of(paths, open_repository(repository), "HEAD")
        assert plan is not None
        assert f"gives each task your secret {name}, if you have set one" in consent_text(plan)
        ids.add(plan.consent)
    assert len(ids) == 2


def test_only_those_that_are_set_are_given_and_the_others_are_said(paths: Paths) -> None:
    put_secret(paths, Secret(name="ONE", source="environment", where="X"))
    put_secret(paths, Secret(name="THREE", source="environment", where="X"))
    given, notes = wanted_secrets(paths, ("ONE", "TWO", "THREE"), {"THREE"})
    assert given == ("ONE",)
    assert len(notes) == 1
    assert "`ctui secret set TWO`" in notes[0]
