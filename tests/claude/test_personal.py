"""What of the person's own Claude Code comes into tasks, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ctui.claude.personal import reading
from ctui.claude.personal.collect import NOTHING, Personal, collect, names_something
from ctui.config import ClaudeConfig
from ctui.errors import CtuiError

MANAGED = "/etc/claude-code"


def write(path: Path, text: str | bytes, mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def collected(folder: Path, **settings: Any) -> Personal:
    return collect(ClaudeConfig(**settings), folder, MANAGED)


def test_everything_lies_where_the_cli_looks_for_it(tmp_path: Path) -> None:
    """Memory is text, the rest files below `.claude`; relative paths begin at the settings."""
    write(tmp_path / "CLAUDE.md", "Be brief.")
    write(tmp_path / "skills/greet/SKILL.md", "---\nname: greet\n---\n")
    write(tmp_path / "skills/greet/run.sh", b"#!/bin/sh\n\xff", 0o755)
    write(tmp_path / "skills/notes.txt", "no skill")
    write(tmp_path / "one/SKILL.md", "---\nname: one\n---\n")
    write(tmp_path / "agents/deep/review.md", "You review.")
    write(tmp_path / "agents/README.txt", "not read")
    write(tmp_path / "mine.md", "Do it.")
    write(tmp_path / "styles/pirate.md", "Arr.")
    found = collected(
        tmp_path,
        memory="CLAUDE.md",
        skills=("skills", str(tmp_path / "one")),
        agents="agents",
        commands="mine.md",
        output_styles="styles",
        output_style="pirate",
    )
    assert found.memory == "Be brief."
    assert sorted(found.files) == [
        ".claude/agents/deep/review.md",
        ".claude/commands/mine.md",
        ".claude/output-styles/pirate.md",
        ".claude/skills/greet/SKILL.md",
        ".claude/skills/greet/run.sh",
        ".claude/skills/one/SKILL.md",
    ]
    assert found.files[".claude/skills/greet/run.sh"] == (b"#!/bin/sh\n\xff", 0o755)
    assert found.said == (
        f"memory {tmp_path}/CLAUDE.md",
        "skills greet, one",
        "agents deep/review",
        "commands mine",
        "output styles pirate",
        "output style pirate",
    )
    assert found.left_out == ()


def test_a_home_is_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the person's; nothing named is nothing read."""
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / ".claude/CLAUDE.md", "Mine.")
    assert collected(Path("/"), memory="~/.claude/CLAUDE.md").memory == "Mine."
    assert collected(tmp_path) == NOTHING
    assert not names_something(ClaudeConfig(output_style=""))
    assert names_something(ClaudeConfig(skills="x"))


HOOKS = {
    "SessionStart": [{"hooks": [{"type": "command", "command": "~/.claude/hooks/a.sh; true"}]}],
    "PreToolUse": [
        {
            "matcher": "Bash",
            "hooks": [
                {"type": "command", "command": "$HOME/.claude/hooks/a.sh", "timeout": 5},
                {"type": "command", "command": "~/bin/other"},
            ],
        }
    ],
}


def test_hooks_run_what_is_in_the_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the hooks of a settings file; paths of folders that come along lead into the sandbox."""
    monkeypatch.setenv("HOME", str(tmp_path))
    file = write(
        tmp_path / ".claude/settings.json",
        json.dumps({"permissions": {"allow": ["Bash"]}, "env": {"A": "b"}, "hooks": HOOKS}),
    )
    write(tmp_path / ".claude/hooks/a.sh", "echo", 0o755)
    found = collected(Path("/"), hooks=(str(file), "~/.claude/hooks"))
    assert found.hooks["SessionStart"][0]["hooks"] == [
        {"type": "command", "command": "/etc/claude-code/hooks/hooks/a.sh; true"}
    ]
    first, other = found.hooks["PreToolUse"][0]["hooks"]
    assert first == {"type": "command", "command": f"{MANAGED}/hooks/hooks/a.sh", "timeout": 5.0}
    assert found.files["hooks/hooks/a.sh"].mode == 0o755
    [left_out] = found.left_out
    assert "not in the sandbox: ~/bin/other" in left_out
    assert other["command"] == "~/bin/other"
    assert found.said == ("hooks SessionStart, PreToolUse",)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"hooks": []}',
        '{"hooks": {"NoSuchEvent": []}}',
        '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": 7}]}]}}',
        '{"hooks": {"Stop": [{"hooks": [{"type": "http", "command": "x"}]}]}}',
        b'{"hooks": {"\xff": []}}',
    ],
)
def test_hooks_that_the_cli_would_not_take_are_named(tmp_path: Path, text: str | bytes) -> None:
    """The CLI would leave out all hooks because of one."""
    write(tmp_path / "hooks.json", text)
    with pytest.raises(CtuiError, match=r"claude\.hooks: .*hooks\.json"):
        collected(tmp_path, hooks="hooks.json")


@pytest.mark.parametrize(
    "key", ["memory", "skills", "agents", "commands", "output_styles", "hooks"]
)
def test_a_path_that_is_missing_or_a_link_is_named(tmp_path: Path, key: str) -> None:
    """One line with the setting and the path, and of a link what it leads to."""
    with pytest.raises(CtuiError, match=rf"claude\.{key}: {tmp_path}/gone is not there"):
        collected(tmp_path, **{key: "gone"})
    write(tmp_path / "real/x.md", "x")
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(CtuiError, match=rf"claude\.{key}: {tmp_path}/link is a link") as caught:
        collected(tmp_path, **{key: "link"})
    assert str(tmp_path / "real") in (caught.value.hint or "")


def test_what_is_no_text_too_large_or_of_another_kind_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not UTF-8, huge, a folder for a file, a file for a folder, no skill, a socket's like."""
    write(tmp_path / "latin.md", b"caf\xe9")
    write(tmp_path / "huge.md", "x" * ((1 << 20) + 1))
    write(tmp_path / "empty/x.txt", "")
    for settings, said in (
        ({"memory": "latin.md"}, "latin.md is not UTF-8"),
        ({"agents": "latin.md"}, "latin.md is not UTF-8"),
        ({"memory": "huge.md"}, "huge.md cannot be read: it is larger than 1024 KB"),
        ({"memory": "empty"}, "empty cannot be read: it is no regular file"),
        ({"skills": "latin.md"}, "latin.md is no folder"),
        ({"skills": "empty"}, "empty has no skill in it"),
        ({"commands": "empty/x.txt"}, "x.txt is neither a folder nor a file .md"),
        ({"hooks": "empty"}, "no file that says when"),
    ):
        with pytest.raises(CtuiError, match=said):
            collected(tmp_path, **settings)
    monkeypatch.setattr(reading, "FILES_LIMIT", 3)
    for number in range(4):
        write(tmp_path / f"many/{number}.md", "x")
    with pytest.raises(CtuiError, match="many is too large"):
        collected(tmp_path, commands="many")


def test_links_within_a_folder_are_left_out_and_said(tmp_path: Path) -> None:
    """A folder stays usable, and nothing elsewhere comes along."""
    write(tmp_path / "skills/greet/SKILL.md", "x")
    write(tmp_path / "elsewhere/SKILL.md", "y")
    (tmp_path / "skills/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "skills/greet/key").symlink_to("/etc/passwd")
    found = collected(tmp_path, skills="skills")
    assert sorted(found.files) == [".claude/skills/greet/SKILL.md"]
    assert len(found.left_out) == 2
    assert all("is a link, and not followed" in line for line in found.left_out)
