"""The examples of CONTRIBUTING.md, carried out in a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = {"a column of `ctui task list`": 4, "a kind of ask": 4}
"""Headings of the examples, and how many blocks of code each has."""
TESTS = (
    "tests/cli/test_task_list.py",
    "tests/tasks/ask_kinds/test_website.py",
    "tests/tasks/test_ask_properties.py",
)
_STEP = re.compile(r"^\d+\. `([^`]+)`", re.MULTILINE)
_FENCE = re.compile(r"^   ```(\w+)\n(.*?)^   ```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """One piece of code of an example."""

    path: str
    language: str
    text: str

    def apply(self, tree: Path) -> None:
        """Write it into its file: a diff in the one place where it fits, code at the end."""
        file = tree / self.path
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        if self.language == "diff":
            old, new = self._sides()
            assert before.count(old) == 1, f"{self.path} has not once:\n{old}"
            after = before.replace(old, new)
        else:
            after = f"{before}\n\n{self.text}" if before else self.text
        file.write_text(after, encoding="utf-8")

    def _sides(self) -> tuple[str, str]:
        lines = [line if line.strip() else f" {line}" for line in self.text.splitlines(True)]
        assert {line[0] for line in lines} <= set(" +-"), self.text
        old, new = ("".join(line[1:] for line in lines if line[0] != mark) for mark in "+-")
        return old, new


def blocks(heading: str) -> Iterator[Block]:
    """Yield the code under a heading, each block for the file that its step begins with."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = page.partition(f"## A small example: {heading}\n")[2].partition("\n## ")[0]
    starts = list(_STEP.finditer(section))
    ends = [*(step.start() for step in starts[1:]), len(section)]
    for step, end in zip(starts, ends, strict=True):
        for fence in _FENCE.finditer(section, step.start(), end):
            yield Block(step.group(1), fence.group(1), dedent(fence.group(2)))


def copy(tree: Path) -> None:
    """Copy what the examples change and their tests need."""
    for folder in ("ctui", "tests", "docs", "themes", "docker"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / file, tree)


@pytest.mark.slow
def test_the_examples_work(tmp_path: Path) -> None:
    """Both in one copy: most of the time is pytest's and ctui's start."""
    tree = tmp_path / "tree"
    copy(tree)
    for heading, count in EXAMPLES.items():
        found = list(blocks(heading))
        assert len(found) == count, heading
        for block in found:
            block.apply(tree)
    # The copy goes before the tree that is installed, also in the processes of its tests.
    environ = {**os.environ, "PYTHONPATH": str(tree)}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *TESTS],
        cwd=tree,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
