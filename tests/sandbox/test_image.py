from __future__ import annotations

from pathlib import Path

import pytest

from ctui.config import ImageConfig
from ctui.errors import Unavailable
from ctui.sandbox.docker.image import image_tag


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


def test_what_a_dockerfile_copies_is_part_of_the_name_and_what_it_ignores_is_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nCOPY tool /\n")
    (tmp_path / "tool").write_text("1")
    (tmp_path / ".dockerignore").write_text("# comment\n*.log\n")
    config = ImageConfig(dockerfile=str(tmp_path / "Dockerfile"))
    before = image_tag(config)
    (tmp_path / "debug.log").write_text("noise")
    assert image_tag(config) == before
    (tmp_path / "tool").write_text("2")
    assert image_tag(config) != before


def test_a_dockerfile_in_a_huge_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\n")
    with (tmp_path / "disk.img").open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(Unavailable, match="more than 64 MiB"):
        image_tag(ImageConfig(dockerfile=str(tmp_path / "Dockerfile")))


def test_another_ca_bundle_is_another_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T14: tasks would not trust what the new bundle was made for."""
    for name in ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    none = image_tag(ImageConfig())
    bundle = tmp_path / "ca.pem"
    bundle.write_text("one")
    monkeypatch.setenv("CTUI_CA_FILE", str(bundle))
    first = image_tag(ImageConfig())
    bundle.write_text("two")
    second = image_tag(ImageConfig())
    assert len({none, first, second}) == 3
    monkeypatch.delenv("CTUI_CA_FILE")
    assert image_tag(ImageConfig(ca_file=str(bundle))) == second


def test_a_ca_bundle_that_is_not_there_is_said_where_a_setting_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T14, beside it: a variable of some other program may name anything."""
    for name in ("CTUI_CA_FILE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(tmp_path / "none"))
    image_tag(ImageConfig())
    with pytest.raises(Unavailable, match=r"none cannot be read.*"):
        image_tag(ImageConfig(ca_file=str(tmp_path / "none")))
