"""A ref of a task that cannot be imported holds back only itself."""

from __future__ import annotations

import os
import subprocess

import pytest

from ctui.git.exchange import ref_by_ref
from tests.git.conftest import BRANCH, Place


def _write(place: Place, kind: str, data: bytes) -> str:
    """Write an object into the task's directory, also one that git would not make."""
    done = subprocess.run(
        ["git", "hash-object", "-t", kind, "-w", "--stdin", "--literally"],
        input=data,
        env={**os.environ, "GIT_DIR": str(place.git_dir)},
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()


def _forbidden(place: Place, name: str = ".GIT", mode: str = "100644") -> str:
    """Return a commit whose tree has an entry that git forbids."""
    blob = _write(place, "blob", b"x")
    tree = _write(place, "tree", f"{mode} {name}\0".encode() + bytes.fromhex(blob))
    return place.in_task("commit-tree", tree, "-p", "HEAD", "-m", "Bad")


def _set(place: Place, name: str, commit: str) -> None:
    path = place.git_dir / "refs" / "heads" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{commit}\n")


def _tips(place: Place) -> dict[str, str]:
    listed = place.host("for-each-ref", "--format=%(refname) %(objectname)", "refs/ctui/t1/")
    return dict(line.split() for line in listed.splitlines())


async def test_a_forbidden_tree_entry_holds_back_its_ref_alone_and_is_named(place: Place) -> None:
    """G20: all of a task's work was held back by one ref, and no culprit was named."""
    tip = place.commit("good")
    place.in_task("branch", "side")
    bad = _forbidden(place)
    _set(place, "evil", bad)

    result = await place.bring()

    assert (result.branch, place.host("rev-parse", BRANCH)) == ("advanced", tip)
    assert _tips(place) == {
        "refs/ctui/t1/heads/ctui/work": tip,
        "refs/ctui/t1/heads/side": tip,
    }
    assert {ref.name for ref in result.refs} == set(_tips(place))
    assert result.problem == (
        "1 ref of the task is not imported: heads/evil (git forbids the object "
        f"{place.in_task('rev-parse', f'{bad}^{{tree}}')[:9]}: contains '.git')"
    )


async def test_a_missing_object_holds_back_its_ref_alone_and_is_named(place: Place) -> None:
    """G20: a ref whose commit is there and whose file is not."""
    tip = place.commit("good")
    place.in_task("checkout", "-q", "-b", "torn")
    place.commit("lost")
    lost = place.in_task("rev-parse", "HEAD:lost")
    (place.git_dir / "objects" / lost[:2] / lost[2:]).unlink()

    result = await place.bring()

    assert result.branch == "advanced"
    assert _tips(place) == {"refs/ctui/t1/heads/ctui/work": tip}
    assert "heads/torn" in result.problem
    assert f"{lost[:9]} is missing" in result.problem


async def test_the_tasks_own_branch_can_be_the_one_that_is_held_back(place: Place) -> None:
    """G20: then the branch stays where it is, and the others come home."""
    before = place.host("rev-parse", BRANCH)
    place.in_task("branch", "side")
    place.in_task("checkout", "-q", "side")
    tip = place.commit("good")
    _set(place, "ctui/work", _forbidden(place, ".gitmodules", "120000"))

    result = await place.bring()

    assert result.branch == "unchanged"
    assert place.host("rev-parse", BRANCH) == before
    assert _tips(place) == {"refs/ctui/t1/heads/side": tip}
    assert "heads/ctui/work (git forbids the object" in result.problem
    assert ".gitmodules is a symbolic link" in result.problem


async def test_a_ref_that_was_mended_comes_home_with_the_next_import(place: Place) -> None:
    _set(place, "side", _forbidden(place))
    assert (await place.bring()).problem
    tip = place.commit("good")
    _set(place, "side", tip)
    result = await place.bring()
    assert result.problem == ""
    assert _tips(place)["refs/ctui/t1/heads/side"] == tip


async def test_many_good_refs_come_home_beside_several_bad_ones(place: Place) -> None:
    """G20: refs that are bad for different reasons, in the middle of others."""
    tip = place.commit("good")
    good = [f"n{number:03}" for number in range(60)]
    for name in good:
        _set(place, name, tip)
    _set(place, "n010x", _forbidden(place))
    _set(place, "n040x", _forbidden(place, ".."))
    _set(place, "n050x", "9" * 40)

    result = await place.bring()

    assert set(_tips(place)) == {
        "refs/ctui/t1/heads/ctui/work",
        *(f"refs/ctui/t1/heads/{name}" for name in good),
    }
    assert result.problem.startswith("3 refs of the task are not imported: heads/n010x (git")
    assert "heads/n040x (git forbids the object" in result.problem
    assert "heads/n050x (its commit is not there)" in result.problem


async def test_two_names_that_no_repository_can_have_at_once(place: Place) -> None:
    """G20: a name that stands in another's way, which a task writes by hand."""
    tip = place.commit("good")
    with (place.git_dir / "packed-refs").open("a") as file:
        file.write(f"{tip} refs/heads/x\n{tip} refs/heads/x/y\n")
    result = await place.bring()
    assert result.branch == "advanced"
    assert len({"refs/ctui/t1/heads/x", "refs/ctui/t1/heads/x/y"} & set(_tips(place))) == 1
    assert result.problem.startswith("1 ref of the task is not imported: heads/x")


async def test_a_task_with_nothing_but_bad_refs_costs_a_bounded_number_of_tries(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ref_by_ref, "_TRIES", 4)
    tip = place.commit("good")
    bad = _forbidden(place)
    for number in range(12):
        _set(place, f"evil{number:02}", bad)
    result = await place.bring()
    assert (result.branch, place.host("rev-parse", BRANCH)) == ("advanced", tip)
    assert result.problem.startswith("12 refs of the task are not imported: ")
    assert "; and 7 more" in result.problem
