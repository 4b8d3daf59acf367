"""Names that lead somewhere, resolved for real: what is looked up, checked and dialled."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway.egress.internet import OWN, PUBLIC, SECOND

REFUSED = "into a private network"


def test_only_checked_public_addresses_are_dialled(tmp_path: Path) -> None:
    """A name server that lies, mixes and changes its mind gets a task nowhere but outside.

    Whatever form an address of the machine or its networks has; a name that is refused is not even
    looked up, so that no message leaves in it; and each connection looks its name up once.
    """
    if (
        shutil.which("ip") is None
        or subprocess.run(("unshare", "-nm", "true"), check=False).returncode
    ):
        pytest.skip("no network namespace can be made here (as root, with iproute2)")
    done = subprocess.run(
        ("unshare", "-nm", sys.executable, "-m", "tests.gateway.egress.internet", tmp_path),
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for name in ("public.example", PUBLIC, "dead-first.example", "rebind.example", "named"):
        assert (name, found[name]) == (name, PUBLIC)
    assert found["seconds"] < 5  # an address that says nothing is not waited for
    assert found["[::ffff:93.184.216.35]"] == SECOND
    for name in (
        *("private.example", "mixed.example", "own.example", "loopback.example", OWN),
        *("metadata.example", "mapped.example", "translated.example", "rebind.example, again"),
    ):
        assert found[name].startswith("403 ctui: "), name
        assert REFUSED in found[name], name
    assert found["no-such.example"].startswith(
        "502 ctui: no-such.example:80: there is no such name"
    )
    assert "ctui network allow secret.evil.example" in found["secret.evil.example"]
    assert "secret.evil.example" not in found["names"]
    assert "public.example" in found["names"]
    assert found["lookups of rebind.example"] == 2
    # What is said to port 80 is HTTP, for the host that was named: also in a tunnel.
    assert found["tunnels"] == ["200", "403", "400", "400", "400"]
    assert found["anomalies"] == ["Host: evil.example:80"]
