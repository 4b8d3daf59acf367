"""Playwright's server of the image's variant browser in a sealed sandbox, through the allowlist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctui.config import ImageConfig
from ctui.gateway.egress.policy import Policy, PrivateHost
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import build_image
from tests.conftest import ENGINE_WIDE
from tests.gateway.boxes import boxes
from tests.gateway.egress.outside import Pages, certificates, serving, way_out
from tests.gateway.inside import free_port

# Its image takes minutes to build.
pytestmark = [pytest.mark.engine, pytest.mark.soak, ENGINE_WIDE]

BROWSE = """
import json, os, subprocess
server = subprocess.Popen(["ctui-mcp-server", "playwright"], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE)
def say(**message):
    print(json.dumps({"jsonrpc": "2.0", **message}), file=server.stdin, flush=True)
def ask(number, method, **params):
    say(id=number, method=method, params=params)
    for line in server.stdout:
        said = json.loads(line)
        if said.get("id") == number and "method" not in said:
            return said
ask(1, "initialize", protocolVersion="2025-03-26", capabilities={},
    clientInfo={"name": "test", "version": "1"})
say(method="notifications/initialized")
for number, url in enumerate(json.loads(os.environ["ADDRESSES"]), 2):
    said = ask(number, "tools/call", name="browser_navigate", arguments={"url": url})
    print(json.dumps({"said": json.dumps(said)}), flush=True)
"""
TITLED = "<!doctype html><title>hello from outside</title><h1>Works</h1>"
ANSWER = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(TITLED)}\r\n"


@pytest.mark.timeout(900)
async def test_its_pages_are_those_of_allowed_hosts(tmp_path: Path) -> None:
    """By TLS and without, with no setting but the task's environment."""
    image = ImageConfig(variant="browser")
    engine = await Engine.connect()
    await build_image(engine, image, lambda _: None)
    await engine.close()
    gateway, other = tmp_path / "gw", free_port()
    gateway.mkdir()
    page = Pages(f"{ANSWER}Connection: close\r\n\r\n{TITLED}".encode())
    async with (
        serving(page, certificates(gateway, "host").server) as tls,
        serving(page) as plain,
        boxes(image) as start,
        way_out(gateway, Policy()) as way,
    ):
        way.policy = Policy(private=(PrivateHost("host", tls), PrivateHost("host", plain)))
        allowed = [f"https://host:{tls}/", f"http://host:{plain}/"]
        refused = [f"https://host:{other}/", f"http://host:{other}/", "https://pastes.example/"]
        env = {
            "ADDRESSES": json.dumps([*allowed, *refused]),
            "PLAYWRIGHT_MCP_IGNORE_HTTPS_ERRORS": "true",  # the authority is the test's own
        }
        box = await start(gateway, BROWSE, env)
        for address in allowed:
            assert "hello from outside" in (await box.said())["said"], address
        for address in refused:
            said = (await box.said())["said"]
            assert "hello from outside" not in said, address
            assert "ERR_TUNNEL_CONNECTION_FAILED" in said or address.startswith("http:"), said
        seen = {(one.host, one.port): one.verdict for one in way.records}
        assert seen["host", tls] == seen["host", plain] == "allowed"
        assert seen["host", other] == seen["pastes.example", 443] == "refused"
