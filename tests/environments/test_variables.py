"""Variables of devcontainer.json: none of the host's, and no circle."""

from __future__ import annotations

import pytest

from ctui.config.variables import check_variable
from ctui.environments.definition.variable_names import name_problem
from ctui.environments.definition.variables import (
    Names,
    host_variables,
    resolve_environment,
    substitute,
)
from ctui.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${containerWorkspaceFolder}/a", "/workspace/a"),
        ("${localWorkspaceFolder}", "/workspace"),
        ("${localWorkspaceFolderBasename}", "workspace"),
        ("${containerWorkspaceFolderBasename}", "workspace"),
        ("${devcontainerId}", "an-id"),
        ("${localEnv:HOME}", ""),
        ("${localEnv:HOME:none}", "none"),
        ("${env:PATH}", ""),
        ("${containerEnv:PATH}", "${containerEnv:PATH}"),
        ("${unknown}", "${unknown}"),
        ("$HOME ${", "$HOME ${"),
    ],
)
def test_what_is_put_in(monkeypatch: pytest.MonkeyPatch, text: str, value: str) -> None:
    monkeypatch.setenv("HOME", "/home/secret")
    assert substitute({"a": [text]}, Names("an-id")) == {"a": [value]}


def test_variables_of_the_host_are_named() -> None:
    assert host_variables({"a": ["${localEnv:B} ${localEnv:A:x}"]}) == ["A", "B"]


def test_the_container_s_variables_are_those_below() -> None:
    image = {"PATH": "/bin", "A": "image"}
    container = {"A": "${containerEnv:A}!", "B": "${containerEnv:A}?"}
    remote = {"PATH": "/x:${containerEnv:PATH}", "C": "${containerEnv:NONE:default}"}
    assert resolve_environment((container, remote), image, "f") == {
        "A": "image!",
        "B": "image!?",
        "PATH": "/x:/bin",
        "C": "default",
    }


def test_a_circle_is_said() -> None:
    layer = {"A": "${containerEnv:B}", "B": "${containerEnv:C}", "C": "${containerEnv:A}"}
    with pytest.raises(InvalidInput, match="A → B → C → A"):
        resolve_environment((layer,), {}, "f")


def test_no_text_grows_without_end() -> None:
    layer = {f"V{n}": f"${{containerEnv:V{n + 1}}}" * 10 for n in range(30)}
    with pytest.raises(InvalidInput, match="longer than"):
        resolve_environment(({**layer, "V30": "x"},), {}, "f")


def test_a_long_chain_is_refused_in_one_line() -> None:
    layer = {f"V{n}": f"${{containerEnv:V{n + 1}}}" for n in range(5000)}
    with pytest.raises(InvalidInput):
        resolve_environment((layer,), {}, "f")


@pytest.mark.parametrize(
    "name",
    [
        *("BUN_OPTIONS", "BUN_INSPECT_PRELOAD", "GCONV_PATH", "GLIBC_TUNABLES", "GIT_EXEC_PATH"),
        *("GIT_ASKPASS", "SSH_ASKPASS", "PROMPT_COMMAND", "SHELLOPTS", "CLAUDECODE", "LD_AUDIT"),
        *("ANTHROPIC_BASE_URL", "https_proxy", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "HOME"),
    ],
)
def test_what_steers_the_cli_is_no_variable_of_an_image_either(name: str) -> None:
    """An environment's variables are its image's, which no other check sees."""
    assert name_problem(name)
    with pytest.raises(InvalidInput):
        check_variable(name, "x", "a file", by="repository")


def test_an_image_s_variable_cannot_be_another_instruction() -> None:
    """What is put in is written into instructions, as the definition's own values are."""
    image = {"LINES": 'a"\nENTRYPOINT ["/evil"]', "PLAIN": "b"}
    layer = {"A": "${containerEnv:PLAIN}"}
    assert resolve_environment((layer,), image, "f") == {"A": "b"}
    with pytest.raises(InvalidInput, match="the variable A has a line break"):
        resolve_environment(({"A": "${containerEnv:LINES}"},), image, "f")
