"""The long forms, run by `make soak`."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.soak]


@pytest.mark.parametrize("number", range(20))
def test_the_demo_sees_every_step_every_time(number: int) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ctui", "demo", "--headless"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"round {number}: {done.stdout}{done.stderr}"
