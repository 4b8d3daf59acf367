from __future__ import annotations

import json
from typing import Any

from ctui.sandbox.docker.container_body import create_body
from ctui.sandbox.spec import Limits, Mount, SandboxSpec


def body(**changes: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": "ctui-task",
        "image": "ctui:test",
        "command": ("claude",),
        "uid": 1234,
        "gid": 1235,
        "env": {},
        "mounts": (),
        "network": "ctui",
        "labels": {},
    }
    return create_body(SandboxSpec(**{**facts, **changes}))


def test_a_source_with_commas_and_colons_stays_one_path() -> None:
    mount = Mount("/a:b,readonly/c", "/workspace", read_only=True)
    (made,) = body(mounts=(mount,))["HostConfig"]["Mounts"]
    assert made["Source"] == "/a:b,readonly/c"
    assert (made["Type"], made["Target"], made["ReadOnly"]) == ("bind", "/workspace", True)


def test_a_home_given_by_the_environment_does_not_replace_the_task_s() -> None:
    assert body(env={"HOME": "/root", "A": "b=c"})["Env"] == ["HOME=/home/claude", "A=b=c"]


def test_swap_is_not_added_to_the_memory() -> None:
    host = body(limits=Limits(memory=1 << 30, cpus=1.5, pids=64, tmp=1 << 20))["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 1 << 30
    assert host["NanoCpus"] == 1_500_000_000
    assert host["PidsLimit"] == 64
    assert "size=1048576" in host["Tmpfs"]["/tmp"].split(",")


def test_a_runtime_is_named_only_where_one_is_chosen() -> None:
    """Part 6: `sandbox.runtime`."""
    assert "Runtime" not in body()["HostConfig"]
    assert body(runtime="runsc")["HostConfig"]["Runtime"] == "runsc"


def test_nobody_s_leaving_closes_the_cli_s_stdin() -> None:
    made = body()
    assert (made["OpenStdin"], made["StdinOnce"], made["Tty"]) == (True, False, False)


def test_only_a_container_that_is_no_task_goes_without_the_relay() -> None:
    assert "Entrypoint" not in body()
    assert body(entrypoint=("python3",))["Entrypoint"] == ["python3"]


def allowed(**changes: Any) -> dict[str, Any]:
    """The rules of the profile that allow, by name."""
    _, option = body(**changes)["HostConfig"]["SecurityOpt"]
    profile = json.loads(option.removeprefix("seccomp="))
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    return {
        name: rule.get("args")
        for rule in profile["syscalls"]
        for name in rule["names"]
        if rule["action"] == "SCMP_ACT_ALLOW"
    }


def test_no_call_reaches_into_another_process() -> None:
    """T2: only the caller's own limits, and no tracing unless the person wants a debugger."""
    reaching = {"process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "process_madvise"}
    assert not allowed().keys() & {*reaching, "ptrace", "io_uring_setup", "bpf", "unshare"}
    assert allowed()["prlimit64"] == [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]
    assert {"execve", "futex_waitv", "openat2"} <= allowed().keys()
    assert allowed(debugger=True).keys() - allowed().keys() == {"ptrace"}


def test_a_command_starts_in_the_workspace_or_a_folder_of_it() -> None:
    """T22: the subfolder that a task was started for is its working directory."""
    assert body()["WorkingDir"] == "/workspace"
    assert body(directory="a/ü 好")["WorkingDir"] == "/workspace/a/ü 好"
