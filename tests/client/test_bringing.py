"""Files that are not committed come into a new worktree: asked, exact, and nothing else."""

from __future__ import annotations

import os
import random
import shutil
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ctui.client.tasks.bringing import Bringing, Include
from ctui.client.worktrees.worktrees import make_worktree
from ctui.config import Config
from ctui.config.own_sections import GitConfig, WorktreeConfig
from ctui.errors import InvalidInput, NotFound, Refused
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from tests.cli.commands import at_terminal, ctui
from tests.conftest import git


def ignored(repository: Path, patterns: str, include: str, files: dict[str, str]) -> None:
    """Write files that git ignores, and which of them a worktree needs."""
    (repository / ".gitignore").write_text(patterns)
    (repository / ".worktreeinclude").write_text(include)
    git(repository, "add", ".gitignore", ".worktreeinclude")
    git(repository, "commit", "-q", "-m", "Ignore")
    for name, text in files.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text)


async def made(
    paths: Paths,
    repository: Path,
    wish: Include,
    config: Config | None = None,
    ask: Callable[[str], bool] | None = None,
    base: str = "HEAD",
) -> tuple[Path, list[str]]:
    """A new worktree, and what was said of it."""
    said: list[str] = []
    opened = open_repository(repository)
    bringing = Bringing(paths, opened, config or Config(), wish, said.append, ask)
    bringing.check(new_worktree=True)
    record = await make_worktree(
        paths, opened, prefix="", name="new", base=bringing.base(base), bring=bringing.into
    )
    return Path(record.path), said


YES = Include(yes=True)


async def test_what_is_named_and_ignored_is_copied(paths: Paths, repository: Path) -> None:
    """Issue: gitignore syntax; files of the checkout that match and are ignored; with mode."""
    ignored(
        repository,
        ".env\n*.key\nbuild/\n",
        "# for tests\n.env\n/conf/*.key\n!/conf/no.key\nbuild/keep/\nplain.txt\nhello.txt\n",
        {
            ".env": "A=1\n",
            "sub/.env": "B=2\n",
            "conf/a.key": "key",
            "conf/no.key": "no",
            "other.key": "no",
            "build/keep/x/y": "kept",
            "build/big": "no",
            "plain.txt": "matches, but git does not ignore it",
        },
    )
    (repository / ".env").chmod(0o640)
    path, said = await made(paths, repository, YES)
    found = {str(f.relative_to(path)) for f in path.rglob("*") if f.is_file()}
    there = {".git", ".gitignore", ".worktreeinclude", "hello.txt"}
    assert found - there == {".env", "sub/.env", "conf/a.key", "build/keep/x/y"}
    assert stat.S_IMODE((path / ".env").stat().st_mode) == 0o640
    assert (path / "sub" / ".env").stat().st_uid == path.stat().st_uid
    assert said == [f"copied 4 ignored files of {repository}"]
    assert git(path, "status", "--porcelain") == ""


async def test_it_is_asked_once_for_a_list(paths: Paths, repository: Path) -> None:
    """Issue: listed and asked once per repository and list hash; unattended: a line."""
    ignored(repository, "*.env\n", "*.env\n", {"a.env": "1"})
    asked: list[str] = []

    def no(text: str) -> bool:
        asked.append(text)
        return False

    def yes(text: str) -> bool:
        asked.append(text)
        return True

    path, said = await made(paths, repository, Include())
    assert not (path / "a.env").exists()
    assert said == [
        "1 file (1 B) of .worktreeinclude left out; --yes copies them, --include PATTERN some"
    ]
    path, _ = await made_as(paths, repository, "two", no)
    assert not (path / "a.env").exists()
    path, _ = await made_as(paths, repository, "three", yes)
    assert not (path / "a.env").exists()
    assert len(asked) == 1
    assert "  a.env\nCopy them?" in asked[0]
    (repository / "b.env").write_text("2")
    path, _ = await made_as(paths, repository, "four", yes)
    assert (path / "b.env").exists()
    path, _ = await made_as(paths, repository, "five", None)
    assert (path / "a.env").exists()
    assert len(asked) == 2


