"""The proof's surroundings: targets, what else only the task has, damage, and the cache."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ctui.git.repository import Repository, Target, open_repository
from ctui.worktrees.model import Proof, Verdict, Work
from ctui.worktrees.prover import Prover
from ctui.worktrees.scratch import scratch_repository
from ctui.worktrees.verdicts import VerdictCache
from tests.conftest import git
from tests.worktrees.story import Story


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path / "repository")


def prove(story: Story, cache: Path, work: Work, **targets: str) -> Verdict:
    """Against branches of the story, by the refs they stand for."""
    found = [Target(f"refs/{ref.replace('__', '/')}", at) for ref, at in targets.items()]
    return Prover(story.repository(), found, cache).prove([work])[0].verdict


def evidence(proof: Proof) -> tuple[str, str]:
    return proof.verdict.kind, proof.verdict.evidence


# Targets


def test_merged_only_here_is_not_pushed(story: Story, tmp_path: Path) -> None:
    story.two()
    remote = story.moved()
    at = story.squash("b")
    work = Work(story.heads["b"], story.base)
    refs = {"heads__main": at, "remotes__origin__main": remote}
    verdict = prove(story, tmp_path / "cache", work, **refs)
    assert verdict == Verdict(
        "merged", f"every change is in main since {at[:7]} (squash), not pushed", at
    )
    refs["remotes__origin__main"] = at
    story.edited("main", 30, "more")
    refs["heads__main"] = story.heads["main"]
    verdict = prove(story, tmp_path / "cache", work, **refs)
    assert verdict.evidence == f"every change is in origin/main since {at[:7]} (squash)"


def test_where_both_went_on_either_proves(story: Story, tmp_path: Path) -> None:
    story.two()
    work = Work(story.heads["b"], story.base)
    story.branch("theirs", "main")
    remote = story.edited("theirs", 30, "theirs")
    at = story.squash("b")
    refs = {"remotes__origin__main": remote, "heads__main": at}
    verdict = prove(story, tmp_path / "cache", work, **refs)
    assert verdict.evidence == f"every change is in main since {at[:7]} (squash), not pushed"
    at = story.squash("b", "theirs")
    refs = {"remotes__origin__main": at, "heads__main": story.base}
    verdict = prove(story, tmp_path / "cache", work, **refs)
    assert verdict.evidence == f"every change is in origin/main since {at[:7]} (squash)"


def test_a_force_pushed_target_is_judged_again(story: Story, tmp_path: Path) -> None:
    story.two()
    story.squash("b")
    story.edited("main", 3, "rewritten")
    assert story.prove(tmp_path / "cache")[0].verdict.kind == "history"
    story.branch("main", story.base)
    story.edited("main", 15, "another line")
    kind, said = evidence(story.prove(tmp_path / "cache")[0])
    assert (kind, said) == ("unmerged", "2 commits not in main")


def test_a_target_s_name_is_shown_without_control_characters(story: Story, tmp_path: Path) -> None:
    work = Work(story.two()[1], story.base)
    target = Target("refs/heads/a\x1b]0;x\x07\u202eb", story.heads["main"])
    said = Prover(story.repository(), [target], tmp_path / "cache").prove([work])
    assert said[0].verdict.evidence == "2 commits not in a\ufffdb"


def clone_with(folder: Path, name: str, default: str) -> Path:
    """A clone of a repository whose default branch has that name, by a remote of that name."""
    upstream = folder / "upstream"
    upstream.mkdir()
    git(upstream, "init", "-q", "-b", default)
    git(upstream, "commit", "-q", "--allow-empty", "-m", "Begin")
    git(folder, "clone", "-q", "-o", name, str(upstream), "clone")
    return folder / "clone"


@pytest.mark.parametrize("remote", ["origin", "company/main"])
def test_the_remote_says_what_its_default_branch_is(tmp_path: Path, remote: str) -> None:
    clone = clone_with(tmp_path, remote, "release-line")
    git(clone, "checkout", "-q", "-b", "mine")
    git(clone, "branch", "-q", "-D", "release-line")
    [target] = open_repository(clone).targets()
    assert target.ref == f"refs/remotes/{remote}/release-line"


def test_of_two_remotes_the_one_counts_that_the_default_branch_follows(tmp_path: Path) -> None:
    clone = clone_with(tmp_path, "company", "main")
    git(clone, "remote", "add", "fork", str(tmp_path / "upstream"))
    git(clone, "fetch", "-q", "fork")
    assert open_repository(clone).targets()[0].ref == "refs/remotes/company/main"
    git(clone, "remote", "add", "origin", str(tmp_path / "upstream"))
    git(clone, "fetch", "-q", "origin")
    assert open_repository(clone).targets()[0].ref == "refs/remotes/origin/main"


def test_a_remote_default_that_is_gone_does_not_count(tmp_path: Path) -> None:
    clone = clone_with(tmp_path, "origin", "main")
    git(clone, "update-ref", "-d", "refs/remotes/origin/main")
    assert open_repository(clone).targets()[0].ref == "refs/heads/main"


def test_the_one_that_contains_the_other_comes_first(tmp_path: Path) -> None:
    clone = clone_with(tmp_path, "origin", "main")
    assert [target.ref for target in open_repository(clone).targets()] == [
        "refs/remotes/origin/main"
    ]
    git(clone, "commit", "-q", "--allow-empty", "-m", "Mine")
    both = ["refs/heads/main", "refs/remotes/origin/main"]
    assert [target.ref for target in open_repository(clone).targets()] == both
    git(tmp_path / "upstream", "commit", "-q", "--allow-empty", "-m", "Theirs")
    git(clone, "fetch", "-q")
    assert [target.ref for target in open_repository(clone).targets()] == both[::-1]
    git(clone, "reset", "-q", "--hard", "HEAD~")
    assert [target.ref for target in open_repository(clone).targets()] == both[1:]


# How the branch began


@pytest.mark.parametrize(
    ("created_only", "kind"), [(True, "no-commits"), (False, "merged")], ids=["fresh", "worked-on"]
)
def test_without_a_record_the_reflog_tells_a_fresh_branch(
    story: Story, tmp_path: Path, *, created_only: bool, kind: str
) -> None:
    story.moved()
    work = Work(story.base, None, created_only)
    assert story.prove(tmp_path / "cache", work)[0].verdict.kind == kind


def test_off_the_first_line_a_branch_had_commits_of_its_own(story: Story, tmp_path: Path) -> None:
    story.two()
    story.moved()
    story.merge("b")
    work = Work(story.heads["b"], None, created_only=True)
    assert story.prove(tmp_path / "cache", work)[0].verdict.kind == "merged"


# What else only the task has


def test_another_branch_of_the_task_counts(story: Story, tmp_path: Path) -> None:
    story.two()
    story.branch("side", story.base)
    story.edited("side", 25, "S")
    story.squash("b")
    work = Work(story.heads["b"], story.base, also=(("heads/side", story.heads["side"]),))
    proof = story.prove(tmp_path / "cache", work)[0]
    assert evidence(proof) == ("unmerged", "its task's heads/side is not in main")
    story.squash("side")
    assert story.prove(tmp_path / "cache", work)[0].verdict.kind == "merged"


def stash(repository: Path, *options: str) -> str:
    git(repository, "stash", "push", "-q", *options)
    commit = git(repository, "rev-parse", "refs/stash")
    git(repository, "stash", "drop", "-q")
    return commit


@pytest.mark.parametrize("hidden", ["untracked", "staged"])
def test_a_stash_counts_with_all_that_it_hides(
    repository: Path, tmp_path: Path, hidden: str
) -> None:
    """Main has what the stash's own files are; what is beside them is nowhere else."""
    file = repository / "hello.txt"
    if hidden == "staged":
        file.write_text("hello\nworld\nonly staged\n")
        git(repository, "add", "hello.txt")
    else:
        (repository / "notes").write_text("only here\n")
    file.write_text("hello\nworld\nmore\n")
    kept = stash(repository, "--include-untracked")
    file.write_text("hello\nworld\nmore\n")
    plain = stash(repository)
    file.write_text("hello\nworld\nmore\n")
    git(repository, "commit", "-q", "-a", "-m", "More")
    found = open_repository(repository)
    tip = found.resolve("HEAD")
    works = [Work(tip, None, also=(("stash", commit),)) for commit in (kept, plain)]
    proofs = Prover(found, found.targets(), tmp_path / "cache").prove(works)
    assert evidence(proofs[0]) == ("unmerged", "its task's stash is not in main")
    assert proofs[1].verdict.kind == "merged"


