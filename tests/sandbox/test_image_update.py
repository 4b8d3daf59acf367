"""A newer image: which settings make it another one, what is published, and what has changed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ctui.config import ImageConfig
from ctui.errors import NotFound, Unavailable
from ctui.sandbox.docker.image import image_tag
from ctui.sandbox.docker.image_parts import CLAUDE_CODE_VERSION, own_parts, versions
from ctui.sandbox.docker.image_update import changes, published, versions_in
from tests.cli.commands import ctui, refused

ANSWERS = {
    "latest": {"version": "2.9.1"},
    "2.9.0": {"version": "2.9.0"},
    "7.7.7": ["none"],
    "7.7.8": {"version": "; rm -rf /"},
}


class Registry(BaseHTTPRequestHandler):
    """A registry of packages with some versions."""

    def do_GET(self) -> None:
        package, _, version = self.path.rpartition("/")
        found = ANSWERS.get(version) if package.endswith("/@anthropic-ai/claude-code") else None
        self.send_response(404 if found is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"{address}/npm/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield address
    server.shutdown()
    server.server_close()


def test_an_update_is_another_image_and_nothing_else_is() -> None:
    """Both settings go into the name; the tested version is what no setting says."""
    plain = ImageConfig()
    others = [ImageConfig(updated="2026-02-02"), ImageConfig(cli_version="2.9.1")]
    assert len({image_tag(config) for config in (plain, *others)}) == 3
    assert len({own_parts(config) for config in (plain, *others)}) == 3
    assert versions(others[1])["CLAUDE_CODE_VERSION"] == "2.9.1"
    assert versions(plain)["CLAUDE_CODE_VERSION"] == CLAUDE_CODE_VERSION


async def test_the_registry_says_what_there_is(registry: str) -> None:
    """The newest, one that was named, one that is not there, and answers that are none."""
    assert registry
    assert await published("latest") == "2.9.1"
    assert await published("2.9.0") == "2.9.0"
    with pytest.raises(NotFound, match=r"no Claude Code 9\.9\.9"):
        await published("9.9.9")
    for version in ("7.7.7", "7.7.8"):
        with pytest.raises(Unavailable, match="its answer is none"):
            await published(version)


def test_what_changed_is_a_line_each() -> None:
    """New, gone and other versions, in the order of the new ones."""
    before = {"Claude Code": "1", "a": "1", "b": "1", "d": "1"}
    after = {"Claude Code": "2", "a": "1", "b": "2", "c": "1"}
    assert list(changes(before, after)) == [
        "Claude Code 1 -> 2",
        "b 1 -> 2",
        "c (not there) -> 1",
        "d 1 -> (gone)",
    ]


def test_offline_it_is_one_line_and_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No version, no registry, and a ready-made image: refused before anything is built."""
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")
    assert "cannot be asked" in refused(tmp_path, "image", "update", "--cli", "latest")
    assert "is no version" in refused(tmp_path, "image", "update", "--cli", "newest")
    monkeypatch.setenv("CTUI_IMAGE_NAME", "team/ctui:1")
    assert "ready-made" in refused(tmp_path, "image", "update", "--cli", "latest")
    monkeypatch.delenv("CTUI_IMAGE_NAME")
    assert "user file" not in ctui(tmp_path, "config", "show", "--json").stdout


@pytest.mark.engine
async def test_an_image_tells_what_it_has() -> None:
    """Claude Code first, then the packages of Debian; an image that is not there has none."""
    from ctui.client.cleaning.volumes import open_engine

    async with open_engine() as engine:
        found = await versions_in(engine, image_tag(ImageConfig()), "")
        assert next(iter(found.items())) == ("Claude Code", CLAUDE_CODE_VERSION)
        assert "git" in found or "libc6" in found
        assert await versions_in(engine, "ctui:nothing", "") == {}
