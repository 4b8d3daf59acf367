"""A task that asks for the consent to its environment itself, and is then built and begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.demo.environment import PROJECT
from ctui.demo.model.known import RING
from ctui.demo.model.script import fenced
from ctui.demo.repository import make_demo_repository
from ctui.tasks.model import AskKind
from tests.conftest import git
from tests.projects.conftest import Project
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine


async def test_a_detached_task_asks_in_the_inbox_and_begins_with_what_was_built(
    person: Person, projects: list[Project], tmp_path: Path
) -> None:
    """`run --detach` asks by itself; the driver dies meanwhile; with consent it is built and begun.

    Its new worktree has the folders that the environment carries, and it has the person's secret
    that the repository names. An unattended one is refused.
    """
    project = Project(person, make_demo_repository(tmp_path / "demo", PROJECT))
    projects.append(project)
    with (project.folder / ".ctui.toml").open("a") as file:
        file.write('secrets = ["TEA_TOKEN", "NOT_SET"]\n')
        file.write('start = ["echo begun-$TEA_TOKEN | wc -c > /tmp/begun", "exit 5"]\n')
    git(project.folder, "commit", "-q", "-am", "Name secrets")
    (tmp_path / "token").write_text("pA5-9zQ21Lm8-wXk20v")
    code, _, err = await project.ctui(
        "secret", "set", "TEA_TOKEN", "--from-file", str(tmp_path / "token")
    )
    assert code == 0, err
    count = "printf %s $TEA_TOKEN | wc -c; echo not:$NOT_SET."
    begun = "until test -s /tmp/begun; do sleep 0.05; done; echo begun:$(cat /tmp/begun)."
    prompt = "Please.\n" + fenced(f"bash {RING}; {begun}; {count}", "say Done.")
    code, _, err = await project.ctui("run", "--unattended", "--name", "alone", prompt)
    assert (code, "needs your consent" in err) == (3, True)
    code, out, err = await project.ctui(
        "run", "--detach", "--skip-permissions", "--name", "ring", prompt
    )
    assert code == 0, out + err
    ask = await person.asked("ring")
    assert ask.kind is AskKind.ENVIRONMENT
    await person.kill_driver()
    code, out, err = await project.ctui("task", "show", "ring")
    assert "runs once: make -C bell install" in out
    assert "gives each task your secret TEA_TOKEN" in out
    assert "runs at each start of a task: exit 5" in out
    code, out, err = await project.ctui("task", "answer", "ring", "allow")
    assert code == 0, out + err
    done = await person.idle("ring")
    assert "ding: green" in person.tool_output("ring")
    assert "begun:26.\\n19\\nnot:." in person.tool_output("ring")
    code, out, err = await project.ctui("task", "logs", "ring")
    assert "a command of the start failed (exit code 5): exit 5" in out
    shown = await project.shown()
    assert (shown["id"], shown["state"]) == (done.options.environment, "ready")
    assert shown["consent"] == "given"
    code, out, err = await project.ctui(
        "run", "--unattended", "--skip-permissions", "--name", "again", prompt
    )
    assert code == 0, out + err
    assert "19\\nnot:." in person.tool_output("again")
    assert "you have none: `ctui secret set NOT_SET`" in err
