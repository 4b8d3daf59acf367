"""What ruff's D rules do not see: a question is no summary."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import ctui

PACKAGE = Path(ctui.__file__).parent
QUESTIONS = frozenset({"How", "What", "When", "Where", "Whether", "Which", "Who", "Whom", "Why"})


def summaries(file: Path) -> Iterator[tuple[int, str]]:
    """Line and first word of each docstring, those of attributes included."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            text = node.value.value
            if isinstance(text, str) and text.strip():
                yield node.lineno, text.split()[0]


def test_no_summary_is_a_question() -> None:
    files = [file for file in PACKAGE.rglob("*.py") if "_resources" not in file.parts]
    assert len(files) > 50
    asked = [
        f"{file.relative_to(PACKAGE)}:{line}: {word}"
        for file in files
        for line, word in summaries(file)
        if word in QUESTIONS
    ]
    assert not asked, "\n".join(asked)
