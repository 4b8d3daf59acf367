"""`ctui volume`, where no engine is asked."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from ctui.cli.engine.volume import command
from ctui.client.cleaning import volumes
from ctui.client.cleaning.volumes import CleanedVolumes, KeptVolume


@pytest.mark.usefixtures("paths")
@pytest.mark.parametrize(
    ("refused", "said"),
    [([], "nothing to remove\n"), ([KeptVolume("v", "it is in use", "wait")], "")],
)
def test_a_clean_up_with_nothing_to_do_says_so(
    monkeypatch: pytest.MonkeyPatch, refused: list[KeptVolume], said: str
) -> None:
    async def cleaned(*_: object, **__: object) -> CleanedVolumes:
        return CleanedVolumes([], refused)

    monkeypatch.setattr(volumes, "clean_volumes", cleaned)
    for arguments in (["clean", "--force"], ["clean", "--dry-run"]):
        assert CliRunner().invoke(command, arguments).stdout == said