# Hostile and damaged


def test_what_cannot_be_read_does_not_hide_the_others(story: Story, tmp_path: Path) -> None:
    _, tip = story.two()
    story.squash("b")
    blob = str(story.git.create_blob(b"no commit"))
    works = [Work(bad) for bad in ("0" * 40, "not an id", "", blob)] + [Work(tip, story.base)]
    kinds = [proof.verdict.kind for proof in story.prove(tmp_path / "cache", *works)]
    assert kinds == ["unknown"] * 4 + ["merged"]


def test_a_missing_object_makes_nothing_merged(story: Story, tmp_path: Path) -> None:
    """Every object of the branch's work, one after the other."""
    first, second = story.two()
    story.squash("b")
    story.edited("main", 3, "rewritten")
    commits = [first, second]
    trees = [str(story.commit_of(commit).tree_id) for commit in commits]
    for number, oid in enumerate(commits + trees):
        path = tmp_path / "repository/.git/objects" / oid[:2] / oid[2:]
        path.rename(tmp_path / "away")
        [proof] = story.prove(tmp_path / f"cache {number}")
        assert proof.verdict.kind in {"unknown", "unmerged"} or oid == trees[0]
        (tmp_path / "away").rename(path)
    assert story.prove(tmp_path / "cache")[0].verdict.kind == "history"


