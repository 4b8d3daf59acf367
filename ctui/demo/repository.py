"""The demo's throwaway repository."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_demo_repository(folder: Path) -> Path:
    """Make it, and return its main checkout."""
    folder.mkdir(parents=True)
    (folder / "hello.py").write_text('print("hello")\n')
    for args in (
        ["init", "-q", "-b", "main"],
        ["add", "."],
        ["-c", "user.name=D", "-c", "user.email=d@example.org", "commit", "-q", "-m", "Say hello"],
    ):
        subprocess.run(["git", *args], cwd=folder, check=True)
    return folder
