"""Attacks from inside a real task; what they would change is on this machine."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import pytest

from ctui.tasks import calls
from tests.conftest import git
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine


def snapshot(folder: Path) -> dict[str, str]:
    """Every file of a repository's `.git` except what an import adds."""
    skipped = (
        "objects",
        "refs/ctui",
        "logs",
        "worktrees",
        "refs/heads/ctui",
        "ctui-worktrees",
        "ctui-swap",
    )
    found: dict[str, str] = {}
    for path in sorted((folder / ".git").rglob("*")):
        name = str(path.relative_to(folder / ".git"))
        if path.is_file() and not name.startswith(skipped):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def attacks(person: Person, marker: Path) -> list[str]:
    common = person.repository / ".git"
    evil = f"touch {marker}"
    return [
        f"echo evil > {common}/config",
        f"mkdir -p {common}/hooks; echo '{evil}' > {common}/hooks/post-checkout",
        f"echo 0000 > {common}/refs/heads/main",
        f"rm -rf {common}/objects/*; ls {common}/objects",
        f"rm -rf {common}/worktrees; ls {common}",
        "rm -rf /workspace/.git; mv /workspace/.git /workspace/x; echo evil > /workspace/.git",
        "ln -sfn /etc /workspace/.git",
        f"ls {person.world.paths.worktrees} {person.world.paths.state} /root /home",
        "mount -t tmpfs none /mnt; id; cat /proc/self/status | grep -i capeff",
        f"git config core.fsmonitor '{evil}'; git config core.hooksPath /workspace/hooks",
        f"mkdir -p hooks; printf '#!/bin/sh\\n{evil}\\n' > hooks/post-checkout; chmod +x hooks/*",
        f"git config filter.x.clean '{evil}'; echo '* filter=x' > .gitattributes",
        "git update-ref refs/heads/main HEAD~1; git branch -f main HEAD~1",
        (
            f"git init -q nested; cd nested; git config filter.x.clean '{evil}';"
            " echo '* filter=x' > .gitattributes; git -c filter.x.clean=cat add .;"
            " git -c filter.x.clean=cat -c user.name=x -c user.email=x@x commit -q -m nested;"
            " cd ..; git -c core.fsmonitor= add nested"
        ),
        (
            "git -c core.fsmonitor= -c filter.x.clean=cat -c core.hooksPath=/dev/null"
            " commit -q -m 'With a nested repository'"
        ),
        "echo changed >> nested/.gitattributes; echo changed >> hello.txt",
        "env; cat /proc/1/environ; cat /proc/*/environ | tr '\\0' '\\n'",
        "git push origin HEAD; git remote -v",
    ]


async def test_no_attack_changes_anything_outside_the_worktree(
    person: Person, tmp_path: Path
) -> None:
    marker = tmp_path / "executed"
    before = snapshot(person.repository)
    main = git(person.repository, "rev-parse", "main")
    other = Path((await person.start("victim", "say Hi.")).worktree)
    await person.idle("victim")
    link = (other / ".git").read_text()
    steps = [f"bash {command}" for command in attacks(person, marker)]
    task = await person.start("attacker", *steps, "say Done.", skip_permissions=True)
    done = await person.idle("attacker")
    assert done.result == "Done."
    assert "CapEff:\\t0000000000000000" in person.tool_output("attacker")
    dot_git = (Path(task.worktree) / ".git").read_text()
    await person.client.call(calls.StopTask("attacker"))
    code, listed = await person.ctui("worktree", "list", "--json")
    assert code == 0
    assert snapshot(person.repository) == before
    assert git(person.repository, "rev-parse", "main") == main
    assert (other / ".git").read_text() == link
    assert dot_git == f"gitdir: {task.metadata}\n"
    assert not marker.exists()
    git(person.repository, "fsck", "--strict")
    attacker = next(w for w in json.loads(listed)["worktrees"] if w["name"] == "attacker")
    assert (attacker["problem"], attacker["status"]) == ("submodules-unchecked", "unclean")
    work = person.store.tasks.get("attacker").work
    assert work is not None
    assert "nested" in work.gitlinks


async def test_the_credential_is_nowhere_but_in_the_sandbox(person: Person) -> None:
    secret = person.world.credential
    await person.start("secret", "bash env | grep ANTHROPIC", "say Done.", skip_permissions=True)
    await person.idle("secret")
    assert "ANTHROPIC_API_KEY=[redacted]" in person.tool_output("secret")
    container = person.store.runs.of("secret")[0].container
    process = await asyncio.create_subprocess_exec(
        "docker", "inspect", container, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert container.encode() in output
    assert secret.encode() not in output
    commands = [_command_line(folder) for folder in Path("/proc").glob("[0-9]*")]
    assert any(b"--session-id" in line for line in commands)
    assert not any(secret.encode() in line for line in commands)
    for path in person.world.paths.state.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""
