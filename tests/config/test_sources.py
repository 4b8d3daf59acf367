from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctui.config import Config, load_config, parse_size
from ctui.config.sources import retired_in
from ctui.errors import CtuiError, InvalidInput, Unavailable
from ctui.paths import Paths


def write(paths: Paths, text: str) -> None:
    paths.config.mkdir(parents=True)
    paths.config_file.write_text(text)


def test_no_file_means_the_defaults(paths: Paths) -> None:
    assert load_config(paths, {}) == Config()


def test_the_environment_wins_over_the_repository_and_that_over_the_user(
    paths: Paths, tmp_path: Path
) -> None:
    write(paths, '[claude]\nmodel = "user"\n[worktrees]\nprefix = "user/"\n')
    (tmp_path / ".ctui.toml").write_text(
        '[claude]\nmodel = "repository"\n[worktrees]\nprefix = "repository/"\n'
    )
    config = load_config(paths, {"CTUI_CLAUDE_MODEL": "environment"}, repository=tmp_path)
    assert (config.claude.model, config.worktrees.prefix) == ("environment", "repository/")


def test_a_key_of_an_older_version_is_said_and_stops_nothing(paths: Paths) -> None:
    write(paths, "[sandbox]\nshared_caches = true\ncpus = 1.0\n")
    assert load_config(paths, {}).sandbox.cpus == 1.0
    [line] = retired_in(paths.config_file)
    assert line.startswith("sandbox.shared_caches does nothing: ")
    paths.config_file.write_text("[sandbox]\ncpus = 1.0\n")
    assert retired_in(paths.config_file) == []
    paths.config_file.write_text("[sandbox]\nshared_cache = true\n")
    with pytest.raises(InvalidInput, match="no such key"):
        load_config(paths, {})


@pytest.mark.parametrize(
    "text",
    [
        "[sandbox]\nnetwork = 'host'\n",
        "[claude]\nbase_url = 'https://example.org'\n",
        "[sandbox]\nshared_caches = true\n",
        "[claude]\nmcp_config = 'theirs.json'\n",
        "[claude]\napproval_tool = 'mcp__theirs__approve'\n",
        "[image]\n",
        "x = 1",
    ],
)
def test_a_repository_cannot_widen_anything(paths: Paths, tmp_path: Path, text: str) -> None:
    (tmp_path / ".ctui.toml").write_text(text if text != "[image]\n" else "[image]\nbase = 'x'\n")
    with pytest.raises(InvalidInput, match="a repository may only set"):
        load_config(paths, {}, repository=tmp_path)


@pytest.mark.parametrize(
    ("user", "repository", "counts"),
    [
        ("acceptEdits", "default", "default"),
        ("acceptEdits", "plan", "plan"),
        ("default", "acceptEdits", "default"),
        ("plan", "default", "plan"),
        ("plan", "dontAsk", "plan"),
    ],
)
def test_a_repository_can_make_the_permission_mode_stricter_only(
    paths: Paths, tmp_path: Path, user: str, repository: str, counts: str
) -> None:
    write(paths, f"[claude]\npermission_mode = '{user}'\n")
    (tmp_path / ".ctui.toml").write_text(f"[claude]\npermission_mode = '{repository}'\n")
    assert load_config(paths, {}, repository=tmp_path).claude.permission_mode == counts


def test_one_file_of_servers_or_several(paths: Paths) -> None:
    write(paths, "[claude]\nmcp_config = 'a.json'\n")
    assert load_config(paths, {}).claude.mcp_config == "a.json"
    paths.config_file.write_text("[claude]\nmcp_config = ['a.json', 'b.json']\n")
    assert load_config(paths, {}).claude.mcp_config == ("a.json", "b.json")
    chosen = load_config(paths, {"CTUI_CLAUDE_MCP_CONFIG": "c.json"})
    assert chosen.claude.mcp_config == "c.json"
    paths.config_file.write_text("[claude]\nmcp_config = 7\n")
    with pytest.raises(InvalidInput, match=r"claude\.mcp_config"):
        load_config(paths, {})


def test_a_wrong_value_is_named_with_its_path(paths: Paths) -> None:
    write(paths, "[sandbox]\ncpus = 'many'\n")
    with pytest.raises(InvalidInput, match=r"config.toml:2: sandbox\.cpus"):
        load_config(paths, {})


def test_an_unknown_key_is_named(paths: Paths) -> None:
    write(paths, "[sandbox]\nmemmory = '1g'\n")
    with pytest.raises(InvalidInput, match="memmory"):
        load_config(paths, {})


