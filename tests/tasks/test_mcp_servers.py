"""MCP servers of a task, and a tool of theirs that approves: the real CLI, a real container."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ctui.config import load_config
from ctui.demo.model.script import fenced
from ctui.demo.world import World
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.docker.stream import follow_log
from ctui.sandbox.spec import LABEL_INSTANCE, LABEL_TASK, Mount, SandboxSpec
from ctui.tasks import calls
from ctui.tasks.journal.archive import FILE_NAME
from ctui.tasks.model import AskState, TaskState
from tests.conftest import git
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine

TOOLS = Path(__file__).parent / "mcp_tools.py"


@pytest.fixture
def repository(repository: Path) -> Path:
    """With the server, so that a task's container has it."""
    (repository / "mcp_tools.py").write_text(TOOLS.read_text())
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Add tools")
    return repository


def config(folder: Path, **servers: object) -> str:
    path = folder / "mcp.json"
    path.write_text(json.dumps({"mcpServers": servers}))
    return str(path)


def stdio(**env: str) -> dict[str, object]:
    return {"command": "python3", "args": ["-I", "/workspace/mcp_tools.py"], "env": env}


def with_variables(person: Person, **variables: str) -> Person:
    """The same person in a shell that has these variables, and whose driver has not."""
    world = person.world._replace(environ={**person.world.environ, **variables})
    return Person(world, person.repository)


async def test_an_approval_tool_decides_and_the_inbox_stays_empty(
    person: Person, tmp_path: Path
) -> None:
    prompt = fenced("bash touch allowed", "bash touch forbidden", "say Done.")
    tool = "mcp__perm__approve"
    code, said = await person.ctui(
        *("run", prompt, "--task-id", "approved", "--name", "approved"),
        *("--mcp-config", config(tmp_path, perm=stdio()), "--approval-tool-permission", tool),
    )
    task = person.store.tasks.get("approved")
    assert task.result == "Done.", said
    assert code == 1  # one call was denied
    assert "the approval tool says no" in person.tool_output("approved")
    assert [(Path(task.worktree) / name).exists() for name in ("allowed", "forbidden")] == [
        True,
        False,
    ]
    assert person.store.asks.list(*AskState, task="approved") == []
    assert f"asks go to {tool}" in " ".join(
        (await person.ctui("task", "show", "approved"))[1].split()
    )
    assert f"to {tool}" in (await person.ctui("task", "list"))[1]
    shown = json.loads((await person.ctui("task", "show", "approved", "--json"))[1])
    assert shown["task"]["options"]["approval_tool"] == tool


@pytest.mark.parametrize(
    ("tool", "more", "complaint"),
    [
        ("approve", [], "mcp__<server>__<tool>"),
        ("mcp__other__approve", [], "has no MCP server other: it has perm"),
        ("mcp__ctui__ask_user", [], "approve nothing"),
        ("mcp__perm__approve --model=x", [], "mcp__<server>__<tool>"),
        ("mcp__perm__approve", ["--skip-permissions"], "nothing is asked"),
    ],
)
async def test_what_cannot_approve_is_refused_before_anything_is_made(
    person: Person, tmp_path: Path, tool: str, more: list[str], complaint: str
) -> None:
    code, said = await person.ctui(
        *("run", "Please.", "--name", "never", "--approval-tool-permission", tool),
        *("--mcp-config", config(tmp_path, perm=stdio()), *more),
    )
    assert code == 1
    assert complaint in said
    assert person.store.tasks.list() == []
    assert "never" not in git(person.repository, "worktree", "list")


async def test_an_approval_tool_that_is_not_there_fails_the_task_and_says_so(
    person: Person, tmp_path: Path
) -> None:
    code, said = await person.ctui(
        *("run", fenced("bash touch allowed", "say Done."), "--task-id", "missing"),
        *("--mcp-config", config(tmp_path, perm=stdio())),
        *("--approval-tool-permission", "mcp__perm__nothing"),
    )
    assert code == 1
    assert "mcp__perm__nothing" in said, (said, person.events("missing"))
    assert person.store.tasks.get("missing").state is TaskState.ENDED


@asynccontextmanager
async def http_tools(world: World) -> AsyncIterator[str]:
    """The server on the world's network; the address that a task reaches it at."""
    network = load_config(world.paths).sandbox.network
    spec = SandboxSpec(
        name=f"ctui-tools-{world.paths.instance}",
        image=await require_image(world.engine, load_config(world.paths).image),
        entrypoint=("python3", "-I", "/mcp_tools.py"),
        command=("8001",),
        uid=65534,
        gid=65534,
        env={},
        mounts=(Mount(str(TOOLS), "/mcp_tools.py", read_only=True),),
        network=network,
        labels={LABEL_INSTANCE: world.paths.instance, LABEL_TASK: ""},
    )
    container = await world.engine.create(spec)
    try:
        await world.engine.start(container)
        async for _ in follow_log(world.engine.endpoint, container):
            break
        # The gateway asks it from this machine, as a server that the person has named.
        yield f"http://{await world.engine.address(container, network)}:8001/mcp"
    finally:
        await world.engine.remove(container)


