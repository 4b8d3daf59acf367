from __future__ import annotations

from pathlib import Path

import pytest

from ctui.config import ImageConfig
from ctui.errors import Unavailable
from ctui.sandbox.image import image_tag


def test_the_tag_is_the_same_for_the_same_inputs() -> None:
    assert image_tag(ImageConfig()) == image_tag(ImageConfig())


def test_another_base_is_another_image() -> None:
    tags = {image_tag(ImageConfig(base=base)) for base in ("", "debian:trixie", "python:3.13")}
    assert len(tags) == 3


def test_an_edited_dockerfile_is_another_image(tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("FROM debian\n")
    config = ImageConfig(dockerfile=str(dockerfile))
    before = image_tag(config)
    dockerfile.write_text("FROM debian\nRUN true\n")
    assert image_tag(config) != before


def test_a_dockerfile_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        image_tag(ImageConfig(dockerfile=str(tmp_path / "none")))
