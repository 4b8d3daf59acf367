"""Compose files: every key, what is started, and what a repository can try with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ctui.environments.definition.definition import KeyReport
from ctui.environments.definition.own_service import Composed
from ctui.environments.definition.services.compose import read_compose
from ctui.environments.definition.services.compose_builds import BUILD_ROWS
from ctui.environments.definition.services.compose_keys import OWN_ROWS, SERVICE_ROWS, TOP_ROWS
from ctui.environments.lookup import plan_of
from ctui.errors import CtuiError, InvalidInput, NotFound, Refused
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.sandbox.services import ImageBuild, Service, WorktreeMount
from tests.docs.pages import DOCS
from tests.environments.services.files import FilesOfTest
from tests.environments.test_choice import put

FILE = "dev/compose.yml"


def composed(text: str, *run: str, files: Mapping[str, str] | None = None) -> Composed:
    return read_compose([FILE], "app", run, FilesOfTest({FILE: text, **(files or {})}))


def said(top: dict[str, Any]) -> str:
    """Return a compose file: JSON is YAML too."""
    return json.dumps(top)


def beside(db: dict[str, Any], **files: str) -> tuple[Service, dict[str, KeyReport]]:
    """Return the one service that a file starts, and what is said of its keys."""
    text = said({"services": {"app": {"image": "a"}, "db": {"image": "x", **db}}})
    found = composed(text, files={f"dev/{name}": one for name, one in files.items()})
    (service,) = found.services
    return service, {one.key.removeprefix("services.db."): one for one in found.keys}


def row(key: str, status: str, reason: str) -> str:
    return f"| `{key}` | {status} | {reason} |"


@pytest.mark.parametrize("key", sorted(SERVICE_ROWS))
def test_each_key_of_a_service_has_a_status_and_a_reason(key: str) -> None:
    """Part 4: a row each, with its reason, and on the page."""
    known = SERVICE_ROWS[key]
    page = (DOCS / "environments.md").read_text(encoding="utf-8")
    assert row(key, known.status, known.reason) in page
    if key == "depends_on":
        text = {"image": "x", "depends_on": ["db"]}
        found = composed(
            said({"services": {"app": {"image": "a"}, "db": {"image": "y"}, "q": text}})
        )
        told = {one.key: one for one in found.keys}["services.q.depends_on"]
        assert (told.status, told.reason) == (known.status, known.reason)
        return
    if key == "profiles":
        both = {"app": {"image": "a"}, "db": {"image": "x", key: known.example}}
        found = composed(said({"services": both}), "db")
        told = {one.key: one for one in found.keys}["services.db.profiles"]
        assert (told.status, told.reason) == (known.status, known.reason)
        return
    service, told_of = beside({key: known.example}, **{"db.env": "A=b"})
    if key == "volumes":
        assert told_of["volumes: data at /data"].status == "used"
        assert service.kept == ("/data",)
        return
    told = told_of[key]
    assert (told.status, told.reason) == (known.status, known.reason)
    plain = Service(name="db", image="x")
    assert (service != plain) == (known.status == "used")


@pytest.mark.parametrize("key", sorted(OWN_ROWS))
def test_each_key_of_the_tasks_own_service_is_told(key: str) -> None:
    status, reason = OWN_ROWS[key]
    example = ["q"] if key == "depends_on" else SERVICE_ROWS[key].example
    own = {"image": "a", key: example}
    text = said({"services": {"app": own, "q": {"image": "q"}}})
    found = composed(text, files={"dev/db.env": "A=b"})
    told = {one.key: one for one in found.keys}[f"services.app.{key}"]
    assert (told.status, told.reason) == (status, reason)
    page = (DOCS / "environments.md").read_text(encoding="utf-8")
    assert row(key, status, reason) in page


@pytest.mark.parametrize("key", sorted(BUILD_ROWS))
def test_each_key_of_a_build_is_told(key: str) -> None:
    status, reason, example = BUILD_ROWS[key]
    plain = ImageBuild(dockerfile="dev/Dockerfile", context="dev")
    service, told = beside({"build": {"context": ".", key: example}})
    assert (told[f"build.{key}"].status, told[f"build.{key}"].reason) == (status, reason)
    assert service.image == ""
    assert (service.build != plain) == (status == "used" and key != "context")
    page = (DOCS / "environments.md").read_text(encoding="utf-8")
    assert row(key, status, reason) in page


@pytest.mark.parametrize(
    ("build", "words"),
    [
        ("https://example.org/a.git", "'https://example.org/a.git' is an address"),
        ({"context": "git@example.org:a"}, "is an address"),
        ("../..", "leads out of the repository"),
        ({"context": ".", "dockerfile": "../../x"}, "leads out of the repository"),
        ({"dockerfile_inline": "FROM x"}, "dockerfile_inline is not read"),
        (["."], "db.build is no table"),
    ],
)
def test_a_build_that_cannot_be_had_is_an_error_with_its_key(build: Any, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        beside({"build": build})
    assert "dev/compose.yml: services.db.build" in caught.value.one_line()
    assert words in caught.value.one_line()


def test_a_build_s_arguments_go_around_no_cache_and_read_nothing_of_the_host() -> None:
    service, told = beside({"build": {"args": ["A=1", "HTTPS_PROXY=http://evil", "HOME"]}})
    assert service.build == ImageBuild(dockerfile="dev/Dockerfile", context="dev", args={"A": "1"})
    assert told["build.args.HTTPS_PROXY"].status == told["build.args.HOME"].status == "refused"
    assert told["build.args"].status == "used"


@pytest.mark.parametrize("key", sorted(TOP_ROWS))
def test_each_key_beside_the_services_is_told(key: str) -> None:
    known = TOP_ROWS[key]
    example = {"app": {"image": "a"}} if key == "services" else known.example
    text = said({"services": {"app": {"image": "a"}}, key: example or "x"})
    told = {one.key: one for one in composed(text).keys}[key]
    assert (told.status, told.reason) == (known.status, known.reason)
    page = (DOCS / "environments.md").read_text(encoding="utf-8")
    assert row(key, known.status, known.reason) in page


@pytest.mark.parametrize(
    "asked",
    [
        {"privileged": True},
        {"cap_add": ["ALL"]},
        {"devices": ["/dev/mem:/dev/mem"]},
        {"network_mode": "host"},
        {"network_mode": "container:other"},
        {"pid": "host"},
        {"ipc": "host"},
        {"userns_mode": "host"},
        {"cgroup": "host"},
        {"security_opt": ["seccomp:unconfined", "apparmor:unconfined"]},
        {"volumes": ["/:/host"]},
        {"volumes": ["/var/run/docker.sock:/var/run/docker.sock"]},
        {"volumes": ["../../out:/x"]},
        {"volumes": ["~/.ssh:/ssh"]},
        {"volumes": [{"type": "bind", "source": "/etc", "target": "/x"}]},
        {"volumes": ["./../../x:/y"]},
        {"volumes": ["\\\\host\\share:/y"]},
        {"env_file": ["../../.env"]},
        {"env_file": "/etc/environment"},
        {"env_file": [{"path": "/root/.env", "required": True}]},
        {"secrets": ["token"]},
        {"configs": [{"source": "c"}]},
        {"volumes_from": ["container:other"]},
        {"extra_hosts": ["api.anthropic.com:10.0.0.1"]},
        {"use_api_socket": True},
        {"extends": {"file": "../../other.yml", "service": "db"}},
    ],
)
def test_what_would_break_the_seal_is_refused_and_the_rest_counts(asked: dict[str, Any]) -> None:
    """Part 4: host namespaces, rights, folders and files of the host."""
    text = said({"services": {"app": {"image": "a"}, "db": {"image": "x", **asked}}})
    found = composed(text)
    assert found.services == (Service(name="db", image="x"),)
    assert [one for one in found.keys if one.status == "refused"]


def test_refused_keys_that_ask_for_nothing_are_no_refusal() -> None:
    service, told = beside({"privileged": False, "cap_add": [], "network_mode": "service:app"})
    assert service == Service(name="db", image="x")
    assert {one.status for one in told.values()} & {"refused"} == set()


def test_a_whole_file_as_people_have_it() -> None:
    text = """
