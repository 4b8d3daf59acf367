"""Single keys that a command writes into the person's file."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.config import load_config
from ctui.config.setting_keys import set_keys, with_keys
from ctui.errors import CtuiError
from ctui.paths import Paths

MINE = """\
# mine
[sandbox]   # of tasks
memory = "8g"

[image]
base = "x"     # kept
updated = "2026-01-01"

[claude]
model = "opus"
"""


def test_other_lines_stay_as_they_are(paths: Paths) -> None:
    """Comments, order and other sections; a key that is there is replaced, an empty one goes."""
    paths.config.mkdir(parents=True)
    paths.config_file.write_text(MINE)
    set_keys(paths, "image", {"updated": "2026-02-02", "cli_version": "2.1.300"})
    text = paths.config_file.read_text()
    assert [line for line in MINE.splitlines() if line not in text.splitlines()] == [
        'updated = "2026-01-01"'
    ]
    image = load_config(paths, {}).image
    assert (image.base, image.updated, image.cli_version) == ("x", "2026-02-02", "2.1.300")
    set_keys(paths, "image", {"updated": "", "cli_version": ""})
    assert load_config(paths, {}).image.updated == ""
    assert paths.config_file.stat().st_mode & 0o777 == 0o600


def test_without_a_file_one_is_made(paths: Paths) -> None:
    """And nothing is written where nothing changes."""
    set_keys(paths, "image", {"cli_version": ""})
    assert load_config(paths, {}).image.cli_version == ""
    set_keys(paths, "image", {"cli_version": "2.1.300"})
    assert paths.config_file.read_text() == '[image]\ncli_version = "2.1.300"\n'


@pytest.mark.parametrize("text", ["image.base = 'x'\n", "image = {base = 'x'}\n"])
def test_a_file_that_is_written_otherwise_is_left_alone(paths: Paths, text: str) -> None:
    """One line says what to put there."""
    paths.config.mkdir(parents=True)
    paths.config_file.write_text(text)
    with pytest.raises(CtuiError):
        set_keys(paths, "image", {"cli_version": "2.1.300"})
    assert paths.config_file.read_text() == text


@given(
    st.lists(
        st.sampled_from(
            ["[image]", "[sandbox]", "# note", "", 'base = "a"', "cpus = 1.0", 'updated = "x"']
        ),
        max_size=8,
    )
)
def test_whatever_toml_it_is_it_stays_toml(lines: list[str]) -> None:
    """With the keys in their section."""
    text = "\n".join(lines)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert tomllib.loads(with_keys(text, "image", {"updated": "y"}))["image"]["updated"] == "y"
