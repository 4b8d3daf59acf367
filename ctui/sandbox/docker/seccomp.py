"""The system calls that a task may make.

`docker/seccomp.json` has what the engine's own default profile (moby/profiles, June 2026) allows to
a container without capabilities, less what would let one process of a task get at another
one of the same uid: the limits of another process (`prlimit64`), `ptrace` and `process_vm_*`. A
profile of ours, because engines before 28 allow the last two to everybody. What a newer engine
would allow in addition fails with ENOSYS, which is what programs expect of an older kernel.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from ctui.paths import resource

_PTRACE = {
    "action": "SCMP_ACT_ALLOW",
    "names": ["ptrace"],
    # Before this kernel a tracer could change a call after it had been checked.
    "includes": {"minKernel": "4.8"},
}


@cache
def profile(*, debugger: bool = False) -> str:
    """Return the profile as the engine takes it.

    Args:
        debugger: also allow ptrace, which the relay and the CLI are out of the reach of anyway.
    """
    read: dict[str, Any] = json.loads((resource("docker") / "seccomp.json").read_text("utf-8"))
    if debugger:
        read["syscalls"].append(_PTRACE)
    return json.dumps(read, separators=(",", ":"))