version: "3.8"
x-base: &base
  restart: unless-stopped
services:
  app:
    build:
      context: ..
      dockerfile: dev/Dockerfile
      args: { VARIANT: 3.10, HTTP_PROXY: "http://x" }
    volumes:
      - ../..:/workspaces:cached
      - cache:/cache
    command: sleep infinity
    network_mode: service:db
    environment:
      DATABASE_URL: postgres://postgres:${PASSWORD:-secret}@db/app
      LD_PRELOAD: /tmp/x.so
  db:
    <<: *base
    image: postgres:${VERSION:-16}
    env_file: db.env
    volumes:
      - data:/var/lib/postgresql/data
      - ./init:/docker-entrypoint-initdb.d
      - ./not-there:/more
      - /anonymous
    environment:
      - POSTGRES_PASSWORD=${PASSWORD:-secret}
      - HOME
    healthcheck: { test: pg_isready -q, interval: 5s, retries: 30, start_period: 1m }
  late:
    image: worker
    depends_on: { db: { condition: service_healthy } }
    healthcheck: { test: [NONE] }
volumes:
  data: { external: true }
"""
    files = {"dev/db.env": "# a comment\nA=1\nB='two words'\n", "dev/init/a.sql": "select 1"}
    found = composed(text, files=files)
    assert found.own.build == ImageBuild(
        dockerfile="dev/Dockerfile",
        args={"VARIANT": "3.10"},  # and not the number 3.1
    )
    assert found.own.env == {"DATABASE_URL": "postgres://postgres:secret@db/app"}
    assert [(one.name, one.target) for one in found.own.volumes] == [("cache", "/cache")]
    assert found.services == (
        Service(
            name="db",
            image="postgres:16",
            env={"A": "1", "B": "two words", "POSTGRES_PASSWORD": "secret"},
            health=("/bin/sh", "-c", "pg_isready -q"),
            wait=210,
            kept=("/var/lib/postgresql/data", "/more"),
            files=(WorktreeMount("dev/init", "/docker-entrypoint-initdb.d"),),
        ),
        Service(name="late", image="worker", checked=False, after=("db",)),
    )
    told = {one.key: one.status for one in found.keys}
    assert told["services.app.environment.LD_PRELOAD"] == "refused"
    assert told["services.db.environment.HOME"] == "ignored"
    assert told["${PASSWORD}"] == "ignored"


def test_which_are_started() -> None:
    """runServices with what those depend on; without it all that have no profile."""
    text = said(
        {
            "services": {
                "app": {"image": "a", "depends_on": ["db"]},
                "db": {"image": "x"},
                "queue": {"image": "y"},
                "web": {"image": "z", "depends_on": ["queue"]},
                "debug": {"image": "d", "profiles": ["debug"]},
            }
        }
    )
    started = [one.name for one in composed(text).services]
    assert sorted(started) == ["db", "queue", "web"]
    assert started.index("queue") < started.index("web")
    assert sorted(one.name for one in composed(text, "web").services) == ["db", "queue", "web"]
    assert sorted(one.name for one in composed(text, "debug").services) == ["db", "debug"]
    told = {one.key: one.status for one in composed(text).keys}
    assert told["services.debug"] == "ignored"
    with pytest.raises(InvalidInput, match="there is no service nope"):
        composed(text, "nope")


def test_a_later_file_counts_over_those_before_it() -> None:
    first = said(
        {
            "services": {
                "app": {"image": "a"},
                "db": {"image": "x", "environment": ["A=1", "B=1"], "command": ["one", "two"]},
            }
        }
    )
    second = "services: {db: {environment: {B: 2}, command: [three], volumes: ['d:/d']}}"
    texts = FilesOfTest({"a/one.yml": first, "b/two.yml": second})
    (service,) = read_compose(["a/one.yml", "b/two.yml"], "app", (), texts).services
    assert service.env == {"A": "1", "B": "2"}
    assert service.command == ("three",)
    assert service.kept == ("/d",)


def test_variables_are_those_of_the_commit_and_never_the_persons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Part 4: interpolation reads the `.env` beside the file, if that is committed."""
    monkeypatch.setenv("TOKEN", "of-the-person")
    monkeypatch.setenv("KNOWN", "of-the-person")
    service, told = beside(
        {"environment": {"A": "${TOKEN:-none} $TOKEN $$5", "B": "${KNOWN}", "C": "${KNOWN:+yes}"}},
        **{".env": "KNOWN=committed\n"},
    )
    assert service.env == {"A": "none  $5", "B": "committed", "C": "yes"}
    assert "${TOKEN}" in told
    assert "of-the-person" not in repr(service)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &a [x]\nservices: *a", "services is no table"),
        ("services: {app: {image: '${X:?needed here}'}}", r"\$\{X\} has no value \(needed here\)"),
        ("services: {app: {image: '${X'}}", "a variable that cannot be read"),
        ("services: {app: {image: '${1}'}}", "a variable that cannot be read"),
        ("services: {app: {image: '${A:-' }}", "a variable that cannot be read"),
        ("services: [", "did not find expected|expected the node content"),
        ("- a", "is no table"),
        ("services: {app: {image: a}, app: {image: b}}", "app is there twice"),
        ("services: {app: !!python/object:os.system {image: a}}", "is no plain value"),
        ("services: !reset {app: {image: a}}", "is no plain value"),
        ("services: {? [a] : b}", "a key is no text"),
        ("services: {app: {image: a, <<: x}}", "what is merged is no table"),
        ("services: {app: {image: a}, localhost: {image: b}}", "is the sandbox itself"),
        ("services: {app: {image: a}, 'a.b': {image: b}}", "can be no name of a service"),
        ("services: {app: {image: a}, db: {}}", "services.db has no image"),
        ("services: {app: {image: a}, db: {extends: {service: x}}}", "services.db has no image"),
        ("services: {app: {command: x}}", "neither image nor build"),
        ("services: {app: {image: a}, db: {image: '-v'}}", "is no image"),
        ("services: {app: {image: a}, b: {image: x, depends_on: [c]}, c: {image: y, depends_on: [b]}}",  # noqa: E501
         "in a circle: b, c"),
        ("services: {app: {image: a}, db: {image: x, volumes: ['d:/proc/x']}}", "can be no folder"),
        ("services: {app: {image: a}, db: {image: x, healthcheck: {test: [pg]}}}", "no CMD"),
        ("services: {app: {image: a}, db: {image: x, environment: {A: [b]}}}", "is no table"),
        ("\x00", "is no YAML"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_in_one_line(text: str, words: str) -> None:
    with pytest.raises(CtuiError, match=words) as caught:
        composed(text)
    assert "\n" not in caught.value.one_line()


def bomb(merge: str) -> str:
    lines = ["x0: &x0 {a: b, c: d}"]
    for number in range(1, 30):
        inner = ", ".join([f"*x{number - 1}"] * 9)
        lines.append(f"x{number}: &x{number} " + merge.format(inner))
    return "\n".join([*lines, "services: {app: {image: a}}"])


@pytest.mark.parametrize(
    "text",
    [
        bomb("[{}]"),
        bomb("{{<<: [{}]}}"),
        "services: &a {app: *a}",
        "services: {app: &a {image: a, <<: *a}}",
        "services: " + "[" * 5000,
        "services: " + "{a: " * 5000,
        "x: " + "[" * 100 + "]" * 100,
        "a: [" + "x, " * 20_000 + "x]",
    ],
    ids=["aliases", "merges", "itself", "merges itself", "lists", "tables", "deep", "long"],
)
def test_what_grows_without_end_is_refused_at_once(text: str) -> None:
    """Bad input: an alias bomb."""
    with pytest.raises(InvalidInput, match=r"nested|more than 20000 values|alias"):
        composed(text)


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(Refused, match="larger than 64 KB"):
        composed("#" * 70_000)


async def test_a_committed_compose_file_is_a_part_of_what_is_agreed_to(
    paths: Paths, repository: Path
) -> None:
    """Part 4: all of it counts only after consent to its hash, what it mounts too."""
    compose = said(
        {
            "services": {
                "app": {"image": "debian"},
                "db": {"image": "postgres", "volumes": ["./init:/docker-entrypoint-initdb.d:ro"]},
            }
        }
    )
    there = {
        ".devcontainer/devcontainer.json": '{"dockerComposeFile": "c.yml", "service": "app"}',
        ".devcontainer/c.yml": compose,
        ".devcontainer/init/a.sql": "select 1;",
    }

    def consent(files: Mapping[str, str]) -> str:
        put(repository, dict(files))
        plan = plan_of(paths, open_repository(repository), "HEAD")
        assert plan is not None
        assert [one.name for one in plan.found.definition.services] == ["db"]
        assert plan.found.definition.of_repository
        assert plan.covers == (".devcontainer/init",)
        return plan.consent

    first = consent(there)
    other = consent({".devcontainer/c.yml": compose.replace("postgres", "evil")})
    third = consent({".devcontainer/init/a.sql": "drop table users;"})
    assert len({first, other, third}) == 3


def test_a_file_that_is_not_committed_does_not_count() -> None:
    with pytest.raises(NotFound, match="is not a file of the commit"):
        read_compose(["other.yml"], "app", (), FilesOfTest({}))
