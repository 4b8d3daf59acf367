"""Local features of a devcontainer.json: what root runs, in which order, and what is refused."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from ctui.environments.definition.definition import Found
from ctui.environments.definition.devcontainer import read_devcontainer
from ctui.environments.definition.variables import Names
from ctui.environments.plan import make_plan
from ctui.errors import InvalidInput, NotFound
from ctui.git.repository.repository import open_repository
from tests.environments.services.files import FilesOfTest
from tests.environments.test_choice import put

FILE = ".devcontainer/devcontainer.json"


def read(features: Any, commit: dict[str, dict[str, Any]], **said: Any) -> Found:
    """Read a devcontainer.json with features, whose folders are below `.devcontainer`."""
    texts = {}
    for name, feature in commit.items():
        texts[f".devcontainer/{name}/devcontainer-feature.json"] = json.dumps(feature)
        texts[f".devcontainer/{name}/install.sh"] = "exit 0\n"
    text = json.dumps({"image": "debian", "features": features, **said})
    return read_devcontainer(text, FILE, Names("an-id"), FilesOfTest(texts))


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("ghcr.io/devcontainers/features/git:1", "git"),
        ("ghcr.io/devcontainers/features/go", "go"),
        ("localhost:5000/a/git-lfs@sha256:0", "git-lfs"),
        ("https://example.org/a/tool.tgz", "tool"),
        ("maven", "maven"),
        ("ghcr.io/x/..", "feature"),
    ],
)
def test_what_is_said_of_a_registry_s_feature_is_what_works(reference: str, name: str) -> None:
    """Doing exactly that has it installed."""
    said = {one.key: one for one in read({reference: {"version": "2"}}, {}).keys}
    report = said[f"features: {reference}"]
    assert report.status == "ignored"
    assert report.reason == (
        f"not fetched: commit its folder as .devcontainer/{name}, and write ./{name} instead of it"
    )
    found = read({f"./{name}": {"version": "2"}}, {name: {"id": name}})
    assert installed(found) == [name]


def test_a_feature_that_another_one_needs_is_named_too() -> None:
    found = read({"./a": {}}, {"a": {"dependsOn": {"ghcr.io/x/common-utils:2": {}}}})
    said = {one.key: one.reason for one in found.keys}
    assert "./common-utils" in said["features: ghcr.io/x/common-utils:2"]


def installed(found: Found) -> list[str]:
    return [step.key.removeprefix("features: ./") for step in found.definition.root_steps]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, {"VERSION=2", "WITH_DOCS=true", "_LIVES=no"}),
        (True, {"VERSION=2", "WITH_DOCS=true", "_LIVES=no"}),
        ("3", {"VERSION=3", "WITH_DOCS=true", "_LIVES=no"}),
        ({"with docs": False, "new": "a b"}, {"VERSION=2", "WITH_DOCS=false", "NEW=a b"}),
    ],
)
def test_options_become_variables_by_the_specification_s_rule(given: Any, said: set[str]) -> None:
    options = {
        "version": {"type": "string", "default": "2"},
        "with docs": {"type": "boolean", "default": True},
        "19lives": {"default": "no"},
        "none": {"type": "string"},
    }
    [step] = read(
        {"./tool": given}, {"tool": {"id": "tool", "options": options}}
    ).definition.root_steps
    words = shlex.split(step.command)
    assert said <= set(words)
    assert {"_REMOTE_USER=root", "_CONTAINER_USER_HOME=/root"} <= set(words)
    assert words[:2] == ["cd", "/workspace/.devcontainer/tool"]
    assert not any(word.startswith("NONE=") for word in words)


def test_each_is_installed_after_those_that_it_waits_for() -> None:
    features: dict[str, Any] = {f"./{name}": {} for name in "abcd"}
    commit: dict[str, dict[str, Any]] = {
        "a": {"dependsOn": {"./c": {}, "ghcr.io/x/y": {}}},
        "b": {},
        "c": {"installsAfter": ["./d", "elsewhere"]},
        "d": {},
    }
    assert installed(read(features, commit)) == ["d", "c", "a", "b"]
    found = read(features, commit, overrideFeatureInstallOrder=["./b", "ghcr.io/x/y", 7])
    assert installed(found) == ["b", "d", "c", "a"]


def test_variables_and_commands_of_features_come_before_those_of_the_file() -> None:
    commit = {
        "a": {
            "containerEnv": {"PATH": "/a:${PATH}", "BOTH": "feature"},
            "postCreateCommand": "one",
            "postStartCommand": "of a",
        },
        "b": {
            "containerEnv": {"PATH": "/b:$PATH", "LD_PRELOAD": "x"},
            "onCreateCommand": ["t w", "o"],
        },
    }
    said = {
        "containerEnv": {"BOTH": "file"},
        "postCreateCommand": "last",
        "onCreateCommand": "three",
        "postStartCommand": "of the file",
    }
    found = read({"./a": {}, "./b": {}}, commit, **said)
    assert found.definition.container_env == {"PATH": "/b:/a:${containerEnv:PATH}", "BOTH": "file"}
    assert [step.command for step in found.definition.steps] == ["'t w' o", "three", "one", "last"]
    assert [step.command for step in found.definition.start_steps] == ["of a", "of the file"]
    assert any(one.key == "features.LD_PRELOAD" and one.status == "refused" for one in found.keys)


def test_what_is_not_local_and_what_wants_more_rights_is_told() -> None:
    feature = {"privileged": True, "capAdd": [], "mounts": ["source=/,target=/x,type=bind"]}
    found = read({"ghcr.io/x/git:1": {}, "./a": {}}, {"a": feature})
    told = {one.key: one.status for one in found.keys if one.key.startswith("features: ")}
    assert told == {
        "features: ghcr.io/x/git:1": "ignored",
        "features: ./a": "used",
        "features: ./a: privileged": "refused",
        "features: ./a: mounts": "refused",
    }
    assert installed(found) == ["a"]


@pytest.mark.parametrize(
    ("features", "commit", "problem"),
    [
        ([], {}, "is no object"),
        ({"./a": 7}, {"a": {}}, "options that are no table"),
        ({"./a": {"x": "a\nb"}}, {"a": {}}, "options that are no table"),
        ({"./a": {}}, {"a": {"options": []}}, None),
        ({"./a": {}}, {"a": {"options": ["x"]}}, "options is no object"),
        ({"./a": {}}, {"a": {"containerEnv": {"A": {}}}}, "containerEnv is no table"),
        ({"./a": {}}, {"a": {"postCreateCommand": 7}}, "is no command"),
        ({"../../a": {}}, {}, "leads out of the repository"),
        (
            {"./a": {}, "./b": {}},
            {"a": {"installsAfter": ["./b"]}, "b": {"dependsOn": {"./a": 1}}},
            "wait",
        ),
        ({"./a": {}}, {"a": {"dependsOn": 7, "installsAfter": [[], {}]}}, None),
    ],
)
def test_bad_values_are_one_line(
    features: Any, commit: dict[str, Any], problem: str | None
) -> None:
    if problem is None:
        assert installed(read(features, commit)) == ["a"]
        return
    with pytest.raises(InvalidInput, match=problem) as caught:
        read(features, commit)
    assert "\n" not in str(caught.value)


def test_one_that_is_not_in_the_commit_is_named() -> None:
    with pytest.raises(NotFound, match=r"\./away is no folder of the commit"):
        read({"./away": {}}, {})


def test_consent_covers_the_whole_folder_of_a_feature(repository: Path) -> None:
    said = json.dumps({"image": "debian", "features": {"./a": {}}})
    feature = {FILE: said, ".devcontainer/a/devcontainer-feature.json": "{}"}
    put(repository, {**feature, ".devcontainer/a/install.sh": "true", ".devcontainer/a/more": "1"})
    first = make_plan(open_repository(repository), "HEAD")
    assert first is not None
    assert ".devcontainer/a" in first.covers
    put(repository, {".devcontainer/a/more": "2"})
    second = make_plan(open_repository(repository), "HEAD")
    assert second is not None
    assert second.consent != first.consent
    assert second.id != first.id
