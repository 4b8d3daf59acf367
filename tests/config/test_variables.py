"""Variables of tasks: docker's file format, names, and which of several values counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.config.variables import (
    Layer,
    assignments,
    check_variable,
    person_variables,
    read_env_file,
    task_environment,
)
from ctui.errors import InvalidInput

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True).map("x_".__add__)
VALUES = st.dictionaries(NAMES, st.text(st.characters(codec="utf-8", exclude_characters="\0")))
_LAYERS = st.lists(st.builds(Layer, st.just("a layer"), VALUES), max_size=5)


@given(_LAYERS)
def test_of_each_name_the_strongest_layer_counts(layers: list[Layer]) -> None:
    """Issue: `--env`, `--env-file`, settings, `[environment.env]`, remoteEnv, containerEnv."""
    merged = task_environment(layers)
    assert set(merged) == {name for layer in layers for name in layer.values}
    for name, value in merged.items():
        assert value == next(one.values[name] for one in layers if name in one.values)


def test_options_beat_files_and_files_beat_settings() -> None:
    """Issue: the precedence of what the person gives; of each the last counts."""
    found = person_variables(
        ["A=option", "B", "A=later", "GONE"],
        [("f", "A=file\nC=file\n"), ("g", "C=second")],
        ["A=setting", "D=setting", "C=setting"],
        {"B": "caller"},
    )
    assert found == ({"A": "later", "B": "caller", "C": "second", "D": "setting"}, ["GONE"])


def test_a_file_is_read_as_docker_reads_it() -> None:
    """Issue: docker's format, no expansion."""
    text = "\ufeff# comment\n\n  A=1 # not a comment \nB='q'\n\tC=$A ${A}\r\nD=\nE\nF=a=b\n #G=1"
    assert read_env_file("f", text)[1] == [
        ("A", "1 # not a comment "),
        ("B", "'q'"),
        ("C", "$A ${A}"),
        ("D", ""),
        ("E", None),
        ("F", "a=b"),
    ]


@pytest.mark.parametrize("line", ["=x", "A B=1", "1A=1", "A-B=1", "export A=1", "A\0=1"])
def test_a_bad_name_in_a_file_is_named_with_its_line(line: str) -> None:
    with pytest.raises(InvalidInput, match=r"^f:2: .* is no variable's name"):
        read_env_file("f", f"OK=1\n{line}\n")


@pytest.mark.parametrize(
    "name",
    [
        *("ANTHROPIC_MODEL", "CLAUDE_CODE_USE_BEDROCK", "HTTPS_PROXY", "http_proxy", "LD_PRELOAD"),
        *("BASH_ENV", "GIT_CONFIG_COUNT", "GIT_SSH_COMMAND", "NODE_EXTRA_CA_CERTS"),
        *("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
    ],
)
def test_a_repository_sets_nothing_that_steers(name: str) -> None:
    """Issue: such names are refused from a repository's files by name, not from a person."""
    with pytest.raises(InvalidInput, match=f"a repository may not set {name}"):
        task_environment([Layer("devcontainer.json", {name: "x"})])
    assert task_environment([Layer("--env", {name: "x"}, by="person")]) == {name: "x"}


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "CTUI_HOME", "HOME", "ANTHROPIC_BASE_URL"])
def test_what_is_ctuis_own_nobody_sets(name: str) -> None:
    with pytest.raises(InvalidInput, match=rf"{name} is ctui's own"):
        check_variable(name, "x", "--env")


@pytest.mark.parametrize("name", ["MCP_TIMEOUT", "BASH_DEFAULT_TIMEOUT_MS", "DISABLE_TELEMETRY"])
def test_the_clis_own_variables_may_be_given(name: str) -> None:
    """Issue: the CLI's own variables (MCP_TIMEOUT, BASH_*, ...)."""
    layers = [Layer("--env", {name: "1"}, by="person"), Layer(".ctui.toml", {name: "2"})]
    assert task_environment(layers) == {name: "1"}


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "x" * (1 << 17)])
def test_a_value_that_no_program_can_have_is_refused_and_never_told(value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        assignments({"BIG": value})
    assert value not in refused.value.one_line()
    assert "BIG" in refused.value.one_line()


def test_all_together_have_a_limit() -> None:
    with pytest.raises(InvalidInput, match="1 MiB"):
        task_environment([Layer("--env", {f"V{n}": "x" * 100_000 for n in range(11)}, by="person")])
