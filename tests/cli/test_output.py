"""What is printed cannot be mistaken by a terminal, and programs can read it."""

from __future__ import annotations

import json

import msgspec
import pytest

from ctui.cli.output import print_json, report, warn
from ctui.errors import CtuiError


class _Named(msgspec.Struct):
    name: str
    raw: msgspec.Raw


def test_json_of_hostile_names_is_read_back_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\udcff\x9b31m\u202eb\x1b]52;c;x\x07\n\tö"
    print_json(_Named(hostile, msgspec.Raw(b'{"in": [1]}')))
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"name": hostile, "raw": {"in": [1]}}
    assert not set("\udcff\x9b\u202e\x1b\x07\t") & set(printed)
    assert "ö" in printed


@pytest.mark.parametrize(
    "value",
    [{"a": [], "b": {}, "c": [1, [0.1, 1e-7]], "d": 'ö"\\'}, [], "a\udcff", [float("inf")], 10**30],
)
def test_json_is_laid_out_alike_whatever_is_in_it(
    value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    print_json(value)
    printed = capsys.readouterr().out
    plain = json.dumps(value, indent=2, ensure_ascii=False)
    assert printed == plain.replace("\udcff", "\\udcff") + "\n"
    assert json.loads(printed) == value


def test_a_message_is_one_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    warn("refused a\nb: \x1b[8mwhy")
    report(CtuiError("no\nsuch thing", hint="x" * 9000), as_json=False)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "refused a b: why"
    assert second.startswith("ctui: no such thing (xxx")
    assert len(second) < 2500
