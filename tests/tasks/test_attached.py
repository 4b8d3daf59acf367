"""Images, documents and folders that a person attaches: what the API gets, and what a task sees."""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from pathlib import Path

import pytest

from ctui.demo.model.script import fenced
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj "
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)
SHOW = 'bash curl -s "$ANTHROPIC_BASE_URL/calls" | grep -o \'"media": [^]]*\' | tail -1'


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    pixels = b"".join(b"\0" + bytes(range(24)) for _ in range(8))
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b""))
    )


def digest(data: bytes) -> str:
    return hashlib.sha256(base64.b64encode(data)).hexdigest()


async def test_what_is_attached_reaches_the_api_and_the_sandbox(
    person: Person, tmp_path: Path
) -> None:
    """Issue: images, PDFs and folders by path, by `run` and `send`; a second run has them too."""
    (tmp_path / "shot.png").write_bytes(png())
    (tmp_path / "spec.pdf").write_bytes(PDF)
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data/one.txt").write_text("of-the-folder")
    look = "bash cat /attached/data/one.txt; touch /attached/x || echo closed-to-it"
    prompt = fenced(look, "read /attached/data/one.txt", SHOW, "say Done.")
    code, said = await person.ctui(
        *("run", prompt, "--task-id", "shown", "--name", "shown", "--detach"),
        *("--skip-permissions", "--attach", "../shot.png", "--attach", "../data"),
    )
    assert code == 0, said
    await person.idle("shown")
    output = person.tool_output("shown")
    assert "of-the-folder" in output
    assert "closed-to-it" in output
    assert digest(png()) in output
    assert "application/pdf" not in output
    code, said = await person.ctui(
        *("task", "send", "shown", fenced(SHOW, "say Again."), "--attach", "../spec.pdf")
    )
    assert code == 0, said
    await person.idle("shown", turns=2)
    assert digest(PDF) in person.tool_output("shown")
    _, facts = await person.ctui("task", "show", "shown")
    assert "attached   data, shot.png, spec.pdf" in facts
    _, logs = await person.ctui("task", "logs", "shown")
    assert "(Attached, read-only: /attached/shot.png, /attached/data/)" in logs
    assert "(Attached, read-only: /attached/spec.pdf)" in logs
    # Reading it is not asked for, also where nothing is skipped.
    prompt = fenced("read /attached/data/one.txt", "say {result}")
    code, said = await person.ctui(
        *("run", prompt, "--task-id", "asked", "--name", "asked", "--unattended"),
        *("--attach", "../data"),
    )
    assert code == 0, said
    assert "of-the-folder" in said
    code, said = await person.ctui("run", "Look.", "--attach", "../gone.png", "--detach")
    assert code == 1
    assert "gone.png is not there" in said
