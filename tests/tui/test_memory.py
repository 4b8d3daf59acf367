"""What the screen remembers in a file that anybody may have damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ctui.paths import Paths, private_folder
from ctui.tui.support.memory import Memory, recall, remember_repository, remember_theme


@pytest.fixture
def file(paths: Paths) -> Path:
    return private_folder(paths.state) / "screen.json"


def test_both_are_remembered(paths: Paths, tmp_path: Path) -> None:
    remember_theme(paths, "ctui-light")
    remember_repository(paths, tmp_path / "a")
    remember_repository(paths, tmp_path / "b")
    remember_repository(paths, tmp_path / "a")
    assert recall(paths) == Memory("ctui-light", (str(tmp_path / "a"), str(tmp_path / "b")))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"x": ' + "[" * 50_000, "{", " " * (1 << 20)])
def test_a_damaged_file_is_nothing(paths: Paths, file: Path, text: str) -> None:
    file.write_text(text)
    assert recall(paths) == Memory()


def test_a_fifo_is_not_waited_for(paths: Paths, file: Path) -> None:
    os.mkfifo(file)
    assert recall(paths) == Memory()
    remember_theme(paths, "ctui-light")
    assert recall(paths).theme == "ctui-light"


def test_what_cannot_be_written_leaves_nothing_behind(paths: Paths, file: Path) -> None:
    file.mkdir()
    remember_theme(paths, "ctui-light")
    assert list(paths.state.iterdir()) == [file]


def test_a_folder_of_somebody_else_is_left_alone(paths: Paths, tmp_path: Path) -> None:
    paths.state.parent.mkdir()
    paths.state.symlink_to(tmp_path)
    remember_theme(paths, "ctui-light")
    assert not (tmp_path / "screen.json").exists()
