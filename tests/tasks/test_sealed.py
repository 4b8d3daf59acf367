"""Attacks from inside a real task; what they would change is on this machine."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from ctui.tasks import calls
from ctui.tasks.model import Answer, TaskState
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


@pytest.mark.parametrize("network", ["allow", "unsealed"])
async def test_the_credential_is_nowhere_but_in_an_unsealed_sandbox(
    person: Person, network: str
) -> None:
    secret = person.world.credential
    look = ("bash env | grep ANTHROPIC", "say Done.")
    await person.start("secret", *look, skip_permissions=True, network=network)
    await person.idle("secret")
    inside = "ANTHROPIC_API_KEY=[redacted]" in person.tool_output("secret")
    assert inside is (network == "unsealed")
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


INSIDE = Path(__file__).with_name("inside.py")


def python_step(source: str) -> str:
    return f"bash echo {base64.b64encode(source.encode()).decode()} | base64 -d | python3 -"


def relay_lines(person: Person, task: str) -> list[dict[str, Any]]:
    lines = [entry.line for entry in person.journal(task) if entry.stream == "err"]
    return [json.loads(line) for line in lines if line.startswith('{"ctui_relay"')]


async def test_no_process_of_a_task_reaches_the_relay_or_the_cli(person: Person) -> None:
    """T1, T2: /proc, ptrace, process_vm_*, pidfd_getfd, limits, signals, and forged lines."""
    step = python_step(INSIDE.read_text())
    await person.start("inside", step, "say Done.", skip_permissions=True)
    done = await person.idle("inside")
    assert done.result == "Done."
    output = re.search(r"ATTACKS (\{.*?\})", person.tool_output("inside").replace('\\"', '"'))
    assert output is not None, person.tool_output("inside")
    found = json.loads(output[1])
    assert len(found) > 100
    assert {name: what for name, what in found.items() if not what.startswith("refused")} == {}
    said = [line["ctui_relay"] for line in relay_lines(person, "inside")]
    assert [kind for kind in said if kind != "home"] == ["started"]
    modes = {e.get("permissionMode") for e in person.events("inside") if e.get("subtype") == "init"}
    assert modes == {"bypassPermissions"}


async def test_what_a_task_writes_at_home_gives_it_no_rights(person: Person) -> None:
    """T26: neither while it runs nor when it is woken, and it is moved aside."""
    settings = {
        "permissions": {"allow": ["Bash", "Bash(*)"], "defaultMode": "bypassPermissions"},
        "hooks": {
            "PreToolUse": [{"hooks": [{"type": "command", "command": "touch /workspace/hooked"}]}]
        },
    }
    written = json.dumps(settings)
    places = (
        *("/home/claude/.claude/settings.json", "/home/claude/.claude/settings.local.json"),
        *("/home/claude/.claude/remote-settings.json", "/workspace/.claude/settings.json"),
        "/workspace/.claude/settings.local.json",
    )
    source = (
        "import os\n"
        f"for place in {places!r}:\n"
        "    os.makedirs(os.path.dirname(place), exist_ok=True)\n"
        f"    open(place, 'w').write({written!r})\n"
        "open('/home/claude/.bashrc', 'w').write('touch /workspace/sourced')\n"
    )
    task = await person.start("settings", python_step(source), "bash touch unasked", "say Done.")
    await person.answer(await person.asked("settings"), Answer("allow"))
    again = await person.asked("settings")
    assert "touch unasked" in again.title
    await person.answer(again, Answer("allow"))
    await person.idle("settings")
    await person.client.call(calls.StopTask("settings"))
    folder = Path(task.worktree)
    # A shell of the run that wrote it may have read it: that is within what was approved there.
    (folder / "sourced").unlink(missing_ok=True)
    await person.say("settings", "bash touch unasked-too", "say Done again.")
    woken = await person.asked("settings")
    assert "touch unasked-too" in woken.title
    await person.answer(woken, Answer("allow"))
    await person.idle("settings", turns=2)
    assert not (folder / "hooked").exists()
    assert not (folder / "sourced").exists()
    (told,) = [one for one in relay_lines(person, "settings") if one["ctui_relay"] == "set_aside"]
    assert {".claude/settings.json", ".claude/settings.local.json", ".bashrc"} == set(told["paths"])


async def test_a_trusted_project_s_rules_are_those_of_its_commit(person: Person) -> None:
    """T26: what the person saw counts, not what the task makes of it."""
    settings = person.repository / ".claude/settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"permissions": {"allow": ["Bash(touch seen)"]}}))
    git(person.repository, "add", ".")
    git(person.repository, "commit", "-q", "-m", "Add settings")
    widened = json.dumps({"permissions": {"allow": ["Bash(touch:*)", "Bash(touch unseen)"]}})
    steps = [
        "bash touch seen",
        python_step(f"open('/workspace/.claude/settings.json', 'w').write({widened!r})"),
        "bash touch unseen",
        "say Done.",
    ]
    await person.start("trusted", *steps, trusted=True)
    first = await person.asked("trusted")
    assert "base64" in first.title
    await person.answer(first, Answer("allow"))
    assert "touch unseen" in (await person.asked("trusted")).title


async def test_a_cli_that_a_task_kills_is_a_crash_and_it_goes_on(person: Person) -> None:
    """T7: in the first turn, where nobody knows what the CLI has kept."""
    await person.start("killer", "bash kill -9 $PPID", "say Never.", skip_permissions=True)
    crashed = await person.until("killer", lambda task: task.state is TaskState.ENDED)
    assert crashed.problem
    await person.say("killer", "say On.")
    task = await person.idle("killer")
    assert task.result == "On."
    lines = relay_lines(person, "killer")
    assert {"ctui_relay": "exited", "code": 137} in lines
    assert [one["resumed"] for one in lines if one["ctui_relay"] == "started"] == [False, True]


@pytest.mark.parametrize("moment", ['"started"', '"subtype":"init"', "text_delta"])
async def test_a_container_that_is_killed_in_its_first_turn_goes_on(
    person: Person, moment: str
) -> None:
    """T7, S3: before the CLI kept anything, before it said anything, and while it spoke."""
    await person.start("killed", "slow 100", "flood 720", "say Never.", skip_permissions=True)
    async with asyncio.timeout(60), aclosing(person.client.follow("killed")) as batches:
        async for batch in batches:
            if any(moment in entry.line for entry in batch):
                break
    await person.world.engine.signal(person.store.runs.of("killed")[0].container, "KILL")
    await person.until("killed", lambda task: task.state is TaskState.ENDED)
    await person.say("killed", "say On.")
    await person.until("killed", lambda task: task.state is TaskState.IDLE)
    said = [event for event in person.events("killed") if event["type"] == "result"]
    assert said, person.journal("killed")
    assert not any(event["is_error"] for event in said)


async def test_the_zone_of_the_person_is_the_task_s(person: Person) -> None:
    """T28: and text stays UTF-8 where the image does not have the person's language."""
    person.world.environ["TZ"] = "Asia/Tokyo"  # type: ignore[index]
    person.world.environ["LANG"] = "de_DE.UTF-8"  # type: ignore[index]
    check = "import locale; print(locale.getpreferredencoding(), 'ä')"
    steps = [f'bash date +%Z; echo $LANG; perl -e 1; python3 -c "{check}"', "say Done."]
    await person.start("zone", *steps, skip_permissions=True)
    await person.idle("zone")
    assert "JST\\nde_DE.UTF-8\\nUTF-8 \\u00e4" in person.tool_output("zone")


TRACE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def traced(pid):
    return libc.ptrace(0x4206, pid, None, None) == 0
cli = next(
    int(pid)
    for pid in os.listdir("/proc")
    if pid.isdigit()
    and open(f"/proc/{pid}/cmdline", "rb").read().startswith(b"/usr/local/bin/claude")
)
child = os.fork()
if child == 0:
    os.execvp("sleep", ["sleep", "60"])
own = traced(child)
os.kill(child, 9)
print("TRACED", own, traced(1), traced(cli))
"""


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_debugger_is_for_a_task_s_own_processes(person: Person, *, wanted: bool) -> None:
    """T2: the setting lifts ptrace, and nothing of what keeps the relay and the CLI apart."""
    config = person.world.paths.config_file
    debugger = f"[sandbox]\ndebugger = {str(wanted).lower()}"
    config.write_text(config.read_text().replace("[sandbox]", debugger))
    await person.start("debug", python_step(TRACE), "say Done.", skip_permissions=True)
    await person.idle("debug")
    assert f"TRACED {wanted} False False" in person.tool_output("debug")
