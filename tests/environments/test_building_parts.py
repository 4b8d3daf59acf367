"""What a build gets of a commit, and what comes into a worktree afterwards; without an engine."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from ctui.environments.build.carrying import carry_into, keep_folders
from ctui.environments.build.checkout import write_files
from ctui.environments.build.context import Context, build_context
from ctui.environments.build.stages import _quoted
from ctui.environments.definition.commit_files import CommitFiles
from ctui.environments.definition.definition import Definition
from ctui.environments.plan import Plan
from ctui.environments.records import Environment, Records, erase
from ctui.errors import NotFound, Refused
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from tests.conftest import git
from tests.environments.test_choice import BUILT, plan, put


def context_of(plan: Plan) -> Context:
    """Return the context of the image underneath."""
    assert plan.found.definition.build is not None
    return build_context(plan, plan.found.definition.build)


def names(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {one.name: one for one in opened.getmembers()}


def test_a_context_is_the_commit_s_folder_without_what_is_ignored(repository: Path) -> None:
    put(repository, {**BUILT, "docker/.dockerignore": "# no\nother\n", "docker/deep/a": "x"})
    (repository / "docker" / "not-committed").write_text("x")
    context = context_of(plan(repository))
    assert set(names(context.archive)) == {
        ".ctui-dockerfile",
        ".dockerignore",
        "Dockerfile",
        "tool.sh",
        "deep/a",
    }
    assert context.dockerfile == ".ctui-dockerfile"


def test_what_is_built_is_the_dockerfile_that_was_read(repository: Path) -> None:
    """No file of the commit takes its place, also none that has its name in the archive."""
    put(repository, {**BUILT, "docker/.ctui-dockerfile": "FROM other\nADD http://x/y /z\n"})
    context = context_of(plan(repository))
    with tarfile.open(fileobj=io.BytesIO(context.archive)) as opened:
        content = [
            opened.extractfile(one).read()  # type: ignore[union-attr]
            for one in opened.getmembers()
            if one.name == context.dockerfile
        ]
    assert content == [BUILT["docker/Dockerfile"].encode()]


def test_a_link_of_a_context_stays_a_link(repository: Path) -> None:
    put(repository, BUILT)
    (repository / "docker" / "out").symlink_to("/etc/passwd")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Link")
    found = names(context_of(plan(repository)).archive)["out"]
    assert (found.issym(), found.linkname) == (True, "/etc/passwd")


def test_a_context_that_is_not_there_is_said(repository: Path) -> None:
    put(
        repository,
        {
            **BUILT,
            ".ctui.toml": '[environment]\ndockerfile = "docker/Dockerfile"\ncontext = "none"\n',
        },
    )
    with pytest.raises(NotFound, match="no folder none"):
        context_of(plan(repository))


@pytest.mark.parametrize("target", [b"", b"a\0b"])
def test_a_crafted_link_is_refused_by_its_name(
    repository: Path, tmp_path: Path, target: bytes
) -> None:
    def stored(kind: str, content: bytes) -> str:
        command = ["git", "-C", str(repository), "hash-object", "-t", kind, "-w", "--stdin"]
        found = subprocess.run(command, input=content, capture_output=True, check=True)
        return found.stdout.decode().strip()

    tree = stored("tree", b"120000 crafted\0" + bytes.fromhex(stored("blob", target)))
    commit = git(repository, "commit-tree", "-m", "x", tree)
    files = CommitFiles(open_repository(repository), commit)

    with pytest.raises(Refused, match="a link crafted to nothing"):
        write_files(files, tmp_path / "files", os.geteuid(), os.getegid())


def test_a_set_up_s_files_are_those_of_the_commit(repository: Path, tmp_path: Path) -> None:
    put(repository, {"bin/run": "x", "deep/er/file": "y"})
    (repository / "bin" / "run").chmod(0o755)
    (repository / "link").symlink_to("/etc")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "More")
    folder = tmp_path / "files"
    uid = os.geteuid()
    write_files(CommitFiles(open_repository(repository), "HEAD"), folder, uid, os.getegid())
    assert (folder / "deep/er/file").read_text() == "y"
    assert os.access(folder / "bin/run", os.X_OK)
    assert (folder / "link").readlink() == Path("/etc")
    assert not (folder / ".git").exists()


async def test_ignored_folders_come_into_a_new_worktree_as_copies(
    repository: Path, tmp_path: Path
) -> None:
    """`carry`: never hard links; tracked folders, links and what git does not ignore stay out."""
    put(repository, {".gitignore": "node_modules/\n.venv/\n", "vendor/own": "x"})
    work = tmp_path / "work"
    for name in ("node_modules/a", ".venv/bin", "target", "vendor", "elsewhere"):
        (work / name).mkdir(parents=True)
    (work / "node_modules/a/index.js").write_text("1")
    (work / "venv").symlink_to("/etc")
    kept = tmp_path / "kept"
    files = CommitFiles(open_repository(repository), "HEAD")
    carried = keep_folders(work, kept, Definition(), files)
    assert carried == ("node_modules", ".venv", "target")
    worktree = tmp_path / "tree"
    git(repository, "worktree", "add", "-q", str(worktree))
    (worktree / ".venv").mkdir()
    notes = await carry_into(kept, carried, worktree, repository / ".git/worktrees/tree")
    copied = worktree / "node_modules/a/index.js"
    assert copied.read_text() == "1"
    assert copied.stat().st_nlink == 1
    assert copied.stat().st_ino != (kept / "node_modules/a/index.js").stat().st_ino
    assert not (worktree / "target").exists()
    assert len(notes) == 2  # target is not ignored, .venv is there already
    assert git(worktree, "status", "--porcelain") == ""


def test_a_declared_folder_is_found_below_real_folders_only(
    repository: Path, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    (work / "packages/a/node_modules").mkdir(parents=True)
    outside = tmp_path / "outside"
    (outside / "node_modules").mkdir(parents=True)
    (work / "linked").symlink_to(outside)
    definition = Definition(carry=("packages/a/node_modules", "linked/node_modules", "none"))
    files = CommitFiles(open_repository(repository), "HEAD")
    assert keep_folders(work, tmp_path / "kept", definition, files) == ("packages/a/node_modules",)
    assert (outside / "node_modules").is_dir()


def test_what_a_set_up_left_is_deleted_whatever_its_modes(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    folder = tmp_path / "left"
    (folder / "closed/deep").mkdir(parents=True)
    (folder / "closed/deep/file").write_text("x")
    (folder / "link").symlink_to(outside)
    (folder / "closed/deep").chmod(0o500)
    (folder / "closed").chmod(0)
    erase(folder)
    assert not folder.exists()
    assert (outside / "kept").exists()


def test_what_a_check_left_is_deleted_however_deep_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "left"
    folder.mkdir()
    inner = os.open(folder, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=inner)
        outer, inner = inner, os.open("d", os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.close(inner)
    try:
        erase(folder)
        assert not folder.exists()
    finally:
        subprocess.run(["rm", "-rf", folder], check=True)  # else pytest ends with it as well


def test_a_value_cannot_be_another_instruction() -> None:
    assert _quoted('a"b\\c$d') == '"a\\"b\\\\c\\$d"'


def test_states_of_environments(paths: Paths) -> None:
    """`env show`: none, stale, building, ready, failed."""
    records = Records(paths)
    assert records.state("0" * 16, "r") == "none"
    one = Environment(
        id="1" * 16, repository="r", source="repository", file="f", commit="c", state="building"
    )
    records.save(one)
    lock = records.lock(one.id)
    assert lock.acquire(0)
    with lock:
        assert records.state(one.id, "r") == "building"
    assert records.state(one.id, "r") == "failed"  # who built it was killed
    ready = Environment(
        id="2" * 16, repository="r", source="repository", file="f", commit="c", state="ready"
    )
    records.save(ready)
    assert records.state(ready.id, "r") == "ready"
    assert records.state("3" * 16, "r") == "stale"
    assert records.state("3" * 16, "other") == "none"
    assert records.named("2").id == ready.id
    with pytest.raises(NotFound):
        records.named("9")


def test_consent_is_for_one_repository_and_one_content(paths: Paths) -> None:
    records = Records(paths)
    assert not records.has_consent("r", "d")
    records.give_consent("r", "d", "f")
    assert records.has_consent("r", "d")
    assert not records.has_consent("r", "e")
    assert not records.has_consent("other", "d")
    assert [one.what for one in records.consents("r")] == ["f"]
    records.choose("r", "go")
    assert (records.chosen("r"), records.chosen("other")) == ("go", "")
