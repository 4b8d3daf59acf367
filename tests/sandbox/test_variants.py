"""What is in ctui's own image, as the real engine built it."""

from __future__ import annotations

import secrets

import pytest

from ctui.config import ImageConfig
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.docker.image_facts import image_facts
from tests.conftest import ENGINE_WIDE
from tests.sandbox.containers import all_said, plain_spec

pytestmark = [pytest.mark.engine, ENGINE_WIDE]

COMMANDS = (
    *("bash", "c++", "cc", "claude", "curl", "gh", "git", "git-lfs", "jq", "less", "make", "node"),
    *("npm", "npx", "patch", "pip", "pkg-config", "ps", "python", "python3", "rg", "sqlite3"),
    *("ssh", "ssh-keygen", "unzip", "uv", "uvx", "xz", "zip"),
)
PROGRAM = f"""
set -e
for command in {" ".join(COMMANDS)}; do command -v $command >/dev/null || echo "NO $command"; done
mkdir -p /tmp/made && cd /tmp/made
echo '#include <cstdio>
int main() {{ std::puts("COMPILED"); }}' > hello.cc && c++ -o hello hello.cc && ./hello
python3 -m venv venv && venv/bin/pip --version >/dev/null && echo VENV
echo 'console.log("NODE", process.version)' > hello.js && node hello.js
npm --version >/dev/null && uv --version && git -c init.defaultBranch=main init -q . && echo GIT
ls /usr/lib/python3*/config-*/Makefile /usr/include/python3*/Python.h >/dev/null && echo HEADERS
"""


async def test_the_default_image_builds_most_projects_and_is_below_a_gigabyte() -> None:
    """Part 1: compilers, Python, Node.js of a supported line, and the tools beside them."""
    engine = await Engine.connect()
    image = await require_image(engine, ImageConfig())
    name = f"ctui-test-{secrets.token_hex(6)}"
    spec = plain_spec(name, image, "bash", "-c", PROGRAM, labels={"ctui.test": "variants"})
    made = await engine.create(spec)
    try:
        await engine.start(made)
        lines = [line.data.decode() for line in await all_said(engine.endpoint, made)]
        facts = await image_facts(engine, ImageConfig())
    finally:
        await engine.remove(made)
        await engine.close()
    assert not [line for line in lines if line.startswith("NO ")], lines
    said = "\n".join(lines)
    for expected in ("COMPILED", "VENV", "NODE v24.", "uv 0.", "GIT", "HEADERS"):
        assert expected in said, said
    assert facts.label == "variant default"
    assert not facts.problem
    assert 0 < facts.size < 10**9
