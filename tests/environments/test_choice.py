"""Which definition counts, and what its id and the consent to it are bound to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctui.environments.definition.choice import devcontainer_names, find
from ctui.environments.definition.commit_files import CommitFile, CommitFiles
from ctui.environments.plan import Plan, inputs_of, make_plan
from ctui.errors import CtuiError, InvalidInput, NotFound, Refused
from ctui.git.repository.repository import open_repository
from tests.conftest import git

DEVCONTAINER = json.dumps({"image": "of-devcontainer"})
TABLE = '[environment]\nimage = "of-table"\n'


def commit(repository: Path, **files: str) -> None:
    for name, text in files.items():
        path = repository / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Change")


def put(repository: Path, files: dict[str, str]) -> None:
    commit(repository, **{name.replace("/", "__"): text for name, text in files.items()})


def image(repository: Path, **wish: str) -> str:
    found = find(CommitFiles(open_repository(repository), "HEAD"), **wish)  # type: ignore[arg-type]
    return found.definition.image


def plan(repository: Path) -> Plan:
    made = make_plan(open_repository(repository), "HEAD")
    assert made is not None
    return made


def test_the_order_in_which_definitions_count(repository: Path, tmp_path: Path) -> None:
    """The option, the person's settings, devcontainer.json, [environment], the default."""
    assert make_plan(open_repository(repository), "HEAD") is None
    put(repository, {".ctui.toml": TABLE})
    assert image(repository) == "of-table"
    put(repository, {".devcontainer.json": json.dumps({"image": "hidden"})})
    assert image(repository) == "hidden"
    put(repository, {".devcontainer/devcontainer.json": DEVCONTAINER})
    assert image(repository) == "of-devcontainer"
    settings = tmp_path / "environments.toml"
    settings.write_text(f'["{repository}"]\nimage = "of-settings"\n["/other"]\nimage = "x"\n')
    found = find(CommitFiles(open_repository(repository), "HEAD"), settings=settings)
    assert (found.definition.image, found.definition.source) == ("of-settings", "settings")
    assert image(repository, image="of-option") == "of-option"


def test_what_lies_around_does_not_count(repository: Path) -> None:
    """It is read from the commit that a task starts from, and not from files."""
    (repository / ".ctui.toml").write_text(TABLE)
    assert make_plan(open_repository(repository), "HEAD") is None
    put(repository, {".ctui.toml": TABLE})
    (repository / ".ctui.toml").write_text('[environment]\nimage = "changed"\n')
    assert image(repository) == "of-table"


def test_of_several_devcontainers_one_is_chosen(repository: Path) -> None:
    put(repository, {".devcontainer/one/devcontainer.json": DEVCONTAINER})
    assert image(repository) == "of-devcontainer"
    put(repository, {".devcontainer/two/devcontainer.json": json.dumps({"image": "second"})})
    with pytest.raises(InvalidInput, match="several devcontainers: one, two"):
        image(repository)
    assert image(repository, devcontainer="two") == "second"
    with pytest.raises(NotFound, match="three"):
        image(repository, devcontainer="three")
    files = CommitFiles(open_repository(repository), "HEAD")
    assert devcontainer_names(files) == ["one", "two"]


def test_no_link_is_followed(repository: Path) -> None:
    (repository / "real").mkdir()
    (repository / "real" / "devcontainer.json").write_text(DEVCONTAINER)
    (repository / ".devcontainer").symlink_to("real")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Link")
    assert make_plan(open_repository(repository), "HEAD") is None
    (repository / ".devcontainer.json").symlink_to("/etc/passwd")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "Link")
    with pytest.raises(InvalidInput, match="is a link"):
        image(repository)


@pytest.mark.parametrize(
    "text",
    [
        "[environment]\nsetpu = 'x'\n",
        "environment = 3\n",
        "[environment]\nsetup = 3\n",
        "[environment]\nsetup = ['']\n",
        "[environment]\nsetup_root = true\n",
        "[environment]\ndockerfile = '../x'\n",
        "[environment]\ncarry = ['..']\n",
        "[environment]\ncarry = ['.']\n",
        "[environment]\ninputs = ['/etc/passwd']\n",
        "[environment]\nenv = { A = [1] }\n",
        '[environment]\nenv = { A = "one\\nRUN evil" }\n',
        "[environment]\nimage = 'a'\ndockerfile = 'b'\n",
        "[environment\n",
        f"[environment]\ninputs = {['*.lock'] * 101}\n",
        "[environment]\ndockerfile = 'none'\n",
    ],
)
def test_a_wrong_table_is_one_line_and_never_the_default_image(repository: Path, text: str) -> None:
    put(repository, {".ctui.toml": text})
    with pytest.raises(CtuiError) as caught:
        make_plan(open_repository(repository), "HEAD")
    assert caught.value.one_line().isprintable()