def test_a_shallow_clone(tmp_path: Path) -> None:
    story = Story(tmp_path / "repository")
    story.moved()
    story.base = story.edited("main", 37, "again")
    story.branch("b", "main")
    story.two()
    at = story.squash("b")
    url = f"file://{tmp_path}/repository"
    git(tmp_path, "clone", "-q", "--depth", "2", "--no-single-branch", url, "shallow")
    clone = open_repository(tmp_path / "shallow")
    prover = Prover(clone, [Target("refs/heads/main", story.heads["main"])], tmp_path / "cache")
    [proof] = prover.prove([Work(story.heads["b"])])
    # The branch's own beginning was cut off: it has nothing in common with main any more.
    assert proof.verdict.kind == "unmerged"
    git(tmp_path / "shallow", "fetch", "-q", "--unshallow")
    [proof] = Prover(clone, prover._targets, tmp_path / "cache").prove([Work(story.heads["b"])])
    assert (proof.verdict.kind, proof.verdict.commit) == ("merged", at)


def test_a_partial_clone_is_not_completed(tmp_path: Path) -> None:
    story = Story(tmp_path / "repository")
    story.two()
    story.edited("main", 5, "near")
    at = story.squash("b")
    upstream = tmp_path / "repository"
    git(upstream, "config", "uploadpack.allowFilter", "true")
    options = ("-q", "--bare", "--filter=blob:none")
    git(tmp_path, "clone", *options, f"file://{upstream}", "partial.git")
    clone = Repository(tmp_path / "partial.git", None)
    before = sorted(clone.common_dir.rglob("*"))
    work = Work(story.heads["b"], story.base)
    [proof] = Prover(clone, [Target("refs/heads/main", at)], tmp_path / "cache").prove([work])
    missing = "its commits cannot be read: an object is missing"
    assert evidence(proof) == ("unknown", missing)
    assert sorted(clone.common_dir.rglob("*")) == before


def long_line(folder: Path, branch: str, begin: str, count: int) -> None:
    """So many commits on top of another, which change nothing."""
    stream = "".join(
        f"commit refs/heads/{branch}\ncommitter T <t@example.org> {1_700_100_000 + number} +0000\n"
        f"data 1\n.\n{f'from {begin}' if number == 0 else ''}\n"
        for number in range(count)
    )
    command = ["git", "fast-import", "--quiet", "--force"]
    subprocess.run(command, cwd=folder, input=stream.encode(), check=True)


def test_a_huge_history_of_the_target(story: Story, tmp_path: Path) -> None:
    """What was merged before the newest 5,000 commits is found where it still is."""
    _, tip = story.two()
    at = story.squash("b")
    long_line(story.folder, "main", at, 5_001)
    story.branch("main", git(story.folder, "rev-parse", "main"))
    fresh = Work(story.base, None, created_only=True)
    asked = (Work(tip, story.base), fresh)
    merged, unbegun = story.prove(tmp_path / "cache", *asked)
    assert evidence(merged) == ("merged", "merging adds nothing to main")
    assert unbegun.verdict.kind == "no-commits"
    assert (merged.ahead, merged.behind) == (2, 5_002)


def test_a_huge_history_of_the_branch_is_only_counted(story: Story, tmp_path: Path) -> None:
    long_line(story.folder, "b", story.base, 2_001)
    work = Work(git(story.folder, "rev-parse", "b"), story.base)
    [proof] = story.prove(tmp_path / "cache", work)
    assert evidence(proof) == ("unmerged", "2001 commits not in main, too many to look at")


def test_names_that_are_not_utf8(repository: Path, tmp_path: Path) -> None:
    git(repository, "checkout", "-q", "-b", "b")
    for name in (b"\xff\n\x01commit", b"commit x"):
        Path(os.fsdecode(os.fsencode(repository) + b"/" + name)).write_text("strange\n")
        git(repository, "add", ".")
        git(repository, "commit", "-q", "-m", "Strange")
    git(repository, "checkout", "-q", "main")
    git(repository, "merge", "-q", "--squash", "b")
    git(repository, "commit", "-q", "-m", "Squash")
    found = open_repository(repository)
    work = Work(found.resolve("b"))
    [proof] = Prover(found, found.targets(), tmp_path / "cache").prove([work])
    assert proof.verdict.evidence.endswith("(squash)")