def test_base_and_dockerfile_exclude_each_other(paths: Paths) -> None:
    write(paths, "[image]\nbase = 'a'\ndockerfile = 'b'\n")
    with pytest.raises(InvalidInput, match="exclude each other"):
        load_config(paths, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = 'a'\nbase = 'b'", "image.base and image.name"),
        ("name = 'a'\ndockerfile = 'b'", "image.dockerfile and image.name"),
        ("variant = 'browser'\nbase = 'b'", "image.variant and image.base"),
    ],
)
def test_one_setting_decides_on_the_image(paths: Paths, text: str, said: str) -> None:
    """Part 1: one clear line, in the file and across file and environment."""
    write(paths, f"[image]\n{text}\n")
    with pytest.raises(InvalidInput, match=f"{said} exclude each other"):
        load_config(paths, {})
    first, second = text.splitlines()
    paths.config_file.write_text(f"[image]\n{first}\n")
    key, _, value = second.partition(" = ")
    environ = {f"CTUI_IMAGE_{key.upper()}": value.strip("'")}
    with pytest.raises(InvalidInput, match=f"the environment: {said} exclude each other"):
        load_config(paths, environ)


def test_the_usual_variant_excludes_nothing(paths: Paths) -> None:
    write(paths, "[image]\nvariant = 'default'\nbase = 'b'\n")
    assert load_config(paths, {}).image.base == "b"


@pytest.mark.parametrize(
    ("text", "size"), [("512m", 512 << 20), ("4g", 4 << 30), ("1.5 GiB", 3 << 29), ("7", 7)]
)
def test_sizes_are_powers_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "many", "4x", "-1g", "1g1"])
def test_what_is_not_a_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_size(text)


@pytest.mark.parametrize(
    "text",
    [
        "[worktrees]\nprefix = '--format='\n",
        "[worktrees]\nprefix = '-x y'\n",
        "[worktrees]\nprefix = 'refs/heads/'\n",
        "[worktrees]\nprefix = 'a/../b/'\n",
        "[worktrees]\nprefix = '\u202e'\n",
        "[sandbox]\nnetwork = 'host'\n",
        "[sandbox]\nnetwork = 'container:other'\n",
        "[sandbox]\ncpus = -1\n",
        "[sandbox]\npids = 0\n",
        "[tasks]\nmax_running = 0\n",
        "[claude]\nbase_url = 'ftp://x'\n",
    ],
)
def test_a_value_that_would_do_harm_is_refused(paths: Paths, text: str) -> None:
    write(paths, text)
    with pytest.raises(InvalidInput):
        load_config(paths, {})


def test_a_repository_s_file_that_is_no_file_says_nothing(paths: Paths, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".ctui.toml")
    assert load_config(paths, {}, repository=tmp_path) == Config()


@pytest.mark.parametrize(
    "text",
    ["x = " + "[" * 3000, "[sandbox]\n" + "#" * (1 << 18), "claude = 1\n", "'\x1b[31m' = 1\n"],
    ids=["nested", "large", "no-section", "escape"],
)
def test_a_damaged_file_is_told_in_one_line(paths: Paths, text: str) -> None:
    write(paths, text)
    with pytest.raises(CtuiError) as caught:
        load_config(paths, {"ANTHROPIC_BASE_URL": "https://example.org"})
    assert caught.value.message.isprintable()


def test_a_file_that_is_a_fifo_is_not_waited_for(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    os.mkfifo(paths.config_file)
    with pytest.raises(Unavailable, match="no regular file"):
        load_config(paths, {})


@pytest.mark.parametrize("text", ["#" * (1 << 12) + "\n", ".".join("a" * 200_000) + " = 1"])
def test_a_repository_s_file_is_read_as_far_as_it_can_be_needed(
    paths: Paths, tmp_path: Path, text: str
) -> None:
    (tmp_path / ".ctui.toml").write_text(text)
    with pytest.raises(Unavailable, match="larger than 4 KB"):
        load_config(paths, {}, repository=tmp_path)


def test_what_a_checkout_says_of_the_check_of_landings_sets_nothing(
    paths: Paths, tmp_path: Path
) -> None:
    """It counts as the target has it, and so never as it lies around."""
    file = tmp_path / ".ctui.toml"
    file.write_text("[landing]\ncheck = 'make test'\n[claude]\nmodel = 'opus'\n")
    found = load_config(paths, {}, repository=tmp_path)
    assert (found.landing.check, found.claude.model) == ("", "opus")
    for text in ("[landing]\ntimeout = '1h'\n", "[landing]\nsecrets = ['TOKEN']\n"):
        file.write_text(text)
        with pytest.raises(InvalidInput, match="a repository may only set"):
            load_config(paths, {}, repository=tmp_path)
    assert load_config(paths, {"CTUI_LANDING_TIMEOUT": "1h30m"}).landing.timeout == "1h30m"
    with pytest.raises(InvalidInput, match="is no time"):
        load_config(paths, {"CTUI_LANDING_TIMEOUT": "soon"})