def test_a_file_that_is_too_large_is_refused(repository: Path) -> None:
    put(repository, {".devcontainer.json": " " * (1 << 19)})
    with pytest.raises(Refused, match="larger than"):
        image(repository)


BUILT = {
    ".ctui.toml": '[environment]\ndockerfile = "docker/Dockerfile"\ncontext = "docker"\n'
    'setup = ["sh scripts/setup.sh", "pip install -r requirements.txt"]\n',
    "docker/Dockerfile": "FROM debian\nCOPY tool.sh /\nCOPY --from=other /x /y\n",
    "docker/tool.sh": "1",
    "docker/other": "1",
    "scripts/setup.sh": "1",
    "requirements.txt": "six\n",
    "README": "1",
}


@pytest.mark.parametrize(
    ("name", "other_id", "other_consent"),
    [
        (".ctui.toml", True, True),
        ("docker/Dockerfile", True, True),
        ("docker/tool.sh", True, True),
        ("scripts/setup.sh", True, True),
        ("requirements.txt", True, False),
        ("docker/other", False, False),
        ("README", False, False),
    ],
)
def test_what_another_environment_is_and_what_needs_consent_again(
    repository: Path, name: str, *, other_id: bool, other_consent: bool
) -> None:
    """Consent is bound to the content, and never inherited by a changed one."""
    put(repository, BUILT)
    before = plan(repository)
    assert plan(repository)[2:5] == before[2:5]
    put(
        repository,
        {
            name: BUILT[name] + "\n# changed\n"
            if "toml" not in name
            else BUILT[name].replace("scripts", "./scripts")
        },
    )
    after = plan(repository)
    assert (after.id != before.id, after.consent != before.consent) == (other_id, other_consent)


def test_a_copy_of_a_hidden_file_is_bound_to_it_alone(repository: Path) -> None:
    put(repository, {**BUILT, "docker/Dockerfile": "FROM debian\nCOPY .env.test /\n"})
    put(repository, {"docker/.env.test": "1"})
    assert plan(repository).covers == ("docker/.env.test", "docker/Dockerfile", "scripts/setup.sh")


def test_a_copy_of_everything_is_bound_to_everything(repository: Path) -> None:
    put(repository, {**BUILT, "docker/Dockerfile": "FROM debian\nCOPY . /app\n"})
    before = plan(repository)
    put(repository, {"docker/other": "2"})
    assert plan(repository).consent != before.consent


@pytest.mark.parametrize(
    ("definition", "changed"),
    [
        ('setup = "sh /workspace/scripts/run.sh"', "scripts/run.sh"),
        ('setup = "cd scripts && ./run.sh"', "scripts/run.sh"),
        ('setup = "cd /workspace/folder && .//run.sh"', "scripts/run.sh"),
        ("setup = \"bash -c 'sh scripts/run.sh; true'\"", "scripts/run.sh"),
        ('setup = "sh link"', "scripts/run.sh"),
        ('setup = "sh folder/run.sh"', "scripts/run.sh"),
        ('setup = "sh folder/../scripts/run.sh"', "scripts/run.sh"),
        ('setup = "sh absolute"', "scripts/run.sh"),
        ('dockerfile = "requirements.txt"', "requirements.txt"),
        ('dockerfile = "copies/link"', "scripts/run.sh"),
        ('dockerfile = "copies/folder"', "scripts/run.sh"),
        ('dockerfile = "copies/quoted"', "scripts/run.sh"),
        ('dockerfile = "copies/above"', "scripts/run.sh"),
        ('dockerfile = "copies/manifest"', "copies/Gemfile/run.sh"),
    ],
)
def test_consent_covers_what_is_run_however_it_is_named(
    repository: Path, definition: str, changed: str
) -> None:
    (repository / "link").symlink_to("scripts/run.sh")
    (repository / "folder").symlink_to("scripts")
    (repository / "absolute").symlink_to("/workspace/link")
    put(
        repository,
        {
            ".ctui.toml": f"[environment]\n{definition}\n",
            "scripts/run.sh": "1",
            "requirements.txt": "FROM debian\n",
            "copies/link": "FROM debian\nCOPY link /\n",
            "copies/folder": "FROM debian\nCOPY folder/run.sh /\n",
            "copies/quoted": 'FROM debian\nCOPY scripts/"run.sh" /\n',
            "copies/above": "FROM debian\nCOPY ../scripts/run.sh /\n",
            "copies/manifest": "FROM debian\nCOPY copies/Gemfile /\n",
            "copies/Gemfile/run.sh": "1",
        },
    )
    before = plan(repository)
    put(repository, {"unrelated": "1"})
    if "link" not in definition and "folder" not in definition:
        assert plan(repository).consent == before.consent
    put(repository, {changed: "FROM debian\nRUN other\n"})
    assert plan(repository).consent != before.consent


