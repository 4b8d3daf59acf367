"""`[environment.services.NAME]`: every key, and what cannot be a service."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ctui.environments.definition.definition import Definition
from ctui.environments.definition.repository_file import environment_of
from ctui.environments.definition.services.table import SERVICE_KEYS
from ctui.errors import InvalidInput
from ctui.sandbox.services import Service
from tests.docs.pages import DOCS


def services(**tables: dict[str, Any]) -> tuple[Service, ...]:
    return environment_of({"services": tables}, "f", "repository").definition.services


def refusal(name: str = "db", **said: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        environment_of({"services": {name: {"image": "x", **said}}}, "f", "repository")
    line = caught.value.one_line()
    assert "\n" not in line
    assert caught.value.hint
    return line


@pytest.mark.parametrize("key", sorted(SERVICE_KEYS))
def test_each_key_is_read_told_and_on_the_page(key: str) -> None:
    words, example = SERVICE_KEYS[key]
    base = {"dockerfile": "D"} if key in {"dockerfile", "context"} else {"image": "x"}
    found = environment_of({"services": {"db": {**base, key: example}}}, "f", "repository")
    told = next(one for one in found.keys if one.key == f"environment.services.db.{key}")
    assert (told.status, told.reason) == ("used", words)
    assert found.definition.services[0] != Service(name="db", image="x")
    page = (DOCS / "environments.md").read_text(encoding="utf-8")
    assert f"| `{key}` | {words} | `{key} = " in page


def test_a_whole_service_is_read() -> None:
    assert services(
        db={
            "image": "registry.example.org:5000/postgres:16@sha256:" + "0" * 64,
            "env": {"POSTGRES_PASSWORD": "p", "FAST": True},
            "command": "postgres -c 'a b'",
            "health": ["pg_isready", "-q"],
            "port": 5432,
            "wait": 90,
            "data": "/var/lib/data/",
            "user": "999:999",
        }
    ) == (
        Service(
            name="db",
            image="registry.example.org:5000/postgres:16@sha256:" + "0" * 64,
            env={"POSTGRES_PASSWORD": "p", "FAST": "true"},
            command=("postgres", "-c", "a b"),
            health=("pg_isready", "-q"),
            port=5432,
            wait=90,
            kept=("/var/lib/data",),
            user="999:999",
        ),
    )


@pytest.mark.parametrize(
    "name",
    ["localhost", "127", "", "DB", "a.b", "api.anthropic.com", "-x", "x-", "a b", "../x", "é",
     "a" * 41, "db\n", "[31m", "ip6-localhost"],
)  # fmt: skip
def test_a_name_that_no_service_should_have_is_refused_in_one_line(name: str) -> None:
    """Among them those that would be another host's: to it goes what is secret."""
    assert "f: environment.services" in refusal(name)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"image": ""}, "'' is no image"),
        ({"image": "--privileged"}, "is no image"),
        ({"image": 5}, "image is no plain text"),
        ({"dockerfile": "Dockerfile"}, "image and dockerfile exclude each other"),
        ({"image": "", "dockerfile": "../D"}, "leads out of the repository"),
        ({"image": "", "context": "db"}, "'' is no image"),
        ({"env": {"A B": "x"}}, "env is no table"),
        ({"env": {"A": "x\ny"}}, "env is no table"),
        ({"command": "it's"}, "a quote that is not closed"),
        ({"command": [1]}, "command is no command"),
        ({"health": ["a\0"]}, "health is too long, or"),
        ({"port": 70000}, "port is no number from 1 to 65535"),
        ({"port": True}, "port is no number"),
        ({"wait": 100000}, "wait is no number from 1 to 900"),
        ({"data": "forever"}, "can be no folder"),
        ({"data": "/"}, "can be no folder"),
        ({"data": "/proc/x"}, "can be no folder"),
        ({"data": "/x/../dev"}, "can be no folder"),
        ({"user": "root;id"}, "is no user"),
        ({"imgae": "x"}, "did you mean image?"),
        ({"volumes": ["/:/host"]}, "has no volumes (its keys:"),
        ({"privileged": True}, "has no privileged"),
    ],
)
def test_what_is_wrong_is_said_with_its_key(said: dict[str, Any], words: str) -> None:
    assert words in refusal(**said)


def test_two_that_listen_on_one_port_are_named_with_what_to_do() -> None:
    with pytest.raises(InvalidInput) as caught:
        services(db={"image": "x", "port": 5432}, old={"image": "y", "port": 5432})
    assert caught.value.one_line() == (
        "f: the services db and old both listen on 5432, and share one network (let old listen on "
        "another port (by its command or env), and name that as its `port`)"
    )


def test_more_than_a_machine_should_run_are_refused() -> None:
    with pytest.raises(InvalidInput, match="more than 16 services"):
        services(**{f"s{number}": {"image": "x"} for number in range(17)})


def test_a_definition_keeps_the_hash_that_it_had_before_there_was_more_to_define() -> None:
    """What a person consented to is not asked again because ctui was updated."""
    definition = Definition(source="repository", file="f", image="x")
    assert definition.digest() == (
        "15bd10de4a16729b4440e41f085d234e579aeb7cf826712c2004cfcecc53cb2c"
    )
    other = msgspec.structs.replace(definition, services=(Service(name="db", image="x"),))
    assert other.digest() != definition.digest()
