"""`ctui config`: what is right is taken, what is wrong is named, and nothing is lost."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from ctui.cli.shapes import ImportedConfig, ShownConfig, ValidatedConfig
from ctui.config.template import template
from ctui.paths import Paths
from ctui.tasks.asks.kinds.permission import Grantable
from ctui.tasks.store import Store
from tests.cli.commands import ctui, refused
from tests.cli.conftest import SEVENTH, leftovers
from tests.conftest import git


def test_config_path_is_printed(tmp_path: Path, paths: Paths) -> None:
    assert ctui(tmp_path, "--config-path").stdout == f"{paths.config_file}\n"


def test_init_writes_a_file_once(tmp_path: Path, paths: Paths) -> None:
    assert ctui(tmp_path, "config", "init").stdout == f"{paths.config_file}\n"
    assert paths.config_file.read_text() == template()
    assert paths.config_file.stat().st_mode & 0o777 == 0o600
    paths.config_file.write_text("# mine\n")
    line = refused(tmp_path, "config", "init")
    assert "is there already" in line
    assert "--force" in line
    assert paths.config_file.read_text() == "# mine\n"
    ctui(tmp_path, "config", "init", "--force")
    assert paths.config_file.read_text() == template()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, paths: Paths) -> None:
    (tmp_path / "file").write_text("")
    assert "is not a folder of yours" in refused(
        tmp_path, "config", "init", CTUI_CONFIG_DIR=str(tmp_path / "file")
    )
    # Not even root can make a folder there.
    assert "cannot be used" in refused(tmp_path, "config", "init", CTUI_CONFIG_DIR="/proc/ctui")
    if os.geteuid() != 0:
        paths.config.mkdir(parents=True, mode=0o500)
        assert "cannot be written" in refused(tmp_path, "config", "init")
        paths.config.chmod(0o700)


def test_validate_names_line_7(tmp_path: Path, file: Path) -> None:
    file.write_text(SEVENTH)
    line = refused(tmp_path, "config", "validate")
    assert f"{file}:7: sandbox.pids: Expected `int`, got `str`" in line
    found = msgspec.json.decode(
        ctui(tmp_path, "config", "validate", "--json", code=1).stdout, type=ValidatedConfig
    )
    assert not found.ok
    assert [(one.line, one.key) for one in found.problems] == [(7, "sandbox.pids")]
    # The same one stops every other command.
    assert f"{file}:7: sandbox.pids" in refused(tmp_path, "config", "show")


def test_validate_suggests_the_nearest_key_and_names_all_problems(tmp_path: Path) -> None:
    (tmp_path / "new.toml").write_text("[claude]\nmodle = ''\n[worktree]\nprefix = 'x/'\n")
    said = ctui(tmp_path, "config", "validate", "new.toml", code=1).stderr.splitlines()
    assert said == [
        "ctui: new.toml:2: claude.modle: there is no such key (did you mean claude.model?)",
        "ctui: new.toml:3: worktree: there is no such section (did you mean worktrees?)",
    ]
    assert ctui(tmp_path, "config", "validate").stdout.endswith("the defaults count\n")
    assert "there is no file" in refused(tmp_path, "config", "validate", "nowhere.toml")


def test_validate_names_an_address_that_no_task_can_reach(tmp_path: Path, file: Path) -> None:
    unsealed = "[network]\ngateway = false\n"
    local = '[claude]\nbase_url = "http://localhost:1"\n'
    file.write_text(f'{local}[sandbox]\npids = "many"\n{unsealed}')
    said = ctui(tmp_path, "config", "validate", code=1).stderr.splitlines()
    assert said[0].startswith(f"ctui: {file}:2: claude.base_url: is http://localhost:1: ")
    assert "the container itself and nothing answers" in said[0]
    assert f"{file}:4: sandbox.pids" in said[1]
    for other in ('base_url = "localhost"', "base_url = 1", "[claude]"):
        file.write_text(f"[claude]\n{other}\n{unsealed}")
        assert f"{file}:2" in refused(tmp_path, "config", "validate")
    file.write_text(local)  # the gateway asks it from here
    ctui(tmp_path, "config", "validate")
    file.write_text("claude = 1\n")
    assert f"{file}:1" in refused(tmp_path, "config", "validate")


def test_validate_names_hosts_that_are_none(tmp_path: Path, file: Path) -> None:
    file.write_text(
        '[network]\nmode = "open"\nallow = ["docs.example.org", "https://a.example.org"]\n'
        'deny = ["*"]\nprivate = ["registry.lan"]\n'
        '[[gateway.credentials]]\nhost = "*.example.org"\nheader = "X-Key"\nsecret = "A"\n'
        '[[gateway.ssh]]\nhost = "git@git.example.org"\nkey = "~/k"\n'
    )
    said = ctui(tmp_path, "config", "validate", code=1).stderr.splitlines()
    assert [line.removeprefix(f"ctui: {file}:").split(": ")[:3] for line in said] == [
        ["3", "network.allow", "https://a.example.org"],
        ["4", "network.deny", "*"],
        ["5", "network.private", "registry.lan"],
        ["6", "gateway.credentials", "*.example.org"],
        ["10", "gateway.ssh", "git@git.example.org"],
    ]
    file.write_text('[network]\nallow = [1]\ndeny = ["a b"]\n')
    said = ctui(tmp_path, "config", "validate", code=1).stderr.splitlines()
    assert [line.split(": ")[1:3] for line in said] == [
        [f"{file}:2", "network.allow"],
        [f"{file}:3", "network.deny"],
    ]


def test_validate_names_variables_that_mean_nothing(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("[sandbox]\n")
    monkeypatch.setenv("CTUI_NONSENSE", "x")
    monkeypatch.setenv("CTUI_SANDBX_MEMORY", "1g")
    monkeypatch.setenv("CTUI_SANDBOX_MEMORY", "2g")
    done = ctui(tmp_path, "config", "validate", code=1)
    said = "ctui: the environment: {}: there is no such variable ({})"
    assert done.stderr.splitlines() == [
        said.format("CTUI_NONSENSE", "unset it"),
        said.format("CTUI_SANDBX_MEMORY", "did you mean CTUI_SANDBOX_MEMORY?"),
    ]
    assert done.stdout == f"{file}: ok\n"
    text = ctui(tmp_path, "config", "validate", "--json", code=1).stdout
    found = msgspec.json.decode(text, type=ValidatedConfig)
    wrong = ["CTUI_NONSENSE", "CTUI_SANDBX_MEMORY"]
    assert (found.ok, [one.key for one in found.problems]) == (False, wrong)
    # They say nothing of another file, and stop no other command.
    ctui(tmp_path, "config", "validate", str(file))
    ctui(tmp_path, "config", "show")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: file.write_text("[claude\n"), ":1: is not TOML"),
        (lambda file: file.write_bytes(b"# ok\n\xff\n"), ":2: is not TOML: it is not UTF-8"),
        (os.mkfifo, "it is no regular file"),
        (lambda file: file.mkdir(), "it is no regular file"),
        (lambda file: file.symlink_to(file.name), "symbolic links"),
        (lambda file: file.symlink_to("/dev/zero"), "it is no regular file"),
        (lambda file: os.truncate(os.open(file, os.O_CREAT | os.O_WRONLY), 1 << 30), "larger than"),
    ],
    ids=["syntax", "encoding", "fifo", "folder", "loop", "device", "1 GB"],
)
def test_a_file_that_cannot_be_used_is_one_line(
    tmp_path: Path, file: Path, make: object, said: str
) -> None:
    assert callable(make)
    make(file)
    before = leftovers(file)
    # What can be read can be edited too, and so be mended.
    for command in ("show", "edit") if said != ":1: is not TOML" else ("show",):
        assert said in refused(tmp_path, "config", command, EDITOR="true")
    (tmp_path / "old.json").write_text('{"paths": {"branchPrefix": "x/"}}')
    assert said in refused(tmp_path, "config", "import", "old.json")
    assert said in refused(tmp_path, "config", "validate", str(file))
    assert leftovers(file) == before


def test_show_says_where_each_value_comes_from(repository: Path, file: Path) -> None:
    file.write_text('\n[sandbox]\nmemory = "8g"\n[claude]\nmodel = "user"\n[keys]\nquit = "f9"\n')
    (repository / ".ctui.toml").write_text('[claude]\nmodel = "repository"\n')
    text = ctui(
        repository,
        *("config", "show", "--json"),
        CTUI_SANDBOX_PIDS="99",
        ANTHROPIC_BASE_URL="https://example.org",
    ).stdout
    shown = msgspec.json.decode(text, type=ShownConfig)
    found = {one.key: (one.value, one.origin, one.where, one.line) for one in shown.settings}
    assert shown.file == str(file)
    assert found["sandbox.memory"] == ("8g", "user file", str(file), 3)
    assert found["claude.model"][:2] == ("repository", "repository file")
    assert found["sandbox.pids"] == (99, "environment", "CTUI_SANDBOX_PIDS", None)
    assert found["claude.base_url"][2] == "ANTHROPIC_BASE_URL"
    assert found["tasks.max_running"] == (16, "default", "", None)
    assert found["keys.quit"][0] == "f9"
    table = ctui(repository, "config", "show").stdout
    [row] = [line for line in table.splitlines() if line.startswith("sandbox.memory")]
    assert row.split(maxsplit=2)[1:] == ['"8g"', f"user file ({file}:3)"]


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    line = refused(tmp_path, "config", "show", CTUI_SANDBOX_PIDS="many")
    assert "the environment variable CTUI_SANDBOX_PIDS: sandbox.pids" in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sandbox]\nnetwork = 'host'\n", "a repository may only set"),
        ("[worktrees]\nopen = 'sh -c evil'\n", "a repository may only set"),
        ("[claude]\nbase_url = 'https://evil.example'\n", "a repository may only set"),
        ("[image]\ndockerfile = '/etc/passwd'\n", "a repository may only set"),
        ("[claude]\nmodel = 'a\\nb --dangerously'\n", "is no model's name"),
        ("[worktrees]\nprefix = 'refs/heads/'\n", "cannot begin a branch's name"),
        ("[claude\n", "is not TOML"),
        ("#" * 5000, "larger than 4 KB"),
        ("claude.model = " + "[" * 2000, "is not TOML"),
    ],
)
def test_a_hostile_repository_is_refused_with_one_line(
    repository: Path, text: str, said: str
) -> None:
    (repository / ".ctui.toml").write_text(text)
    assert said in refused(repository, "config", "show")
    assert said in refused(repository, "worktree", "create", "x")
    assert git(repository, "branch", "--list", "ctui/*") == ""


def test_a_repository_s_file_that_is_a_link_is_not_followed(repository: Path) -> None:
    (repository / "secret.toml").write_text('[claude]\nmodel = "read"\n')
    (repository / ".ctui.toml").symlink_to("secret.toml")
    assert "read" not in ctui(repository, "config", "show").stdout


def test_import_takes_what_means_something_and_copies_no_secret(tmp_path: Path, file: Path) -> None:
    old = {
        "paths": {"branchPrefix": "task/", "worktreeBaseDir": "~/w"},
        "worktree": {"defaultOpenCommand": "code"},
        "claudeCredentials": {"token": "sk-ant-oat01-hidden"},
    }
    (tmp_path / "old.json").write_text(json.dumps(old))
    would = ctui(tmp_path, "config", "import", "old.json", "--dry-run").stdout
    assert "would take paths.branchPrefix: worktrees.prefix" in would
    assert not file.exists()
    done = ctui(tmp_path, "config", "import", "old.json")
    assert "left claudeCredentials.token" in done.stderr
    assert "ctui setup" in done.stderr
    text = file.read_text()
    assert 'prefix = "task/"' in text
    assert "hidden" not in text + done.stdout + done.stderr
    assert "## what the branches of worktrees begin with" in text
    ctui(tmp_path, "config", "validate")


def test_import_does_not_replace_what_your_file_says(tmp_path: Path, file: Path) -> None:
    file.write_text("# mine\n[worktrees]\nprefix = 'mine/'  # short\n")
    (tmp_path / "old.json").write_text('{"paths": {"branchPrefix": "task/"}}')
    text = ctui(tmp_path, "config", "import", "old.json", "--json").stdout
    found = msgspec.json.decode(text, type=ImportedConfig)
    assert (found.taken, found.left[0].source) == ([], "paths.branchPrefix")
    assert "mine/" in file.read_text()
    ctui(tmp_path, "config", "import", "old.json", "--force")
    assert file.read_text() == '# mine\n[worktrees]\nprefix = "task/"\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"nonsense", "is no JSON"),
        (b"[1]", "has nothing of claude-task"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"[" * 200_000, "is no JSON"),
        (b'{"paths": {"branchPrefix": "' + b"x" * (1 << 19) + b'"}}', "larger than"),
    ],
)
def test_import_of_nonsense_is_one_line(
    tmp_path: Path, file: Path, content: bytes, said: str
) -> None:
    (tmp_path / "old.json").write_bytes(content)
    assert said in refused(tmp_path, "config", "import", "old.json")
    assert "there is no file" in refused(tmp_path, "config", "import", "nowhere.json")
    assert not file.exists()


def test_grants_are_listed_and_revoked(repository: Path, paths: Paths) -> None:
    paths.state.mkdir(parents=True, mode=0o700)
    store = Store(paths.database)
    here = str(repository / ".git")
    for number, place in enumerate((here, "/elsewhere/.git")):
        store.grants.add(place, Grantable("Bash", f"make {number}"), "task", 1)
    store.close()
    assert "Bash(make 0)" in ctui(repository, "config", "grants").stdout
    listed = json.loads(ctui(repository, "config", "grants", "--repo", ".", "--json").stdout)
    assert [one["content"] for one in listed] == ["make 0"]
    assert "there is no grant 77" in refused(repository, "config", "grants", "--revoke", "77")
    done = ctui(repository, "config", "grants", "--revoke", str(listed[0]["id"])).stdout
    assert done == "revoked 1: Bash(make 0)\n"
    ctui(repository, "config", "grants", "--revoke-all")
    none = ctui(repository, "config", "grants", "--revoke-all").stdout
    assert none == "nothing to revoke\n"
    assert ctui(repository, "config", "grants").stdout == ""
    refused(repository, "config", "grants", "--revoke", "x", code=2)
