from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest

from ctui.config import Config
from ctui.config.model import known_keys
from ctui.config.problems import toml_value
from ctui.config.sources import checked
from ctui.config.template import template, with_value
from ctui.config.writing import write_file
from ctui.errors import Conflict, Refused, Unavailable


def test_the_template_says_every_default_and_changes_nothing() -> None:
    values, problems = checked(template())
    assert problems == []
    assert all(keys == {} for keys in values.values())
    # Without the marks in front of the keys it is the defaults, spelled out.
    spelled, problems = checked(re.sub(r"(?m)^# ", "", template()))
    assert problems == []
    spelled.pop("keys")
    assert {f"{section}.{key}" for section, keys in spelled.items() for key in keys} == {
        key.path for key in known_keys()
    }
    defaults = {key.path: key.default for key in known_keys()}
    plain = msgspec.json.decode(msgspec.json.encode(defaults))  # without tuples, as TOML
    assert {key.path: spelled[key.section][key.name] for key in known_keys()} == plain
    assert set(spelled) == set(Config.__struct_fields__) - {"keys"}


def test_a_value_takes_the_place_of_its_comment() -> None:
    text = with_value(template(), "claude.model", "opus")
    assert '# model = ""' not in text
    assert text.replace('model = "opus"', '# model = ""') == template()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[worktrees]\n",
        "# mine\n[worktrees]  # too\nopen = 'x'\n[claude]\nmodel = 'a'\n",
        "[worktrees]\nprefix = 'old/'\n\n[claude]\nmodel = 'a'\n",
        "worktrees.prefix = 'old/'\n",
        "[claude]\nmodel = 'a'",
        "[worktrees]\n[[network.private]]\nhost = 'a'\nport = 1\n# prefix = 'of no worktree'\n",
    ],
)
def test_a_value_is_put_where_it_belongs_and_nothing_else_changes(text: str) -> None:
    if text.startswith("worktrees."):
        with pytest.raises(Refused, match="cannot be changed"):
            with_value(text, "worktrees.prefix", "new/")
        return
    before, after = checked(text)[0], checked(with_value(text, "worktrees.prefix", "new/"))[0]
    assert after["worktrees"]["prefix"] == "new/"
    after["worktrees"].pop("prefix")
    before.setdefault("worktrees", {}).pop("prefix", None)
    assert after == before
    for line in text.splitlines():
        if "prefix" not in line:
            assert line in with_value(text, "worktrees.prefix", "new/")


def test_what_only_a_person_can_change_is_left_alone() -> None:
    text = 'claude = { model = """\na""" }\n'
    with pytest.raises(Refused):
        with_value(text, "claude.base_url", "https://example.org")


@pytest.mark.parametrize(
    "value", ['a"b', "ü\\", "\u2028\x7f", True, 1, 2.5, [{"host": "a", "b c": 1}]]
)
def test_any_value_survives_being_written(value: object) -> None:
    assert checked(f"[x]\ny = {toml_value(value)}\n")[0]["x"]["y"] == value


def test_a_file_is_never_written_over_another_one(tmp_path: Path) -> None:
    path = tmp_path / "config" / "config.toml"
    write_file(path, "one", replace=False)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(Conflict):
        write_file(path, "two", replace=False)
    assert path.read_text() == "one"
    write_file(path, "two", replace=True)
    assert path.read_text() == "two"
    assert [file.name for file in path.parent.iterdir()] == ["config.toml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    target = tmp_path / "dotfiles" / "ctui.toml"
    target.write_text("one")
    folder = tmp_path / "config"
    folder.mkdir(mode=0o700)
    (folder / "config.toml").symlink_to(target)
    with pytest.raises(Conflict):
        write_file(folder / "config.toml", "two", replace=False)
    write_file(folder / "config.toml", "two", replace=True)
    assert (folder / "config.toml").is_symlink()
    assert target.read_text() == "two"


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("folder", "fifo", "loop"):
        with pytest.raises(Unavailable):
            write_file(tmp_path / name, "text", replace=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["fifo", "folder", "loop"]
