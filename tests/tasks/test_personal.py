"""The person's own memory, skills, agents, hooks and styles in a task, by the real CLI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ctui.demo.model.script import fenced
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine

START = (
    "echo begun-by-hook; echo 'export FROM_HOOK=of-the-session' >> \"$CLAUDE_ENV_FILE\"; "
    "~/.claude/hooks/note.sh"
)
CLOSED = "bash touch /etc/claude-code/CLAUDE.md || touch /etc/claude-code/x || echo it-is-closed"


def put(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


@pytest.fixture
def own(tmp_path: Path, person: Person) -> Path:
    """Make a home with everything, and settings that name it."""
    home = tmp_path / "me"
    claude = home / ".claude"
    put(claude / "CLAUDE.md", "Always say please-and-thanks.")
    put(claude / "skills/greet/SKILL.md", "---\nname: greet\ndescription: Greets\n---\nSay hello.")
    put(claude / "agents/review.md", "---\nname: review\ndescription: Reviews\n---\nYou review.")
    put(claude / "commands/mine.md", "---\ndescription: Mine\n---\nDo mine.")
    put(claude / "output-styles/pirate.md", "---\nname: Pirate\ndescription: Arr\n---\nSay arr.")
    put(claude / "hooks/note.sh", "#!/bin/sh\necho noted-by-script\n", 0o755)
    hooks = {"SessionStart": [{"hooks": [{"type": "command", "command": START}]}]}
    put(claude / "settings.json", json.dumps({"hooks": hooks, "permissions": {"allow": ["Bash"]}}))
    settings = person.world.paths.config_file  # the world's own section is the last
    put(
        settings,
        settings.read_text() + '\nmemory = "~/.claude/CLAUDE.md"\nskills = "~/.claude/skills"\n'
        'agents = "~/.claude/agents"\ncommands = "~/.claude/commands"\n'
        'hooks = ["~/.claude/settings.json", "~/.claude/hooks"]\n'
        'output_styles = "~/.claude/output-styles"\noutput_style = "Pirate"\n',
    )
    person.world = person.world._replace(environ={**person.world.environ, "HOME": str(home)})
    person.client = type(person.client)(person.world.paths, person.world.environ)
    return claude


def of_kind(events: list[dict[str, Any]], subtype: str) -> dict[str, Any]:
    return next(event for event in events if event.get("subtype") == subtype)


async def test_what_the_person_chose_is_in_the_task(person: Person, own: Path) -> None:
    """Issue: own CLAUDE.md, skills, agents, commands, hooks, styles; read-only; in `task show`."""
    async with person.client:
        prompt = fenced("bash echo hook says $FROM_HOOK", CLOSED, "say Done.")
        code, said = await person.ctui(
            *("run", prompt, "--task-id", "own", "--name", "own"), "--skip-permissions", "--detach"
        )
        assert code == 0, said
        await person.idle("own")
        events = person.events("own")
        init = of_kind(events, "init")
        assert "greet" in init["skills"]
        assert "review" in init["agents"]
        assert {"greet", "mine"} <= set(init["slash_commands"])
        assert init["output_style"] == "Pirate"
        hook = of_kind(events, "hook_response")
        assert "begun-by-hook" in hook["stdout"]
        assert "noted-by-script" in hook["stdout"]
        output = person.tool_output("own")
        assert "hook says of-the-session" in output
        assert "it-is-closed" in output
        managed = person.world.paths.task("own") / "managed"
        assert (managed / "CLAUDE.md").read_text() == "Always say please-and-thanks."
        _, shown = await person.ctui("task", "show", "own")
        [line] = [line for line in shown.splitlines() if line.startswith("yours")]
        for part in ("CLAUDE.md", "skills greet", "agents review", "commands mine", "SessionStart"):
            assert part in line
        # The next run has what is there then, and nothing that is not.
        (own / "agents/review.md").unlink()
        (own / "agents/other.md").write_text("---\nname: other\ndescription: O\n---\nYou.")
        assert (await person.ctui("task", "stop", "own"))[0] == 0
        assert (await person.ctui("task", "send", "own", fenced("say Again.")))[0] == 0
        await person.idle("own", turns=2)
        init = [event for event in person.events("own") if event.get("subtype") == "init"][-1]
        assert "other" in init["agents"]
        assert "review" not in init["agents"]
        assert not (managed / ".claude/agents/review.md").exists()


async def test_what_is_missing_stops_a_start_in_one_line(person: Person, own: Path) -> None:
    """Nothing is made: neither a worktree nor a task."""
    (own / "CLAUDE.md").unlink()
    code, said = await person.ctui("run", "Hello", "--detach")
    assert code == 1
    [line] = [line for line in said.splitlines() if line.strip()]
    assert "claude.memory" in line
    assert "is not there" in line
    assert (await person.ctui("worktree", "list", "--json"))[1].count('"path"') <= 1
