from __future__ import annotations

from pathlib import Path

import pytest

from ctui.errors import Refused
from ctui.paths import Paths, private_folder, resource


def test_one_variable_moves_all_five_folders(tmp_path: Path) -> None:
    paths = Paths.from_environment({"CTUI_HOME": str(tmp_path)})
    assert {path.parent for path in paths} == {tmp_path}


def test_another_process_gets_the_same_folders(tmp_path: Path) -> None:
    paths = Paths.from_environment({"CTUI_HOME": str(tmp_path)})
    assert Paths.from_environment(paths.environment()) == paths


def test_a_long_runtime_folder_gets_a_short_socket(tmp_path: Path) -> None:
    paths = Paths.from_environment({"CTUI_HOME": str(tmp_path / ("x" * 120))})
    assert len(str(paths.driver_socket)) <= 100


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    assert private_folder(tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_wide_folder_is_narrowed(tmp_path: Path) -> None:
    folder = tmp_path / "wide"
    folder.mkdir(mode=0o755)
    assert private_folder(folder).stat().st_mode & 0o777 == 0o700


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(Refused):
        private_folder(tmp_path / "link")


def test_the_image_s_files_are_found() -> None:
    assert (resource("docker") / "relay" / "__main__.py").is_file()
