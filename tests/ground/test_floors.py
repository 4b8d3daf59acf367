from __future__ import annotations

import subprocess
import sys

import pytest


def imported_by(statement: str) -> set[str]:
    """The packages that a fresh interpreter has after a statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import ctui.__main__",
        "import ctui.cli.main",
        "import ctui.cli.task.task, ctui.tasks.store",
        "import ctui.cli.task.run, ctui.cli.task.follow",
        "import ctui.cli.config.config, ctui.cli.engine.volume, ctui.cli.engine.clean",
        "import ctui.cli.engine.image, ctui.cli.engine.setup",
        "import ctui.cli.serve",
        "import ctui.gateway.link, ctui.gateway.port_client, ctui.gateway.books.reading",
    ],
)
def test_the_command_line_starts_light(statement: str) -> None:
    heavy = {"textual", "rich", "mcp", "docker", "requests", "pygit2", "keyring", "pydantic"}
    assert not imported_by(statement) & {*heavy, "starlette", "uvicorn", "httpx2"}


def test_a_command_is_loaded_only_when_it_is_used() -> None:
    def loaded(*arguments: str) -> set[str]:
        code = (
            "import sys, ctui.__main__\n"
            f"sys.argv = ['ctui', *{arguments!r}]\n"
            "ctui.__main__.main()\n"
            "print(*[name for name in sys.modules if name.startswith('ctui.')])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        return set(done.stdout.splitlines()[-1].split())

    assert not any(name.startswith("ctui.cli") for name in loaded("--version"))
    ground = {"main", "commands", "lazy_group", "output", "dashboard"}
    ground = {f"ctui.cli.{name}" for name in ground}
    assert {name for name in loaded("--help") if name.startswith("ctui.cli.")} == ground
    assert {name for name in loaded("--config-path") if name.startswith("ctui.cli.")} == ground


@pytest.mark.parametrize(
    "statement",
    [
        "import ctui.tasks.driver.process",
        "import ctui.client",
        "import ctui.demo.walk",
        "import ctui.web.app, ctui.web.server",
        "import ctui.gateway.process",
    ],
)
def test_the_engine_needs_no_screen(statement: str) -> None:
    assert not imported_by(statement) & {"textual", "rich", "mcp"}
