"""Throwaway repository with a worktree in every status that ctui distinguishes.

Everything in it is fixed, dates included: two demo repositories have the same commit ids.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from ctui.demo.project import ADA, HISTORY, LIN, Author, Changes, Commit, Replace
from ctui.errors import Conflict, ExternalFailure, Unavailable

_START = 1_741_000_000
"""Time of the first commit: 3 March 2025, in seconds since the epoch."""

_STEP = 5 * 3600
"""Seconds from one commit to the next."""


def make_demo_repository(folder: Path, history: Sequence[Commit] = HISTORY) -> Path:
    """Make `teatime`, its `origin.git` and its `worktrees/` in a new or empty folder.

    Args:
        folder: is made if need be.
        history: commits of `main` before any branch, oldest first.

    Returns:
        The main checkout. Its remote is `origin`, and `main` is level with `origin/main`.

    Raises:
        Conflict: the folder holds something.
        Unavailable: there is no git, or the folder cannot be written.
        ExternalFailure: git failed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Conflict(f"{folder} is not empty", hint="name a new folder for the demo")
        demo = _Demo(folder.resolve())
        demo.make_main_checkout(history)
        for make_worktree in _STATUSES:
            make_worktree(demo)
    except OSError as error:
        raise Unavailable(f"the demo cannot be made in {folder}: {error.strerror}") from error
    return demo.main


class _Demo:
    """The demo's folder, and git in it."""

    def __init__(self, folder: Path) -> None:
        self.main = folder / "teatime"
        self.origin = folder / "origin.git"
        self.worktrees = folder / "worktrees"
        self._commits = 0

    def git(
        self, *arguments: str, at: Path | None = None, stdin: str = "", expected: int = 0
    ) -> None:
        """Run git in the main checkout, or in the worktree `at`.

        The environment holds nothing of the person's: no configuration, no hooks, no signing.
        """
        argv = ["git", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", *arguments]
        try:
            done = subprocess.run(  # noqa: PLW1510 - the exit code is checked against `expected`
                argv,
                cwd=at or self.main,
                env=self._environment(),
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
            )
        except FileNotFoundError as error:
            raise Unavailable("there is no git", hint="install git 2.32 or newer") from error
        if done.returncode != expected:
            raise ExternalFailure(
                f"git {arguments[0]} failed while the demo was made",
                argv=argv,
                exit_code=done.returncode,
                stderr=done.stderr[-2000:],
            )

    def make_main_checkout(self, history: Sequence[Commit]) -> None:
        self.main.mkdir()
        self.origin.mkdir()
        self.git(
            "init", "--quiet", "--template=", "--bare", "--initial-branch=main", at=self.origin
        )
        self.git("init", "--quiet", "--template=", "--initial-branch=main")
        self.git("config", "user.name", ADA.name)
        self.git("config", "user.email", ADA.email)
        self.git("fast-import", "--quiet", stdin=_import_stream(history))
        self._commits = len(history)
        self.git("reset", "--quiet", "--hard")
        self.git("remote", "add", "origin", str(self.origin))
        self.git("push", "--quiet", "--set-upstream", "origin", "main")
        self.git("remote", "set-head", "origin", "main")

    def add_worktree(self, name: str) -> Path:
        path = self.worktrees / name
        self.git("worktree", "add", "--quiet", "-b", name, str(path), "main")
        return path

    def commit(self, at: Path, author: Author, message: str, changes: Changes) -> None:
        _write(at, changes)
        self.git("add", "--all", at=at)
        identity = f"{author.name} <{author.email}>"
        self.git("commit", "--quiet", "--author", identity, "--message", message, at=at)
        self._commits += 1

    def merge(self, *arguments: str) -> None:
        """Merge into `main`, as one more commit."""
        self.git("merge", "--quiet", *arguments)
        self._commits += 1

    def _environment(self) -> dict[str, str]:
        date = f"{_START + self._commits * _STEP} +0000"
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_COMMITTER_NAME": ADA.name,
            "GIT_COMMITTER_EMAIL": ADA.email,
            "GIT_AUTHOR_NAME": ADA.name,
            "GIT_AUTHOR_EMAIL": ADA.email,
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
        }


def _write(folder: Path, changes: Changes) -> None:
    """Apply changes to the files in a folder."""
    for path, change in changes.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_text(encoding="utf-8") if isinstance(change, Replace) else ""
        file.write_text(_changed(before, change), encoding="utf-8")


def _changed(before: str, change: str | Replace) -> str:
    return before.replace(change.old, change.new, 1) if isinstance(change, Replace) else change


