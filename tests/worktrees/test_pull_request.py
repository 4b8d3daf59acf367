"""Pull requests.

`gh` is a program of GitHub's that needs an account and the network, so a script stands in for it
on the path: a real process, which records how it was called and answers as gh does.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from ctui.errors import ExternalFailure, InvalidInput, Refused, Unavailable
from ctui.worktrees.landing.pull_request import (
    HostedRepository,
    MergedPullRequest,
    hosted_repository,
    merged_pull_request,
    open_pull_request,
)
from tests.conftest import git
from tests.worktrees.landing import Place, make_place

PAGE = "https://github.com/owner/name/pull/7"


class Gh:
    """The script, and what it saw."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answer()

    def answer(self, stdout: str = f"{PAGE}\n", stderr: str = "", exit_code: int = 0) -> None:
        for name, text in (("answer", stdout), ("complaint", stderr)):
            (self.folder / name).write_text(text)
        script = self.folder / "gh"
        script.write_text(
            "#!/bin/sh\n"
            f"cd_was=$PWD; cd {self.folder}\n"
            'printf "%s\\0" "$@" > arguments; echo "$cd_was" > folder; env > environment\n'
            f"cat > body; cat answer; cat complaint >&2; exit {exit_code}\n"
        )
        script.chmod(0o755)

    @property
    def arguments(self) -> list[str]:
        return (self.folder / "arguments").read_text().split("\0")[:-1]

    def saw(self, name: str) -> str:
        return (self.folder / name).read_text()


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gh:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return Gh(folder)


@pytest.fixture
async def place(repository: Path, tmp_path: Path) -> Place:
    place = await make_place(repository, tmp_path)
    git(place.main, "remote", "add", "origin", "https://me:secret@github.com/owner/name.git")
    return place


def as_pushed(place: Place) -> str:
    tip = place.work("a", "a")
    git(place.main, "update-ref", "refs/remotes/origin/ctui/work", tip)
    return tip


async def test_it_is_opened_without_a_shell_a_question_or_a_repository(
    place: Place, gh: Gh, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_pushed(place)
    monkeypatch.setenv("GIT_DIR", str(place.repository.common_dir))
    title, body = '-x "quoted" $(touch /tmp/x)', "First line\n`code` $HOME\n"
    page = await open_pull_request(
        place.repository, "ctui/work", base="main", title=title, body=body
    )
    assert page == PAGE
    assert gh.arguments == [
        "pr",
        "create",
        "--repo=owner/name",
        "--head=ctui/work",
        "--base=main",
        f"--title={title}",
        "--body-file=-",
    ]
    assert gh.saw("body") == body
    assert gh.saw("folder") == "/\n"
    environment = dict(line.partition("=")[::2] for line in gh.saw("environment").splitlines())
    assert "GIT_DIR" not in environment
    assert environment["GH_PROMPT_DISABLED"] == "1"


async def test_only_what_is_at_the_remote_can_be_asked_for(place: Place, gh: Gh) -> None:
    place.work("a", "a")
    with pytest.raises(Refused, match="not at origin") as refused:
        await open_pull_request(place.repository, "ctui/work", base="main", title="A")
    assert refused.value.hint == "push it first"
    git(place.main, "update-ref", "refs/remotes/origin/ctui/work", "ctui/work")
    place.work("b", "b")
    with pytest.raises(Refused):
        await open_pull_request(place.repository, "ctui/work", base="main", title="A")
    with pytest.raises(InvalidInput):
        await open_pull_request(place.repository, "ctui/work", base="main", title=" ")
    assert not (gh.folder / "arguments").exists()


async def test_without_gh_there_is_an_address_to_open(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    as_pushed(place)
    (tmp_path / "only-git").mkdir()
    (tmp_path / "only-git" / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(tmp_path / "only-git"))
    with pytest.raises(Unavailable, match="gh is not installed") as missing:
        await open_pull_request(place.repository, "ctui/work", base="main", title="A")
    assert missing.value.hint == (
        "open https://github.com/owner/name/compare/main...ctui/work?expand=1"
    )
    assert await merged_pull_request(place.repository, "1" * 40) is None


async def test_what_gh_complains_of_is_one_clean_line(place: Place, gh: Gh) -> None:
    as_pushed(place)
    gh.answer("", "pull request \033[31mcreate failed: https://me:tok@github.com\nmore", 1)
    with pytest.raises(ExternalFailure) as failed:
        await open_pull_request(place.repository, "ctui/work", base="main", title="A")
    assert failed.value.message == "gh failed: pull request create failed: https://github.com more"
    gh.answer("", "To get started with GitHub CLI, please run: gh auth login", 4)
    with pytest.raises(Refused, match="not logged in"):
        await open_pull_request(place.repository, "ctui/work", base="main", title="A")
    gh.answer("opened something\n")
    with pytest.raises(ExternalFailure, match="did not say where"):
        await open_pull_request(place.repository, "ctui/work", base="main", title="A")


async def test_only_a_pull_request_of_exactly_this_head_is_a_hint(place: Place, gh: Gh) -> None:
    tip = as_pushed(place)
    found = [
        {"number": 6, "headRefOid": "2" * 40, "url": "https://github.com/owner/name/pull/6"},
        {"number": 7, "headRefOid": tip, "url": PAGE},
    ]
    gh.answer(msgspec.json.encode(found).decode())
    assert await merged_pull_request(place.repository, tip) == MergedPullRequest(7, PAGE)
    assert gh.arguments == [
        "pr",
        "list",
        "--repo=owner/name",
        f"--search={tip}",
        "--state=merged",
        "--json=number,headRefOid,url",
    ]
    assert await merged_pull_request(place.repository, "3" * 40) is None


@pytest.mark.parametrize(("stdout", "exit_code"), [("[]", 0), ("", 1), ("{", 0), ('[{"a":1}]', 0)])
async def test_a_gh_that_fails_is_no_hint(
    place: Place, gh: Gh, stdout: str, exit_code: int
) -> None:
    gh.answer(stdout, "", exit_code)
    assert await merged_pull_request(place.repository, "1" * 40) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("git@github.com:owner/name.git", HostedRepository("github.com", "owner", "name")),
        ("https://github.com/owner/name", HostedRepository("github.com", "owner", "name")),
        (
            "https://a:b@github.com/owner/na.me.git/",
            HostedRepository("github.com", "owner", "na.me"),
        ),
        ("ssh://git@ghe.corp.example:22/o/n.git", HostedRepository("ghe.corp.example", "o", "n")),
        ("/srv/git/name.git", None),
        ("../name", None),
        ("file:///srv/owner/name", None),
        ("https://github.com/owner", None),
        ("https://github.com/owner/name/more", None),
    ],
)
def test_addresses(url: str, expected: HostedRepository | None) -> None:
    assert hosted_repository(url) == expected
    if expected is not None and expected.host != "github.com":
        assert expected.selector == "ghe.corp.example/o/n"
