"""What `ctui doctor` says of a config that is wrong, without an engine of its own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ctui.client.health.health import Check, check_all
from ctui.client.tasks.chosen_login import chosen_platform
from ctui.errors import Refused
from ctui.paths import Paths
from ctui.sandbox.docker import image
from ctui.sandbox.docker.engine import Engine, EngineInfo
from ctui.tasks.model import TaskOptions


class Nothing:
    """An engine on which no ctui has anything."""

    endpoint = SimpleNamespace(url="unix:///nowhere")

    root = ""

    async def info(self) -> EngineInfo:
        return EngineInfo("1", "1.41", live_restore=True, storage_driver="", root=self.root)

    async def find(self, _: object) -> list[object]:
        return []

    async def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(_: object) -> Nothing:
        return Nothing()

    async def require(*_: object) -> str:
        return "ctui:built"

    monkeypatch.setattr(Engine, "connect", connect)
    monkeypatch.setattr(image, "require_image", require)


async def checks(paths: Paths, config: str) -> dict[str, Check]:
    paths.config.mkdir(parents=True, mode=0o700)
    paths.config_file.write_text(config)
    return {check.name: check for check in await check_all(paths)}


async def test_the_image_does_not_depend_on_the_address_of_the_model(paths: Paths) -> None:
    text = '[claude]\nbase_url = "http://localhost:1"\n[network]\ngateway = false\n'
    found = await checks(paths, text)
    assert not found["config"].ok
    assert found["image"] == Check("image", True, "ctui:built")


async def test_the_image_depends_on_a_config_that_can_be_read(paths: Paths) -> None:
    found = await checks(paths, "[claude\n")
    assert not found["config"].ok
    assert (found["image"].ok, found["image"].found) == (False, "which one depends on the config")


async def test_a_wrong_variable_is_mended_where_it_is_set(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTUI_SANDBOX_MEMORY", "abc")
    found = (await checks(paths, "[sandbox]\nmemory = '8g'\n"))["config"]
    assert (found.ok, "CTUI_SANDBOX_MEMORY" in found.found) == (False, True)
    assert "`unset CTUI_SANDBOX_MEMORY`" in found.mend
    assert "config edit" not in found.mend
    paths.config_file.write_text("[sandbox]\nmemory = 'abc'\n")
    assert "`ctui config edit`" in (await check_all(paths))[2].mend


async def test_a_platform_is_named_with_what_its_key_is_called(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CODE_USE_BEDROCK", "1")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-api-0123456789")
    found = (await checks(paths, ""))["login"]
    assert (found.ok, "AWS_BEARER_TOKEN_BEDROCK" in found.found + found.mend) == (False, True)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-key-0123456789")
    [login] = [check for check in await check_all(paths) if check.name == "login"]
    assert login.ok
    assert login.found == "Amazon Bedrock (eu-west-1), by Claude Code's own variables"


def test_a_platform_is_not_for_a_task_without_the_gateway() -> None:
    """Its credential would be in the task."""
    environ = {"CLAUDE_CODE_USE_BEDROCK": "1", "AWS_BEARER_TOKEN_BEDROCK": "key-0123456789"}
    platform = chosen_platform(TaskOptions(network="closed"), environ)
    assert platform is not None
    assert platform.name == "bedrock"
    assert chosen_platform(TaskOptions(network="unsealed"), {}) is None
    with pytest.raises(Refused, match="through the gateway alone"):
        chosen_platform(TaskOptions(network="unsealed"), environ)


@pytest.mark.parametrize(("floor", "ok"), [("900t", False), ("1", True)])
async def test_a_disk_of_the_engine_that_is_nearly_full_is_said(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, floor: str, ok: bool
) -> None:
    """S17, beside it: where images and the homes of tasks are."""
    monkeypatch.setattr(Nothing, "root", str(tmp_path))
    found = (await checks(paths, f'[tasks]\nfree_space = "{floor}"\n'))["engine"]
    assert found.ok is ok
    assert (f"left ({tmp_path})" in found.found, "docker system df" in found.mend) == (not ok,) * 2
