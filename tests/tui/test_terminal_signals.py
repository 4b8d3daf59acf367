"""The terminal's title and the desktop's notifications, as sequences."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from ctui.tui.support.terminal_signals import notification, title

OSC_9, OSC_777 = "\x1b]9;a asks\x1b\\", "\x1b]777;notify;ctui;a asks\x1b\\"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM_PROGRAM": "iTerm.app"}, OSC_9),
        ({"TERM": "xterm-kitty"}, OSC_9),
        ({"TERM": "foot-extra"}, OSC_777),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7006"}, OSC_777),
        ({"TERM": "xterm-256color"}, OSC_9 + OSC_777),
        (
            {"TERM_PROGRAM": "WezTerm", "TMUX": "/tmp/x,1,0"},
            "\x1bPtmux;\x1b\x1b]9;a asks\x1b\x1b\\\x1b\\",
        ),
    ],
)
def test_a_terminal_is_told_once_in_its_own_words(environ: dict[str, str], expected: str) -> None:
    assert notification("a asks", environ) == expected


def test_a_text_cannot_end_its_sequence_and_begin_another() -> None:
    evil = "x\x1b\\\x1b]52;c;aGFja2Vk\x07\x9c\ny"
    for sequence in (title(evil), notification(evil, {"TERM": "foot"})):
        inner = sequence.removeprefix("\x1b]").removesuffix("\x1b\\")
        assert not {"\x1b", "\x07", "\x9c", "\n"} & set(inner)


def test_a_real_terminal_gets_title_bell_and_notification_of_what_is_asked() -> None:
    """Nobody looks at it: its focus is elsewhere."""
    master, slave = pty.openpty()
    environ = {k: v for k, v in os.environ.items() if k not in {"TMUX", "TERM_PROGRAM"}}
    command = [sys.executable, "-m", "tests.tui.noticed"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=root,
        env={**environ, "TERM": "foot"},
        start_new_session=True,
    ) as process:
        os.close(slave)
        heard = b""
        try:
            while part := os.read(master, 65536):
                heard += part
        except OSError:
            pass  # the other end is closed
        process.wait()
    os.close(master)
    assert b"\x1b]2;ctui api \xc2\xb7 1 ask\x1b\\" in heard
    told = b"\x1b]777;notify;ctui;a asks: sure?\x1b\\"
    assert told in heard
    assert b"\x1b\\\x07" + told in heard  # the bell
    assert heard.index(b"\x1b[22;2t") < heard.index(b"\x1b]2;") < heard.index(b"\x1b[23;2t")
