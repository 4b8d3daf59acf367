"""Nothing that others wrote reaches the terminal as more than text."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEQUENCE = re.compile(
    rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    rb"|\x1b[PX^_][^\x1b]*\x1b\\|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]"
)
HARMLESS = "plain words, some of them [in brackets], over a line or two. " * 3
HOSTILE = {
    "escapes": "\x1b[2J\x1b[31mred\x1b]0;title\x07\x1b]52;c;aGFja2Vk\x07\x1bPq#0\x1b\\\x1b]8;;http://x\x07l\x1bc",
    "c1": "\x9b2J\x9d52;c;aGFja2Vk\x9c\x90q\x9c\x84\x85\x8d",
    "controls": "a\x00b\x07c\x08d\x0be\x0cf\rg\x7fh\x0e\x0f",
    "markup": "[@click=app.quit]quit[/] [b]bold[/b] [link=http://x]l[/link] [/x] $primary [open",
    "invisible": "\u202egnp.exe\u202c \u2066x\u2069 a\u200bb\u2060c\ufeffd\u00ade\U000e0041",
    "lines": "x\u2028y\u2029z\u0085w\r\nv",
    "marks": "e" + "\u0301" * 500 + " 👨\u200d👩\u200d👧 \uff46\uff55 世界",
    "long": "y" * 2_000_000,
}


def shown(folder: Path, text: str) -> bytes:
    """Every byte that a terminal gets while the text is shown everywhere."""
    file = folder / "text"
    file.write_text(text, encoding="utf-8")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 120, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", "TEXTUAL_ANIMATIONS": "none"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.tui.everything", str(file)],
        cwd=ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environ,
        start_new_session=True,
    )
    os.close(slave)
    found = bytearray()
    try:
        while True:
            try:
                data = os.read(master, 1 << 16)
            except OSError:  # Linux says so when the last writer is gone
                break
            if not data:
                break
            found += data
    finally:
        os.close(master)
    assert process.wait(30) == 0, bytes(found[-3000:]).decode("utf-8", "replace")
    return bytes(found)


def kinds(output: bytes) -> set[bytes]:
    """The kinds of sequences: which place or colour does not matter."""
    found = {re.sub(rb"\d+", b"0", match) for match in SEQUENCE.findall(output)}
    return {b"SGR" if kind.endswith(b"m") and b"[" in kind[:2] else kind for kind in found}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> set[bytes]:
    """What Textual itself sends, seen with texts that hold nothing."""
    output = shown(tmp_path_factory.mktemp("own"), HARMLESS)
    assert b"plain words" in output
    return kinds(output)


@pytest.mark.parametrize("name", HOSTILE)
def test_only_our_own_sequences_are_sent(name: str, own: set[bytes], tmp_path: Path) -> None:
    output = shown(tmp_path, f"begin {HOSTILE[name]} end")
    assert b"begin" in output
    assert kinds(output) <= own
    rest = SEQUENCE.sub(b"", output).decode("utf-8")
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", rest)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u2028\u2029\u200b\u2060\ufeff]", rest)
    assert "aGFja2Vk" not in output.decode("utf-8", "replace") or b"\x1b]52" not in output
