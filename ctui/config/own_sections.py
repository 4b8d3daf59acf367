"""Settings of ctui itself: worktrees, git, limits, the screen, the MCP server."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ctui.config.task_sections import several


class WorktreeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names, folders and removal of worktrees."""

    prefix: Annotated[str, Meta(description="what the branches of worktrees begin with")] = "ctui/"
    target: Annotated[
        str,
        Meta(
            description="the branch that worktrees are judged against and land in, such as "
            '"develop" or "upstream/main"; "" and one that is not there: the default branch'
        ),
    ] = ""
    open: Annotated[
        str,
        Meta(
            description='the program that opens one, such as "code {path}"; '
            "else $VISUAL, $EDITOR or a shell"
        ),
    ] = ""
    include_limit: Annotated[
        str,
        Meta(description="bytes that .worktreeinclude or --include may copy into a new worktree"),
    ] = "100m"
    delete_branch: Annotated[
        bool,
        Meta(description="whether removing a worktree removes its branch; a restore brings both"),
    ] = False
    trash_days: Annotated[
        float,
        Meta(ge=0, description="then an entry of the trash is deleted for good; 0 keeps it"),
    ] = 30.0
    trash_gib: Annotated[
        float,
        Meta(ge=0, description="of one repository: beyond it the oldest entries go; 0 is no limit"),
    ] = 0.0


class GitConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exceptions for files that a repository stores otherwise than they lie in a checkout."""

    plaintext: Annotated[
        str | tuple[str, ...],
        Meta(
            description="paths such as conf/*.key that a task may see decrypted where you start it "
            "in your own checkout; what it commits there is still held back"
        ),
    ] = ()
    filters: Annotated[
        str | tuple[str, ...],
        Meta(
            description="your clean filters, such as nbstripout, that hide nothing and run in the "
            "sandboxes of new tasks; their programs must be in the image"
        ),
    ] = ()

    @property
    def plaintext_globs(self) -> tuple[str, ...]:
        return several(self.plaintext)

    @property
    def filter_names(self) -> tuple[str, ...]:
        return several(self.filters)


class LandingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Check of what a landing would bring, before anything moves."""

    check: Annotated[
        str,
        Meta(
            description='what a landing must pass, such as "make test", in a sandbox of its '
            "environment; a repository's counts at the target, with --check, where you name none"
        ),
    ] = ""
    timeout: Annotated[str, Meta(description="then a check has failed")] = "30m"
    secrets: Annotated[
        str | tuple[str, ...],
        Meta(description="names of your secrets that a check of yours is given, whatever it runs"),
    ] = ()

    @property
    def secret_names(self) -> tuple[str, ...]:
        return several(self.secrets)


class TaskConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the driver."""

    idle_minutes: Annotated[
        float, Meta(gt=0, description="then an idle sandbox sleeps; the next message wakes it")
    ] = 15.0
    max_running: Annotated[
        int, Meta(ge=1, description="more tasks than this wait in the queue")
    ] = 16
    resume_at_reset: Annotated[
        bool, Meta(description="go on by itself when a usage limit is reset")
    ] = True
    resume_after_engine: Annotated[
        bool, Meta(description="go on by itself when the engine was away in mid-turn")
    ] = True
    open_asks: Annotated[
        int, Meta(ge=1, description="asks of one run at once; the CLI's further ones are refused")
    ] = 64
    journal: Annotated[
        str, Meta(description="size of a task's journal, or of a run's log; then it is paused")
    ] = "1g"
    home: Annotated[str, Meta(description="size of a task's home; then it is paused")] = "10g"
    worktree: Annotated[str, Meta(description="size of a task's worktree; then it is paused")] = (
        "20g"
    )
    files: Annotated[
        int,
        Meta(
            ge=1,
            description="files in a task's home, or in its worktree beside the repository's; "
            "then it is paused",
        ),
    ] = 100_000
    snapshots: Annotated[
        str,
        Meta(description="size of a task's snapshots: the oldest go, the newest never; 0 is none"),
    ] = "1g"
    snapshot_days: Annotated[
        int, Meta(ge=0, description="days that a snapshot is kept; 0 keeps it as long as the task")
    ] = 0
    free_space: Annotated[
        str,
        Meta(description="what all disks, the engine's too, must have left; else tasks are paused"),
    ] = "2g"


class ScreenConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Appearance of the dashboard."""

    theme: Annotated[
        str, Meta(description="ctui-dark, ctui-light, one of Textual's, or your own")
    ] = ""
    bell: Annotated[
        bool,
        Meta(description="ring the bell when a task asks, and when one ends while nobody looks"),
    ] = True
    notify: Annotated[
        bool, Meta(description="have the terminal notify the desktop while nobody looks")
    ] = True
    ascii: Annotated[
        bool, Meta(description="show plain ASCII only: no lines, arrows or symbols")
    ] = False


class ServeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of `ctui serve`."""

    ports_domain: Annotated[
        str,
        Meta(
            description="names that lead to `ctui serve` by TLS, below which browsers on other "
            'machines see what tasks serve, such as "*.tasks.example.org:6080"; without a port 443'
        ),
    ] = ""

    @property
    def ports_place(self) -> str:
        """The domain, with its port if it has one."""
        return self.ports_domain.removeprefix("*.").removesuffix(":443")


class McpConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits and model of `execute_claude` of `ctui --mcp`."""

    default_model: Annotated[
        str, Meta(description="where the caller names none; empty is claude.model, else haiku")
    ] = ""
    max_execution_seconds: Annotated[
        float,
        Meta(gt=0, description="then the turn is interrupted; waiting for a person does not count"),
    ] = 600.0
    inactivity_timeout_seconds: Annotated[
        float,
        Meta(gt=0, description="a task that says nothing for so long goes on without its caller"),
    ] = 120.0
    permission_timeout_seconds: Annotated[
        float, Meta(gt=0, description="so long a form stays open; then the ask is in the inbox")
    ] = 3600.0
