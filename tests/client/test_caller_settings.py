"""The caller's settings go with what they start, tell or resume."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ctui.claude.login.platforms import platform_of
from ctui.client.tasks.caller import login, new_message, resumption
from ctui.errors import InvalidInput, NotFound
from ctui.paths import Paths, private_folder
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.network.sealed import PLACEHOLDER
from ctui.tasks.store import Store
from tests.cli.commands import refused


@pytest.fixture
def task(paths: Paths, repository: Path) -> Task:
    private_folder(paths.state)
    store = Store(paths.database)
    found = Task(
        id="fix",
        repository=str(repository / ".git"),
        worktree="/w",
        metadata=None,
        branch=None,
        base=None,
        session="s",
        prompt="go",
    )
    store.tasks.add(found)
    store.close()
    return found


def test_a_variable_of_the_callers_shell_travels(
    paths: Paths, task: Task, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T12: the driver may come from another shell, and from before the file was changed."""
    (repository / ".ctui.toml").write_text('[claude]\nmodel = "haiku"\n')
    private_folder(paths.config)
    paths.config_file.write_text("[sandbox]\npids = 99\n")
    monkeypatch.setenv("CTUI_SANDBOX_MEMORY", "3g")
    bundle = repository / "ca.pem"
    bundle.write_text("x")
    monkeypatch.setenv("CTUI_CA_FILE", str(bundle))
    for call in (new_message(paths, task.id, "go on"), resumption(paths, task.id)):
        assert call.config is not None
        assert call.config.sandbox.memory == "3g"
        assert call.config.sandbox.pids == 99
        assert call.config.claude.model == "haiku"
        assert call.config.image.ca_file == str(bundle)


def test_what_a_platform_s_credential_is_found_by_travels(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key, and what says to Google's program whose token to print."""
    platform = platform_of({"CLAUDE_CODE_USE_BEDROCK": "1"}, PLACEHOLDER)
    wanted = {"AWS_BEARER_TOKEN_BEDROCK": "key", "CLOUDSDK_CONFIG": "/mine"}
    for name, value in {**wanted, "ANTHROPIC_API_KEY": "no-key-of-it"}.items():
        monkeypatch.setenv(name, value)
    found = login(paths, TaskOptions(network="allow", platform=platform))
    assert found.environment == wanted
    assert found.stored


def test_a_repository_that_is_gone_says_nothing(paths: Paths, task: Task, repository: Path) -> None:
    """T12, beside it: the driver says what is wrong, and what to do."""
    repository.rename(repository.with_name("away"))
    assert new_message(paths, task.id, "go on").config is not None
    with pytest.raises(NotFound):
        new_message(paths, "nobody", "go on")


def test_settings_that_are_wrong_are_said_before_anything_is_sent(
    paths: Paths, task: Task, monkeypatch: pytest.MonkeyPatch, repository: Path
) -> None:
    """T12, beside it: in one line that names the variable."""
    monkeypatch.setenv("CTUI_SANDBOX_MEMORY", "much")
    with pytest.raises(InvalidInput, match="CTUI_SANDBOX_MEMORY"):
        resumption(paths, task.id)
    said = refused(repository, "task", "send", task.id, "go on")
    assert "CTUI_SANDBOX_MEMORY" in said


@pytest.mark.parametrize("network", ["", "unsealed"])
def test_an_address_here_is_refused_for_a_task_without_a_gateway(
    paths: Paths, task: Task, network: str
) -> None:
    """Also for one of before there was a gateway, which says nothing of a network."""
    private_folder(paths.config)
    paths.config_file.write_text('[claude]\nbase_url = "http://localhost:1"\n')
    store = Store(paths.database)
    task.options = msgspec.structs.replace(task.options, network=network)
    store.tasks.save(task)
    with pytest.raises(InvalidInput, match="localhost"):
        resumption(paths, task.id)
    task.options = msgspec.structs.replace(task.options, network="allow")
    store.tasks.save(task)
    store.close()
    assert resumption(paths, task.id).login.base_url == "http://localhost:1"
