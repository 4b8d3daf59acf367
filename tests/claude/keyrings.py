"""Keyrings as real backends: what a platform's can do, and what a broken one does.

Each is put into a folder as the module `a_keyring`, and processes are told to use it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

_HEAD = """
import os, time
from pathlib import Path
import keyring.backend, keyring.errors

class Keyring(keyring.backend.KeyringBackend):
    priority = 1
    folder = Path(__file__).parent

    def _kept(self, user):
        return self.folder / f"kept-{user}"
"""

WORKING = """
    def get_password(self, service, user):
        with (self.folder / "asked").open("a") as asked:
            asked.write(f"+{os.getpid()}\\n")
        time.sleep(float(os.environ.get("KEYRING_SECONDS", "0")))
        with (self.folder / "asked").open("a") as asked:
            asked.write(f"-{os.getpid()}\\n")
        kept = self._kept(user)
        return kept.read_text() if kept.exists() else None

    def set_password(self, service, user, secret):
        self._kept(user).write_text(secret)

    def delete_password(self, service, user):
        self._kept(user).unlink()
"""
"""Keeps files beside itself; `asked` has a line when a question begins and one when it ends."""


def raising(what: str) -> str:
    """A keyring of which every question raises this."""
    return f"""
    def get_password(self, service, user, secret=None):
        raise {what}

    set_password = delete_password = get_password
"""


HANGING = """
    def get_password(self, service, user, secret=None):
        time.sleep(3600)

    set_password = delete_password = get_password
"""
HANGING_AT_THE_CHOICE = """
    @property
    def priority(self):
        time.sleep(3600)

    def get_password(self, service, user, secret=None): ...
    set_password = delete_password = get_password
"""


def keyring_environment(folder: Path, body: str) -> dict[str, str]:
    """The variables of a process that has this keyring."""
    folder.mkdir(exist_ok=True)
    (folder / "a_keyring.py").write_text(_HEAD + body)
    return {
        **os.environ,
        "PYTHONPATH": f"{folder}:{Path(__file__).parents[2]}",
        "PYTHON_KEYRING_BACKEND": "a_keyring.Keyring",
    }


def asked(folder: Path) -> list[str]:
    """The questions that a working keyring was asked, begun and ended."""
    path = folder / "asked"
    return path.read_text().splitlines() if path.exists() else []


def start(environment: dict[str, str], code: str) -> subprocess.Popen[str]:
    """A process that runs the code."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(environment: dict[str, str], code: str) -> str:
    """What the code printed; it must end by itself and well."""
    process = start(environment, code)
    said, complaint = process.communicate(timeout=40)
    assert process.returncode == 0, complaint
    assert not complaint, complaint
    return said