async def made_as(
    paths: Paths, repository: Path, name: str, ask: Callable[[str], bool] | None
) -> tuple[Path, list[str]]:
    said: list[str] = []
    opened = open_repository(repository)
    bringing = Bringing(paths, opened, Config(), Include(), said.append, ask)
    record = await make_worktree(paths, opened, prefix="", name=name, bring=bringing.into)
    return Path(record.path), said


async def test_what_the_person_names_is_not_asked_for(paths: Paths, repository: Path) -> None:
    """Issue: --include PATTERN named by the person: no question."""
    ignored(repository, "*.env\n", "", {"a.env": "1", "b.env": "2"})
    path, _ = await made(paths, repository, Include(("a.*",)))
    assert (path / "a.env").exists()
    assert not (path / "b.env").exists()
    (repository / ".worktreeinclude").write_text("*.env\n")
    path, said = await made_with(paths, repository, "all", ("*.env",))
    assert said == [f"copied 2 ignored files of {repository}"]
    (repository / ".worktreeinclude").write_text("")
    with pytest.raises(NotFound, match="matches no ignored file"):
        await made_with(paths, repository, "two", ("hello.txt",))
    assert "two" not in git(repository, "worktree", "list")


async def test_links_sockets_and_what_leads_out_stay(paths: Paths, repository: Path) -> None:
    """Issue: .worktreeinclude that names sockets, and links out of the repository."""
    ignored(repository, "x/\n", "x/\n", {"x/file": "1", "x/deep/file": "2"})
    x = repository / "x"
    (x / "inside").symlink_to("deep/file")
    (x / "out").symlink_to("../../secret")
    (x / "absolute").symlink_to("/etc/passwd")
    os.mkfifo(x / "pipe")
    listening = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    try:
        os.chdir(x)
        listening.bind("socket")
    finally:
        os.chdir(here)
        listening.close()
    path, said = await made(paths, repository, YES)
    assert sorted(f.name for f in (path / "x").iterdir()) == ["deep", "file", "inside"]
    assert (path / "x" / "inside").readlink() == Path("deep/file")
    left = said[-1]
    assert "x/socket: it is a socket" in left
    assert "x/pipe: it is a socket, a pipe" in left
    assert "x/out: it is a link that leads out" in left
    assert "x/absolute: it is a link that leads out" in left


async def test_a_folder_that_is_a_link_is_not_entered(paths: Paths, repository: Path) -> None:
    """Issue: by descriptors, no link followed out."""
    outside = repository.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    ignored(repository, "data\nmine/\n", "data\nmine/\n", {"mine/a": "1"})
    (repository / "data").symlink_to(outside)
    (repository / ".worktreeinclude").unlink()
    (repository / ".worktreeinclude").symlink_to(outside / "patterns")
    (outside / "patterns").write_text("mine/\n")
    path, said = await made(paths, repository, YES)
    assert not (path / "mine").exists()
    assert said == []
    path, _ = await made_with(paths, repository, "other", ("mine/",))
    assert (path / "mine" / "a").exists()
    with pytest.raises(NotFound, match="data: it is a link that leads out"):
        await made_with(paths, repository, "third", ("data",))


async def made_with(
    paths: Paths, repository: Path, name: str, patterns: tuple[str, ...]
) -> tuple[Path, list[str]]:
    said: list[str] = []
    opened = open_repository(repository)
    bringing = Bringing(paths, opened, Config(), Include(patterns), said.append)
    record = await make_worktree(paths, opened, prefix="", name=name, bring=bringing.into)
    return Path(record.path), said


