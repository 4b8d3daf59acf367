"""The only module that starts git processes.

Git runs programs that configuration names: hooks, filters, file system monitors, pagers, diff
drivers. Every process is therefore started with an explicit `--git-dir` (git never looks for a
repository, so a `.git` that a task put somewhere is never found), with all of these switched off,
outside of any worktree, in a process group of its own, and for a bounded time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ctui.errors import ExternalFailure, Refused
from ctui.git.process import caller
from ctui.git.process.environment import OVERRIDES, git_environment
from ctui.git.process.pipes import blocking_pipe
from ctui.git.process.process import communicate
from ctui.git.process.version import executable
from ctui.text import one_line, sanitise

_READS_SUBMODULES = frozenset({"status", "diff", "diff-files", "diff-index", "commit"})
IGNORE_SUBMODULES = "--ignore-submodules=all"
"""Keeps git out of nested repositories, whose own configuration names programs to run."""

_IN_THE_ROOT = {"sparse.expectFilesOutsideOfPatterns": "true"}
"""Settings of a git that reads an index before it goes to the files, if it does: in a sparse
checkout it would find `/lib`, and take the entry `lib` for one that the patterns do not leave out.
"""

_PATIENCE = 2.0
"""Seconds until a git that has not ended is suspected to wait for a pipe."""


class GitOutput(NamedTuple):
    """Result of a git process: raw stdout, the sanitised end of stderr, and its exit status."""

    stdout: bytes
    stderr: str
    exit_code: int


_Ended = tuple[bytes | None, bytes, int]
"""Result of `communicate`."""


class GitTimeout(ExternalFailure):
    """End of a git process that exceeded its time limit."""


def status_arguments(*options: str) -> list[str]:
    """Return the arguments of `git status` in version 2, NUL-terminated, and without submodules.

    Untracked files are asked for by name, because a person's `status.showUntrackedFiles=no` would
    make unsaved work look clean.
    """
    return [
        "status",
        "--porcelain=v2",
        "--branch",
        "--ahead-behind",
        "--untracked-files=normal",
        IGNORE_SUBMODULES,
        "-z",
        *options,
    ]


def diff_arguments(*options: str) -> list[str]:
    """Return arguments of `git diff` without external drivers, text conversion or submodules."""
    return ["diff", "--no-ext-diff", "--no-textconv", "--no-color", IGNORE_SUBMODULES, *options]


async def run_git(
    args: Sequence[str | Path],
    *,
    git_dir: Path,
    work_tree: Path | None = None,
    timeout: float = 60,
    input: bytes | None = None,  # noqa: A002 - the name that subprocess uses
    env: Mapping[str, str] | None = None,
    check: bool = True,
    nice: bool = False,
    filters: bool = False,
    blanked: Iterable[str] | None = None,
    config: Mapping[str, str] | None = None,
    environ: Mapping[bytes, bytes] | None = None,
    cwd: Path | None = None,
    heard: Callable[[str], None] | None = None,
) -> GitOutput:
    """Run one git command on the repository or worktree whose metadata is `git_dir`.

    Args:
        args: the command and its arguments; paths in them must be absolute.
        git_dir: the directory that git believes; never one that a task can write.
        work_tree: the files it may look at; without it git has none, whatever the configuration
            says.
        timeout: seconds until the process group is killed.
        input: what stdin gives; without it stdin is empty.
        env: more variables, for example `GIT_INDEX_FILE`.
        check: raise when the exit status is not 0.
        nice: give way to everything else that wants the processor.
        filters: let clean and smudge filters of the person's configuration run; only right where
            the files are written from a commit that the person chose.
        blanked: the filters to switch off, as `filter_settings` gave them a moment ago, where many
            processes look at one repository; without it they are asked for each time.
        config: more settings, for this process only.
        environ: all of its environment, as `environment_of_many` gave it a moment ago; with it
            neither filters nor settings are looked for.
        cwd: where relative paths begin, such as a remote's; without it the root.
        heard: told each line of stderr as it comes, not sanitised; progress writes over itself.

    Raises:
        Unavailable: git is not installed.
        GitTimeout: it took longer than `timeout`.
        Refused: it waits for a pipe that somebody put among the files.
        ExternalFailure: it failed (with `check`), or wrote more than 512 MiB.
    """
    command = [str(arg) for arg in args]
    _refuse_unsafe(command)
    if environ is None:
        touches_files = work_tree is not None or command[0] == "worktree"
        if filters or not touches_files:
            blanked = ()
        elif blanked is None:
            blanked = await filter_settings(git_dir)
        in_the_root = not touches_files or command[0] == "update-index"
        settings = {**(_IN_THE_ROOT if in_the_root else {}), **(config or {})}
        environ = _environment(blanked, settings, env or {})
    return await _run(
        command,
        git_dir=git_dir,
        work_tree=work_tree,
        timeout=timeout,
        input=input,
        environ=environ,
        check=check,
        nice=nice,
        cwd=cwd,
        heard=heard,
    )


def environment_of_many(blanked: Iterable[str], config: Mapping[str, str]) -> Mapping[bytes, bytes]:
    """Return the environment of processes that look at files of one repository, one like another.

    Args:
        blanked: the repository's `filter_settings`.
        config: more settings, for these processes only.
    """
    return _environment(blanked, config, {})


def _environment(
    blanked: Iterable[str], config: Mapping[str, str], env: Mapping[str, str]
) -> dict[bytes, bytes]:
    settings = {**OVERRIDES, **dict.fromkeys(blanked, ""), **config}
    made = git_environment(caller.environ(), settings, env)
    return {os.fsencode(name): os.fsencode(value) for name, value in made.items()}


async def filter_settings(git_dir: Path) -> list[str]:
    """Return the settings that blank every filter that is configured, so that none runs.

    They are those of one git directory: a linked worktree can have settings of its own
    (`extensions.worktreeConfig`). A task writes `.gitattributes`, so it chooses which of the
    person's filters sees its files.
    """
    output = await _run(
        ["config", "--name-only", "-z", "--get-regexp", r"^filter\."],
        git_dir=git_dir,
        work_tree=None,
        timeout=10,
        input=None,
        environ=_environment((), {}, {}),
        check=False,
        nice=False,
    )
    names = {
        name.rpartition(".")[0]
        for name in output.stdout.decode("utf-8", "surrogateescape").split("\0")
        if name.count(".") >= 2
    }
    settings = ("clean", "smudge", "process", "required")
    return [f"{name}.{setting}" for name in sorted(names) for setting in settings]


async def _run(
    command: list[str],
    *,
    git_dir: Path,
    work_tree: Path | None,
    timeout: float,
    input: bytes | None,  # noqa: A002 - the name that subprocess uses
    environ: Mapping[bytes, bytes],
    check: bool,
    nice: bool,
    cwd: Path | None = None,
    heard: Callable[[str], None] | None = None,
) -> GitOutput:
    argv = [executable(caller.path()), f"--git-dir={git_dir}"]
    if work_tree is None:
        environ = {**environ, b"GIT_IMPLICIT_WORK_TREE": b"0"}
    else:
        argv.append(f"--work-tree={work_tree}")
    argv += command
    try:
        async with asyncio.timeout(timeout):
            running = communicate(argv, environ, input, nice=nice, cwd=cwd, heard=heard)
            if work_tree is not None:
                running = _unless_blocked(running, work_tree)
            stdout, stderr, exit_code = await running
    except TimeoutError as error:
        raise GitTimeout(f"git {command[0]} took longer than {timeout:g} s", argv=argv) from error
    except OSError as error:
        raise ExternalFailure(
            f"git {command[0]} does not start: {error.strerror}", argv=argv
        ) from error
    said = sanitise(stderr.decode("utf-8", "replace"))
    if stdout is None:
        raise ExternalFailure(
            f"git {command[0]} said more than can be read", argv=argv, stderr=said
        )
    if check and exit_code != 0:
        raise ExternalFailure(
            f"git {command[0]} failed: {_reason(said, exit_code)}",
            argv=argv,
            exit_code=exit_code,
            stderr=said,
        )
    return GitOutput(stdout, said, exit_code)


async def _unless_blocked(running: Coroutine[Any, Any, _Ended], work_tree: Path) -> _Ended:
    """Await a git that reads files of a checkout, but not one that a task's pipe would hold up."""
    process = asyncio.ensure_future(running)
    try:
        done, _ = await asyncio.wait([process], timeout=_PATIENCE)
        if not done and (pipe := await asyncio.to_thread(blocking_pipe, work_tree)) is not None:
            raise Refused(
                f"{one_line(str(pipe), 300)} is a pipe, at which git waits for ever",
                hint="remove it",
            )
        return await process
    finally:
        if not process.done():
            process.cancel()
            with suppress(asyncio.CancelledError):
                await process


def _refuse_unsafe(command: Sequence[str]) -> None:
    """Raise ValueError for arguments that could run a nested repository's programs."""
    if not command or command[0].startswith("-"):
        raise ValueError("the first argument of a git process is its command")
    if command[0] not in _READS_SUBMODULES or IGNORE_SUBMODULES in command:
        return
    # Index against tree: git compares object ids and opens no nested repository.
    if command[0] == "diff-index" and "--cached" in command:
        return
    raise ValueError(f"git {command[0]} needs {IGNORE_SUBMODULES}")


def _reason(stderr: str, exit_code: int) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
    chosen = (fatal or lines or [f"exit status {exit_code}"])[-1]
    return one_line(chosen.removeprefix("fatal: ").removeprefix("error: "), 300)