def _import_stream(history: Sequence[Commit]) -> str:
    """Return commits of `main` for git-fast-import(1), which makes them all in one process."""
    files: dict[str, str] = {}
    lines: list[str] = []
    for number, commit in enumerate(history):
        when = f"{_START + number * _STEP} +0000"
        lines += [
            "commit refs/heads/main",
            f"author {commit.author.name} <{commit.author.email}> {when}",
            f"committer {commit.author.name} <{commit.author.email}> {when}",
            _data(f"{commit.message}\n"),
        ]
        for path, change in commit.changes.items():
            files[path] = _changed(files.get(path, ""), change)
            lines += [f"M 100644 inline {path}", _data(files[path])]
    return "\n".join([*lines, ""])


def _data(text: str) -> str:
    return f"data {len(text.encode('utf-8'))}\n{text}"


def _no_commits_yet(demo: _Demo) -> None:
    demo.add_worktree("white-tea")


def _unclean(demo: _Demo) -> None:
    at = demo.add_worktree("rounding")
    _write(at, {"teatime/__main__.py": Replace("int(minutes", "round(minutes")})
    demo.git("add", "teatime/__main__.py", at=at)
    _write(
        at,
        {
            "docs/usage.md": Replace("not of a pot.", "rounded to a second."),
            "notes.txt": "Ask Lin: do half seconds matter?\n",
        },
    )


def _ahead_of_its_upstream(demo: _Demo) -> None:
    at = demo.add_worktree("quiet")
    option = Replace("def main():\n", 'def main():\n    quiet = "--quiet" in sys.argv\n')
    demo.commit(at, LIN, "Read --quiet", {"teatime/__main__.py": option})
    demo.git("push", "--quiet", "--set-upstream", "origin", "quiet", at=at)
    printing = Replace("        print(left", "        if not quiet:\n            print(left")
    demo.commit(at, LIN, "Count down silently", {"teatime/__main__.py": printing})
    usage = Replace("The teas are", "With `--quiet` it only says when it is done.\n\nThe teas are")
    demo.commit(at, LIN, "Describe --quiet", {"docs/usage.md": usage})


def _clean_and_pushed(demo: _Demo) -> None:
    at = demo.add_worktree("bell")
    ring = Replace('"Your tea is ready."', '"\\aYour tea is ready."')
    demo.commit(at, ADA, "Ring when the tea is ready", {"teatime/__main__.py": ring})
    demo.git("push", "--quiet", "--set-upstream", "origin", "bell", at=at)


def _merged(demo: _Demo) -> None:
    at = demo.add_worktree("herbal-tea")
    tea = Replace('    "green": 2.5,\n', '    "green": 2.5,\n    "herbal": 7.0,\n')
    demo.commit(at, LIN, "Know herbal tea", {"teatime/teas.py": tea})
    usage = Replace("`black` and `green`", "`black`, `green` and `herbal`")
    demo.commit(at, LIN, "List herbal tea", {"docs/usage.md": usage})
    demo.merge("--no-ff", "--message", "Merge branch 'herbal-tea'", "herbal-tea")


def _merged_by_squash(demo: _Demo) -> None:
    at = demo.add_worktree("changelog")
    demo.commit(at, ADA, "wip", {"CHANGELOG.md": Replace("green tea.", "green tea.\n- A clock.")})
    demo.commit(at, ADA, "wording", {"CHANGELOG.md": Replace("A clock", "The time that is left")})
    demo.git("merge", "--quiet", "--squash", "changelog")
    demo.commit(demo.main, ADA, "Mention the clock in the changes (#7)", {})


def _upstream_gone(demo: _Demo) -> None:
    at = demo.add_worktree("coffee")
    changes = {"docs/coffee.md": "# Coffee\n\nMaybe one day.\n"}
    demo.commit(at, LIN, "Think about coffee", changes)
    demo.git("push", "--quiet", "--set-upstream", "origin", "coffee", at=at)
    demo.git("branch", "--quiet", "-D", "coffee", at=demo.origin)
    demo.git("fetch", "--quiet", "--prune", "origin")


def _conflicted(demo: _Demo) -> None:
    at = demo.add_worktree("stronger")
    black = '    "black": 4.0,\n'
    demo.commit(
        at,
        LIN,
        "Steep black tea longer",
        {"teatime/teas.py": Replace(black, '    "black": 5.0,\n')},
    )
    demo.commit(
        demo.main,
        ADA,
        "Steep black tea shorter",
        {"teatime/teas.py": Replace(black, '    "black": 3.5,\n')},
    )
    demo.git("push", "--quiet", "origin", "main")
    demo.git("merge", "--quiet", "main", at=at, expected=1)


_STATUSES: tuple[Callable[[_Demo], None], ...] = (
    _merged,
    _merged_by_squash,
    _conflicted,
    _ahead_of_its_upstream,
    _clean_and_pushed,
    _upstream_gone,
    _unclean,
    _no_commits_yet,
)
"""Changes of `main`, made first so that the others start from its end."""