def test_settings_and_attributes_of_the_person_do_not_count(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A union driver would keep main's line, a renormalising merge would drop carriage returns."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "attributes").write_text("* merge=union text=auto\n")
    (home / ".gitconfig").write_text(
        f"[core]\n\tattributesFile = {home}/attributes\n[merge]\n\trenormalize = true\n"
    )
    monkeypatch.setenv("HOME", str(home))
    (story.folder / ".git/info").mkdir(exist_ok=True)
    (story.folder / ".git/info/attributes").write_text("* merge=union\n")
    story.write("b", "g", "g\n" * 3)
    story.commit("b")
    story.write("main", "g", "G\n" * 5)
    story.commit("main")
    assert story.prove(tmp_path / "cache")[0].verdict.kind == "unmerged"


# The scratch repository and the cache


def test_nothing_is_left_of_a_killed_proof(story: Story, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from ctui.git.repository import Repository\n"
        "from ctui.worktrees.scratch import scratch_repository\n"
        "folder, cache = map(Path, sys.argv[1:])\n"
        "with scratch_repository(Repository(folder / '.git', folder), cache):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", code, str(story.folder), str(cache)]
    assert subprocess.run(command, check=False).returncode == -9
    assert len(list(cache.glob("scratch-*"))) == 1
    with scratch_repository(story.repository(), cache) as mine:
        assert list(cache.glob("scratch-*")) == [mine.path]
        with scratch_repository(story.repository(), cache) as another:
            assert mine.path.is_dir()
            assert stat.S_IMODE(another.path.stat().st_mode) == 0o700
    assert not list(cache.glob("scratch-*"))


def test_a_damaged_cache_is_as_good_as_none(story: Story, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    story.two()
    story.squash("b")
    expected = story.prove(cache)
    file = cache / "verdicts.db"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    whole = file.read_bytes()
    for damage in (b"", b"not a database at all" * 400, whole[: len(whole) // 2], whole[::-1]):
        file.write_bytes(damage)
        assert story.prove(cache) == expected
    # The last one was thrown away, and the file is of use again.
    shutil.rmtree(story.folder / ".git" / "objects")
    assert story.prove(cache) == expected


def test_the_cache_keeps_the_newest(tmp_path: Path) -> None:
    cache = VerdictCache(tmp_path, limit=3)
    proofs = {bytes([number]): Proof(Verdict("merged", str(number))) for number in range(5)}
    for key, proof in proofs.items():
        cache.keep({key: proof})
    assert cache.find(proofs) == {key: proofs[key] for key in list(proofs)[2:]}


def test_several_use_the_cache_at_once(tmp_path: Path) -> None:
    proofs = {number.to_bytes(2): Proof(Verdict("merged", str(number))) for number in range(200)}

    def keep(part: list[bytes]) -> None:
        for key in part:
            VerdictCache(tmp_path).keep({key: proofs[key]})

    keys = list(proofs)
    threads = [threading.Thread(target=keep, args=[keys[start::4]]) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert VerdictCache(tmp_path).find(keys) == proofs


def test_an_older_git_only_knows_fewer_renames(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real git, but it says that it is 2.31 and refuses what that one did not know."""
    tool = tmp_path / "bin" / "git"
    tool.parent.mkdir()
    tool.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && exec echo git version 2.31.0\n'
        'case "$*" in *merge-tree*) echo "$*" >> "$0.asked"; exit 129;; esac\n'
        f'exec {shutil.which("git")} "$@"\n'
    )
    tool.chmod(0o755)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from ctui.git.repository import Repository, Target\n"
        "from ctui.worktrees.model import Work\n"
        "from ctui.worktrees.prover import Prover\n"
        "folder, cache, main, tip = sys.argv[1:]\n"
        "prover = Prover(Repository(Path(folder), None), [Target('main', main)], Path(cache))\n"
        "print(prover.prove([Work(tip)])[0].verdict.kind)\n"
    )
    story.rename("b", "f", "f2")
    story.edited("b", 3, "B", "f2")
    story.moved()
    story.rename("main", "f", "f2")
    story.edited("main", 3, "B", "f2")
    arguments = [str(story.folder / ".git"), str(tmp_path / "c"), story.heads["main"]]
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    command = [sys.executable, "-c", code, *arguments, story.heads["b"]]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.strip() == "unmerged"
    assert not tool.with_name("git.asked").exists()
    assert story.prove(tmp_path / "cache")[0].verdict.kind == "merged"


def test_a_repository_by_its_path_alone_is_enough(story: Story, tmp_path: Path) -> None:
    story.two()
    story.squash("b")
    bare = Repository(story.folder / ".git", None)
    target = Target("refs/heads/main", story.heads["main"])
    [proof] = Prover(bare, [target], tmp_path / "cache").prove([Work(story.heads["b"])])
    assert proof == story.prove(tmp_path / "cache")[0]