async def test_secrets_reach_the_servers_and_nothing_else(person: Person, tmp_path: Path) -> None:
    local, remote = secrets.token_hex(16), secrets.token_hex(16)
    shell = with_variables(person, LOCAL_SECRET=local, REMOTE_SECRET=remote)
    # The driver comes from a shell without them.
    await person.client.connect()
    async with http_tools(person.world) as url:
        file = config(
            tmp_path,
            local=stdio(TOOL_SECRET="${LOCAL_SECRET}"),
            remote={
                "type": "http",
                "url": url,
                "headers": {"Authorization": "Bearer ${REMOTE_SECRET}"},
            },
        )
        steps = [
            "tool mcp__local__secret {}",
            "tool mcp__remote__secret {}",
            "tool mcp__local__leak {}",
            "bash cat ~/.claude/mcp.json",
            "say Done.",
        ]
        code, said = await shell.ctui(
            *("run", fenced(*steps), "--task-id", "secrets", "--detach"),
            *("--mcp-config", file, "--skip-permissions"),
        )
        assert code == 0, said
        await person.idle("secrets")
        output = person.tool_output("secrets")
        assert hashlib.sha256(local.encode()).hexdigest() in output
        assert hashlib.sha256(f"Bearer {remote}".encode()).hexdigest() in output
        assert "it is [redacted]" in output
        await assert_nowhere(person, "secrets", local, remote)

        # A later run from a shell without them has what the driver remembers.
        await person.client.call(calls.StopTask("secrets"))
        await person.say("secrets", "tool mcp__local__secret {}", "say Again.")
        await person.idle("secrets", turns=2)
        assert person.tool_output("secrets").count(hashlib.sha256(local.encode()).hexdigest()) == 2

    # Another driver knows nothing of them: it goes on without that server, and says so.
    await person.client.call(calls.StopTask("secrets"))
    await person.kill_driver()
    third = fenced("tool mcp__local__secret {}", "say Third.")
    code, said = await person.ctui("task", "send", "secrets", third)
    assert code == 0, said
    assert (await person.idle("secrets", turns=3)).result == "Third."
    missing = "the MCP server local: LOCAL_SECRET is not set, so it is left out"
    assert person.tool_output("secrets").count(hashlib.sha256(local.encode()).hexdigest()) == 2
    assert any(missing in entry.line for entry in person.journal("secrets"))
    assert missing in " ".join((await person.ctui("task", "show", "secrets"))[1].split())

    # A shell that has them brings the server back.
    await person.client.call(calls.StopTask("secrets"))
    fourth = fenced("tool mcp__local__secret {}", "say Fourth.")
    code, said = await shell.ctui("task", "send", "secrets", fourth)
    assert code == 0, said
    assert (await person.idle("secrets", turns=4)).result == "Fourth."
    assert person.tool_output("secrets").count(hashlib.sha256(local.encode()).hexdigest()) == 3


async def assert_nowhere(person: Person, task: str, *values: str) -> None:
    """Not in the container's configuration, on a command line, or in a file of ctui."""
    container = person.store.runs.of(task)[-1].container
    process = await asyncio.create_subprocess_exec(
        "docker", "inspect", container, stdout=asyncio.subprocess.PIPE
    )
    inspected, _ = await process.communicate()
    assert container.encode() in inspected
    lines = [_command_line(folder) for folder in Path("/proc").glob("[0-9]*")]
    assert any(b"--mcp-config=/home/claude/.claude/mcp.json" in line for line in lines)
    kept = {
        path: path.read_bytes() for path in person.world.paths.state.rglob("*") if path.is_file()
    }
    assert person.world.paths.task(task) / FILE_NAME in kept
    assert person.world.paths.driver_log in kept
    for value in values:
        secret = value.encode()
        assert secret not in inspected
        assert not any(secret in line for line in lines)
        assert [path for path, content in kept.items() if secret in content] == []


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


async def test_the_configs_servers_are_every_tasks_and_the_command_lines_are_stronger(
    person: Person, tmp_path: Path
) -> None:
    folder = person.world.paths.config
    (folder / "usual.json").write_text(
        json.dumps({"mcpServers": {"usual": stdio(), "other": {"command": "nothing-like-it"}}})
    )
    file = person.world.paths.config_file
    file.write_text(
        file.read_text() + 'mcp_config = "usual.json"\napproval_tool = "mcp__usual__approve"\n'
    )
    code, said = await person.ctui(
        *("run", fenced("bash touch allowed", "say Done."), "--task-id", "usual"),
        *("--mcp-config", config(tmp_path, other=stdio())),
    )
    assert code == 0, said
    (init, *_) = [e for e in person.events("usual") if e.get("subtype") == "init"]
    connected = {server["name"]: server["status"] for server in init["mcp_servers"]}
    assert {"usual", "other"} <= set(connected)
    assert connected["usual"] == connected["other"] == "connected"


async def test_a_repositorys_own_servers_are_not_started(person: Person) -> None:
    (person.repository / ".mcp.json").write_text(json.dumps({"mcpServers": {"theirs": stdio()}}))
    git(person.repository, "add", ".")
    git(person.repository, "commit", "-q", "-m", "Add servers")
    await person.start("theirs", "say Done.")
    await person.idle("theirs")
    (init, *_) = [e for e in person.events("theirs") if e.get("subtype") == "init"]
    assert [server["name"] for server in init["mcp_servers"]] == ["ctui"]
