"""The document says what the server does: requests of every shape are made after it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ctui.demo.world import World
from ctui.web.app import ENDPOINTS
from ctui.web.openapi import document
from tests.web.conftest import Served, serving

_CONFIG = """
[generation]
deterministic = true
database = "none"

# DELETE stops a task: whoever made it wants to read how far it came.
[checks.use_after_free]
enabled = false

# Which folders, commits and answers there are, and what settings offer, no schema can say.
[[operations]]
include-path-regex = "/(tasks|asks)$"
include-method = "POST"
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "403", "404", "409"]

# What is not there is the ask that the body names.
[[operations]]
include-path-regex = "/asks$"
include-method = "POST"
[operations.checks.ensure_resource_availability]
enabled = false

# It never ends by itself.
[[operations]]
include-path-regex = "/events$"
request-timeout = 1.0
max-stream-events = 5
"""


def test_every_handler_and_struct_is_described() -> None:
    found = document(ENDPOINTS)
    for endpoint in ENDPOINTS:
        operation = found["paths"][f"/api/claude{endpoint.path}"][endpoint.method.lower()]
        assert operation["summary"].endswith(".")
        assert "401" in operation["responses"]
    for name, schema in found["components"]["schemas"].items():
        assert schema.get("description"), name


@pytest.mark.engine
def test_requests_of_every_shape(world: World, repository: Path, tmp_path: Path) -> None:
    config = world.paths.config_file
    config.write_text(config.read_text() + "\n[tasks]\nmax_running = 1\n")
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(_CONFIG)
    with serving(repository, world.environ) as served:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli"),
                *("--config-file", str(settings)),
                *("run", f"{served.url}/openapi.json"),
                *("--header", f"Authorization: Bearer {served.token}"),
                *("--max-examples", "12", "--request-timeout", "10", "--no-shrink"),
            ],
            cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert _tasks(served), "no task was made"


def _tasks(served: Served) -> int:
    return len(served.get("/tasks")["tasks"])