async def test_more_than_the_limit_is_not_copied(paths: Paths, repository: Path) -> None:
    """Issue: 100 MB unless raised by a setting."""
    ignored(repository, "big\n", "big\n", {})
    with (repository / "big").open("wb") as file:
        file.truncate(5 << 30)
    path, said = await made(paths, repository, YES)
    assert not (path / "big").exists()
    assert "5.0 GiB" in said[0]
    assert "worktrees.include_limit" in said[0]
    with pytest.raises(Refused, match="more than 100"):
        await made_with(paths, repository, "two", ("big",))
    with (repository / "big").open("wb") as file:
        file.truncate(2000)
    small = Config(worktrees=WorktreeConfig(include_limit="1k"))
    opened = open_repository(repository)
    said = []
    bringing = Bringing(paths, opened, small, YES, said.append)
    await make_worktree(paths, opened, prefix="", name="four", bring=bringing.into)
    assert "so none of it is copied" in said[0]


async def test_what_is_stored_encrypted_is_refused_by_its_path(
    paths: Paths, repository: Path
) -> None:
    """Issue: files that are stored encrypted are refused by path, as for --workspace-dir."""
    (repository / ".gitattributes").write_text("*.secret filter=crypt\n")
    git(repository, "add", ".gitattributes")
    ignored(repository, "x/\n", "x/\n", {"x/a.secret": "plain", "x/b": "1"})
    path, said = await made(paths, repository, YES)
    assert not (path / "x" / "a.secret").exists()
    assert (path / "x" / "b").exists()
    assert "x/a.secret: the repository stores it by the filter crypt" in said[-1]
    allowing = Config(git=GitConfig(filters=("crypt",)))
    opened = open_repository(repository)
    bringing = Bringing(paths, opened, allowing, YES, said.append)
    record = await make_worktree(paths, opened, prefix="", name="two", bring=bringing.into)
    assert (Path(record.path) / "x" / "a.secret").exists()


async def test_beside_a_bare_repository_the_default_branch_has_the_files(
    paths: Paths, repository: Path, tmp_path: Path
) -> None:
    """Issue: from the target's worktree in a bare layout."""
    ignored(repository, ".env\n", ".env\n", {})
    project = tmp_path / "project"
    project.mkdir()
    git(tmp_path, "clone", "-q", "--bare", str(repository), str(project / ".bare"))
    (project / ".git").write_text("gitdir: ./.bare\n")
    git(project, "worktree", "add", "-q", "main", "main")
    (project / "main" / ".env").write_text("A=1")
    git(project / "main", "worktree", "add", "-q", "-b", "task", "../task")
    (project / "task" / ".worktreeinclude").write_text("*\n")
    (project / "task" / ".env").write_text("A=of a task")
    opened = open_repository(project / "task")
    bringing = Bringing(paths, opened, Config(), YES, lambda _: None)
    record = await make_worktree(paths, opened, prefix="", name="fix", bring=bringing.into)
    assert (Path(record.path) / ".env").read_text() == "A=1"


def states(folder: Path) -> tuple[str, str, dict[str, bytes]]:
    status = git(folder, "status", "--porcelain=v2", "--untracked-files=all")
    # Without the object of an unborn path and the like, all of it is comparable.
    files = {
        str(f.relative_to(folder)): f"{stat.S_IMODE(f.lstat().st_mode):o} ".encode()
        + (os.fsencode(f.readlink()) if f.is_symlink() else f.read_bytes())
        for f in folder.rglob("*")
        if (f.is_symlink() or f.is_file()) and ".git" not in f.relative_to(folder).parts
    }
    return status, git(folder, "ls-files", "--stage"), files


def change(folder: Path) -> None:
    """Uncommitted work of every kind."""
    for name in ("gone", "gone-staged", "edited", "staged", "both", "mode", "untrack", "dir/file"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"{name}\n" * 5)
    (folder / "becomes-link").write_text("x")
    (folder / "becomes-dir").write_text("x")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Begin")
    (folder / "gone").unlink()
    git(folder, "rm", "-q", "gone-staged")
    (folder / "edited").write_text("other\n")
    (folder / "staged").write_text("staged\n")
    (folder / "both").write_text("first\n")
    (folder / "new-staged").write_text("new\n")
    git(folder, "add", "staged", "both", "new-staged")
    (folder / "both").write_text("second\n")
    (folder / "mode").chmod(0o755)
    git(folder, "rm", "-q", "--cached", "untrack")
    (folder / "becomes-link").unlink()
    (folder / "becomes-link").symlink_to("edited")
    (folder / "becomes-dir").unlink()
    (folder / "becomes-dir").mkdir()
    (folder / "becomes-dir" / "a").write_text("a")
    shutil.rmtree(folder / "dir")
    (folder / "dir").write_text("a file now\n")
    (folder / "ümlaut\nnew").write_text("odd name")
    (folder / "new").mkdir()
    (folder / "new" / "b.sh").write_text("#!/bin/sh\n")
    (folder / "new" / "b.sh").chmod(0o755)
    (folder / "intended").write_text("later")
    git(folder, "add", "-N", "intended")
    (folder / "ignored").write_text("not brought")


