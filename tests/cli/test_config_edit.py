"""`ctui config edit`: what is right is taken, and nothing else changes what is there."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from tests.cli.commands import at_terminal, ctui, refused
from tests.cli.conftest import SEVENTH, leftovers


def editor(text: str, code: int = 0) -> str:
    """An editor that writes this text."""
    program = f"import sys; open(sys.argv[1], 'w').write({text!r}); sys.exit({code})"
    return shlex.join([sys.executable, "-c", program])


def test_edit_takes_what_is_right(tmp_path: Path, file: Path) -> None:
    text = '[claude]\nmodel = "opus"\n'
    assert "is changed" in ctui(tmp_path, "config", "edit", EDITOR=editor(text)).stdout
    assert file.read_text() == text
    assert file.stat().st_mode & 0o777 == 0o600
    said = ctui(tmp_path, "config", "edit", VISUAL="true", EDITOR=editor("# other\n")).stdout
    assert said == "nothing changed\n"
    assert file.read_text() == text
    assert leftovers(file) == ["config.toml"]


def test_edit_begins_with_the_template_and_leaves_no_file_when_nothing_changed(
    tmp_path: Path, file: Path
) -> None:
    assert ctui(tmp_path, "config", "edit", EDITOR="true").stdout == "nothing changed\n"
    assert leftovers(file) == []


def test_edit_keeps_the_old_one_when_the_new_one_is_wrong(tmp_path: Path, file: Path) -> None:
    file.write_text("# mine\n")
    said = ctui(tmp_path, "config", "edit", EDITOR=editor(SEVENTH), code=1).stderr
    assert "your text:7: sandbox.pids" in said
    assert "is as it was before" in said
    assert file.read_text() == "# mine\n"
    assert leftovers(file) == ["config.toml"]


def test_edit_finds_what_validate_does(tmp_path: Path, file: Path) -> None:
    """A host that is none is one more thing that keeps the file as it was."""
    wrong = '[network]\nallow = ["http://a.example"]\n'
    said = ctui(tmp_path, "config", "edit", EDITOR=editor(wrong), code=1).stderr
    assert "your text:2: network.allow: http://a.example" in said
    assert leftovers(file) == []


def test_edit_asks_whether_to_go_on_at_a_terminal(tmp_path: Path, file: Path) -> None:
    # The first time it writes something wrong, the second time something right.
    program = (
        "import sys, pathlib; p = pathlib.Path(sys.argv[1]); "
        "p.write_text('[claude]\\nmodel = \"opus\"\\n' if 'modle' in p.read_text() "
        "else '[claude]\\nmodle = 1\\n')"
    )
    command = shlex.join([sys.executable, "-c", program])
    code, shown = at_terminal(
        tmp_path, "config", "edit", asked="Edit again?", typed="y\n", EDITOR=command
    )
    assert code == 0, shown
    assert "did you mean claude.model?" in shown
    assert file.read_text() == '[claude]\nmodel = "opus"\n'
    file.unlink()
    code, shown = at_terminal(
        tmp_path, "config", "edit", asked="Edit again?", typed="n\n", EDITOR=editor(SEVENTH)
    )
    assert code == 1
    assert leftovers(file) == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", "there is no editor"),
        ("/no/such/editor", "does not start"),
        ("false", "ended with exit code 1"),
        ("'", "$EDITOR is no command"),
        ("rm", "the editor removed"),
        ("truncate -s 1G", "larger than"),
    ],
)
def test_an_editor_that_fails_changes_nothing(
    tmp_path: Path, file: Path, command: str, said: str
) -> None:
    file.write_text("# mine\n")
    assert said in refused(tmp_path, "config", "edit", VISUAL="", EDITOR=command)
    assert file.read_text() == "# mine\n"
    assert leftovers(file) == ["config.toml"]


def test_what_changed_while_somebody_edited_is_not_overwritten(tmp_path: Path, file: Path) -> None:
    file.write_text("# mine\n")
    program = (
        f"import sys; open(sys.argv[1], 'w').write('# edited\\n'); "
        f"open({str(file)!r}, 'w').write('# meanwhile\\n')"
    )
    line = refused(tmp_path, "config", "edit", EDITOR=shlex.join([sys.executable, "-c", program]))
    assert "was changed meanwhile" in line
    assert file.read_text() == "# meanwhile\n"
