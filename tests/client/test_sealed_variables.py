"""Variables of a sealed task: the way to the gateway is nobody's to set, in a shell neither."""

from __future__ import annotations

import pytest

from ctui.client.access.shells import shell_environment
from ctui.client.tasks.new_task import NewTask, options_of
from ctui.config import load_config
from ctui.errors import InvalidInput
from ctui.paths import Paths
from ctui.tasks.model import Task, TaskOptions

_PROXIES = ("HTTPS_PROXY", "http_proxy", "ALL_PROXY", "no_proxy", "BROWSER_PROXY")
_PERSONS = {"HTTPS_PROXY": "http://person:hunter2@proxy.example:3128"}


def _options(paths: Paths, name: str, network: str) -> TaskOptions:
    new = NewTask(prompt="go", env=(f"{name}=x",), options=TaskOptions(network=network))  # type: ignore[arg-type]
    return options_of(paths, new, load_config(paths), lambda _: None)


@pytest.mark.parametrize("name", _PROXIES)
def test_a_proxy_is_the_persons_to_set_only_where_there_is_no_gateway(
    paths: Paths, name: str
) -> None:
    for network in ("", "open", "closed"):
        with pytest.raises(InvalidInput, match=rf"{name} is ctui's own in a task behind"):
            _options(paths, name, network)
    assert _options(paths, name, "unsealed").env == {name: "x"}


def test_a_setting_says_no_more_than_an_option(paths: Paths) -> None:
    paths.config.mkdir(parents=True, mode=0o700)
    paths.config_file.write_text('[sandbox]\nenv = ["HTTPS_PROXY=http://other.example:1"]\n')
    with pytest.raises(InvalidInput, match="HTTPS_PROXY"):
        options_of(paths, NewTask(prompt="go"), load_config(paths), lambda _: None)


def _task(network: str) -> Task:
    return Task(
        id="one",
        repository="/r/.git",
        worktree="/w",
        metadata=None,
        branch=None,
        base=None,
        session="s",
        prompt="go",
        network=network,  # type: ignore[arg-type]
    )


def test_a_shell_in_a_sealed_task_has_the_gateways_proxies_and_not_the_persons() -> None:
    """Those are in its sandbox's own environment; a person's can have a password in them."""
    given = {"A": "1"}
    assert shell_environment(_task("allow"), _PERSONS, given) == given
    unsealed = shell_environment(_task("unsealed"), _PERSONS, given)
    assert unsealed["https_proxy"] == _PERSONS["HTTPS_PROXY"]
    assert unsealed["A"] == "1"
