"""Images that a Dockerfile begins with, which may have instructions of their own."""

from __future__ import annotations

import http.server
import secrets
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from ctui.environments.build.images import require_harmless
from ctui.environments.definition.dockerfile import bases
from ctui.errors import Refused
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.toolchain import File, make_tar
from tests.conftest import ENGINE_WIDE


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("FROM debian", ["debian"]),
        ("from --platform=linux/amd64 debian:12 as base\nFROM Base\nFROM scratch", ["debian:12"]),
        ("ARG TAG=12\nFROM debian:${TAG}\nFROM debian:$TAG AS x", ["debian:12"]),
        ("ARG GIVEN=1\nFROM x:${GIVEN}", ["x:theirs"]),
        ("ARG NONE\nFROM x:1${NONE:-0}", ["x:10"]),
        ('ARG A="x"\nARG B=$A:1\nFROM "$B"', ["x:1"]),
        ("FROM a AS later\nFROM b", ["a", "b"]),
        ("FROM debian\nARG A=evil\nFROM x$A", ["debian", "x"]),
        ("FROM \\\n\n# comment\n  debian", ["debian"]),
        ("FROM a\nRUN x \\\\\nFROM b", ["a", "b"]),
        ("FROM a AS one\nFROM b AS stop\nFROM c", ["a", "b"]),
    ],
)
def test_the_images_of_all_stages_are_known(text: str, images: list[str]) -> None:
    assert bases(text, {"GIVEN": "theirs"}, "stop") == images


def test_a_stage_that_is_built_can_be_a_number() -> None:
    assert bases("FROM a\nFROM b\nFROM c", {}, "1") == ["a", "b"]


@pytest.mark.parametrize(
    "image",
    ['ev"il"', "e\\vil", "${A:+evil}", "${A-evil}", "$NONE", "", "a\x1b[2J", "\u00e9", "--x=y"],
)
def test_an_image_that_cannot_be_known_is_refused(image: str) -> None:
    with pytest.raises(Refused, match="which image that is"):
        bases(f"FROM {image}\n", {})


@pytest.fixture
def fetched() -> Iterator[tuple[str, list[str]]]:
    """An address of the host, and what was asked of it."""
    asked: list[str] = []

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, name="page")
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/x", asked
        server.shutdown()
        thread.join()


@pytest_asyncio.fixture
async def engine_here() -> AsyncIterator[Engine]:
    engine = await Engine.connect()
    yield engine
    await engine.close()


@pytest.mark.engine
@ENGINE_WIDE
async def test_an_image_that_would_fetch_in_what_is_built_on_it_is_refused(
    engine_here: Engine, fetched: tuple[str, list[str]]
) -> None:
    """ONBUILD is run by the build on top: an ADD there comes from where the host is as well."""
    address, asked = fetched
    tag = f"ctui-test-triggers:{secrets.token_hex(6)}"
    for line, harmless in (("ENV A=b", True), (f"ADD {address} /x", False)):
        text = f"FROM scratch\nLABEL a=b\nONBUILD {line}\n"
        context = make_tar({"Dockerfile": File(text.encode())})
        try:
            await engine_here.build(context, tag, {}, {}, print, network="none")
            if harmless:
                await require_harmless(engine_here, tag, print)
                continue
            with pytest.raises(Refused, match="fetched outside"):
                await require_harmless(engine_here, tag, print)
        finally:
            await engine_here.remove_image(tag)
    assert asked == []
