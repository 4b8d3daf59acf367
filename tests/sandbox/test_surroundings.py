"""T28: the person's time zone and language."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.sandbox.surroundings import surroundings

NOWHERE = Path("/nonexistent")


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", ":Europe/Berlin", "/usr/share/zoneinfo/Europe/Berlin"]
)
def test_a_zone_that_exists_reaches_the_task(name: str) -> None:
    assert surroundings({"TZ": name}, NOWHERE) == {"TZ": "Europe/Berlin"}


@pytest.mark.parametrize(
    "name", ["Mars/Base", "../../etc/passwd", "CET-1CEST", "", "a\0b", "x" * 9999]
)
def test_a_zone_that_does_not_exist_is_left_out(name: str) -> None:
    assert surroundings({"TZ": name}, NOWHERE) == {}


def test_the_machine_s_zone_counts_where_the_environment_has_none(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Asia/Tokyo")
    assert surroundings({}, link) == {"TZ": "Asia/Tokyo"}
    assert surroundings({"TZ": "Europe/Berlin"}, link) == {"TZ": "Europe/Berlin"}


def test_a_language_comes_with_what_keeps_text_utf_8() -> None:
    made = surroundings({"LANG": "de_DE.UTF-8"}, NOWHERE)
    assert made == {"LANG": "de_DE.UTF-8", "LC_CTYPE": "C.UTF-8", "PERL_BADLANG": "0"}


@pytest.mark.parametrize("name", ["C", "POSIX", "", "C.UTF-8", "de;rm", "de\nX=1", "../x"])
def test_a_language_that_says_nothing_is_the_image_s(name: str) -> None:
    assert surroundings({"LANG": name}, NOWHERE) == {}