async def test_uncommitted_work_is_brought_exactly(paths: Paths, repository: Path) -> None:
    """Issue: --with-changes: staged, unstaged, untracked, exact, and the checkout untouched."""
    change(repository)
    before = states(repository)
    index = (repository / ".git" / "index").read_bytes()
    path, said = await made(paths, repository, Include(changes=True))
    assert (repository / ".git" / "index").read_bytes() == index
    assert said == []
    status, staged, files = states(path)
    expected = dict(before[2])
    del expected["ignored"]
    assert files == expected
    assert (status, staged) == before[:2]
    assert states(repository) == before


@pytest.mark.parametrize("seed", range(6))
async def test_any_uncommitted_work_is_brought(paths: Paths, repository: Path, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - a schedule
    names = [f"d{n % 3}/f{n}" for n in range(12)] + [f"g{n}" for n in range(6)]
    for name in names[::2]:
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text(name)
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Begin")
    for _ in range(25):
        name = rng.choice(names)
        match rng.randrange(5):
            case 0 | 1:
                (repository / name).parent.mkdir(exist_ok=True)
                (repository / name).write_text(str(rng.random()))
            case 2:
                (repository / name).unlink(missing_ok=True)
            case 3:
                git(repository, "add", "-A", f"{name[0]}*" if rng.random() < 0.7 else ".")
            case 4 if (repository / name).exists():
                (repository / name).chmod(rng.choice([0o644, 0o755]))
    before = states(repository)
    path, _ = await made(paths, repository, Include(changes=True))
    assert states(path) == before


async def test_changes_are_refused_where_they_cannot_be_exact(
    paths: Paths, repository: Path
) -> None:
    wish = Include(changes=True)
    with pytest.raises(InvalidInput, match="another base"):
        await made(paths, repository, wish, base="HEAD~1")
    (repository / ".git" / "MERGE_HEAD").write_text(git(repository, "rev-parse", "HEAD"))
    with pytest.raises(Refused, match="a merge is under way"):
        await made(paths, repository, wish)
    (repository / ".git" / "MERGE_HEAD").unlink()
    (repository / ".gitattributes").write_text("*.secret filter=crypt\n")
    (repository / "a.secret").write_text("plain")
    with pytest.raises(Refused, match=r"would see a\.secret without the filter crypt"):
        await made(paths, repository, wish)
    assert "new" not in git(repository, "worktree", "list")
    assert git(repository, "branch", "--list", "new") == ""
    bringing = Bringing(paths, open_repository(repository), Config(), wish, lambda _: None)
    with pytest.raises(InvalidInput, match="new worktree"):
        bringing.check(new_worktree=False)


def test_the_commands_have_the_options(repository: Path) -> None:
    """Issue: `ctui worktree create` does it too; asked at a terminal."""
    ignored(repository, "*.env\n", "*.env\n", {"a.env": "1"})
    done = ctui(repository, "worktree", "create", "one")
    assert "left out" in done.stderr
    done = ctui(repository, "worktree", "create", "two", "--include", "a.env", "--with-changes")
    assert (Path(done.stdout.strip()) / "a.env").exists()
    code, shown = at_terminal(
        repository, "worktree", "create", "three", asked="Copy them?", typed="y\n"
    )
    assert code == 0, shown
    assert "copied 1 ignored file" in shown
    done = ctui(repository, "worktree", "create", "four")
    assert (Path(done.stdout.strip()) / "a.env").exists()