@pytest.mark.parametrize("to", ["loop", "../out", "/etc/passwd", "/workspace", "a" * 5000, ""])
def test_a_link_that_leads_nowhere_names_nothing(repository: Path, to: str) -> None:
    put(repository, {".ctui.toml": '[environment]\nsetup = "sh loop"\n', "held": to})
    blob = git(repository, "rev-parse", "HEAD:held").strip()
    git(repository, "update-index", "--add", "--cacheinfo", f"120000,{blob},loop")
    git(repository, "commit", "-q", "-m", "Link")
    assert plan(repository).covers == ("loop",)


def test_another_clone_is_another_environment(repository: Path, tmp_path: Path) -> None:
    put(repository, BUILT)
    git(tmp_path, "clone", "-q", str(repository), "clone")
    assert plan(tmp_path / "clone").id != plan(repository).id
    assert plan(tmp_path / "clone").consent == plan(repository).consent


@pytest.mark.parametrize(
    "line",
    [
        "ADD http://169.254.169.254/latest /x",
        "add --chown=1 https://example.org/x /x",
        "ADD git@github.com:a/b.git /x",
        'ADD ["http://localhost/x", "/x"]',
        "ADD ${URL} /x",
        "ADD \\\n  http://x/y /z",
        "ONBUILD ADD http://x/y /z",
        "ADD \\\n\n  http://x/y /z",
        "ADD \\\n  # a comment\n  http://x/y /z",
        "ADD http:\\\n//x/y /z",
        "AD\\\nD http://x/y /z",
        "ADD\vhttp://x/y /z",
        'ADD http:"//"x/y /z',
        "ADD http:\\//x/y /z",
        "ADD http://x/y --from=y /z",
        "RUN echo \\\\\nADD http://x/y /z",
        "RUN echo \\\v\nADD http://x/y /z",
    ],
)
def test_the_engine_fetches_nothing_for_a_dockerfile(repository: Path, line: str) -> None:
    """Builds are as sealed as tasks: an ADD of an address comes from where the host is."""
    put(repository, {**BUILT, "docker/Dockerfile": f"FROM debian\n{line}\n"})
    with pytest.raises(Refused, match="fetched outside"):
        plan(repository)


def test_a_dockerfile_s_sign_of_escape_is_that_of_the_engine(repository: Path) -> None:
    """A mark at the file's beginning does not hide it, and behind a comment it is a comment."""
    for text in (
        "\ufeff# escape=`\nFROM debian\nRUN echo \\\nADD http://x/y /z\n",
        "# no directive\n# escape=`\nFROM debian\nRUN true #`\nADD http://x/y /z\n",
    ):
        put(repository, {**BUILT, "docker/Dockerfile": text})
        with pytest.raises(Refused, match="fetched outside"):
            plan(repository)
    put(repository, {**BUILT, "docker/Dockerfile": "FROM debian\nRUN a \\\n ADD http://x/y /z\n"})
    assert plan(repository)


def test_many_patterns_are_one_walk(repository: Path) -> None:
    """A hostile list of inputs takes the time of one pattern; each still counts."""
    patterns = [*(f"*{number}.lock" for number in range(98)), "a/?.sum", "plain"]
    put(
        repository,
        {
            ".ctui.toml": f"[environment]\nsetup = 'true'\ninputs = {json.dumps(patterns)}\n",
            **{f"d{number % 20}/x{number}": "" for number in range(400)},
            **dict.fromkeys(("b/97.lock", "a/b.sum", "a/bc.sum", "plain", "x.lock"), "1"),
        },
    )
    walks: list[str] = []

    class Counted(CommitFiles):
        def below(self, path: str) -> Iterator[CommitFile]:
            walks.append(path)
            return super().below(path)

    opened = open_repository(repository)
    found = find(CommitFiles(opened, "HEAD"))
    assert sorted(dict(inputs_of(Counted(opened, "HEAD"), found))) == [
        "a/b.sum",
        "b/97.lock",
        "plain",
    ]
    assert walks == [""]
