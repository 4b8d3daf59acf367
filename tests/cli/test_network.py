"""`ctui network`: rules of hosts by command, and what counts of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctui.paths import Paths
from ctui.tasks.model import Task, TaskOptions
from ctui.tasks.store import Store
from tests.cli.commands import ctui, refused


def _task(paths: Paths, name: str, repository: str, network: str = "allow") -> None:
    paths.state.mkdir(parents=True, mode=0o700, exist_ok=True)
    store = Store(paths.database)
    store.tasks.add(
        Task(
            id=name,
            repository=repository,
            worktree="/w",
            metadata=None,
            branch="b",
            base=None,
            session="s",
            prompt="p",
            options=TaskOptions(network=network),  # type: ignore[arg-type]
        )
    )
    store.close()


def _verdict(folder: Path, host: str, *scope: str) -> str:
    code = 0
    try:
        done = ctui(folder, "network", "check", host, *scope, "--json")
    except AssertionError:
        code = 1
        done = ctui(folder, "network", "check", host, *scope, "--json", code=1)
    found = json.loads(done.stdout)["verdict"]
    assert (found == "allowed") is (code == 0)
    return str(found)


def test_a_rule_is_for_all_for_a_repository_or_for_a_task(paths: Paths, repository: Path) -> None:
    """A narrower scope has the wider ones' rules, and not the other way round."""
    git_dir = str(repository / ".git")
    _task(paths, "one", git_dir)
    _task(paths, "two", git_dir)
    ctui(repository, "network", "allow", "all.example")
    ctui(repository, "network", "allow", "repo.example", "--repo", ".")
    ctui(repository, "network", "allow", "task.example", "--task", "one")
    reached = {
        scope: [_verdict(repository, f"{name}.example", *scope) for name in ("all", "repo", "task")]
        for scope in ((), ("--repo", "."), ("--task", "two"), ("--task", "one"))
    }
    assert reached == {
        (): ["allowed", "asked", "asked"],
        ("--repo", "."): ["allowed", "allowed", "asked"],
        ("--task", "two"): ["allowed", "allowed", "asked"],
        ("--task", "one"): ["allowed", "allowed", "allowed"],
    }


def test_a_task_is_told_of_by_the_mode_that_it_was_started_with(
    paths: Paths, tmp_path: Path
) -> None:
    """Whatever the settings say now; of an unsealed one, also an older one, nothing is known."""
    for name in ("open", "closed", "unsealed", ""):
        _task(paths, name or "older", "/r/.git", name)
    ctui(tmp_path, "network", "allow", "a.example")
    assert _verdict(tmp_path, "b.example", "--task", "open") == "allowed"
    assert _verdict(tmp_path, "a.example", "--task", "closed") == "refused"
    assert _verdict(tmp_path, "a.example") == "allowed"
    said = ctui(tmp_path, "network", "show", "--task", "closed").stdout
    assert said.startswith("closed is sealed behind the gateway; its mode is closed\n")
    for name in ("unsealed", "older"):
        assert "is unsealed" in refused(tmp_path, "network", "check", "a.example", "--task", name)
        shown = json.loads(ctui(tmp_path, "network", "show", "--task", name, "--json").stdout)
        assert shown["gateway"] is False


def test_a_denial_wins_over_everything_and_is_for_every_port(paths: Paths, tmp_path: Path) -> None:
    del paths
    assert _verdict(tmp_path, "github.com:22") == "allowed"
    ctui(tmp_path, "network", "allow", "github.com", "github.com:22")
    ctui(tmp_path, "network", "deny", "github.com")
    assert _verdict(tmp_path, "github.com") == "refused"
    assert _verdict(tmp_path, "GitHub.com.:22") == "refused"
    shown = json.loads(ctui(tmp_path, "network", "show", "--json").stdout)
    [denial] = [rule for rule in shown["rules"] if rule["effect"] == "deny"]
    ctui(tmp_path, "network", "forget", str(denial["id"]))
    assert _verdict(tmp_path, "github.com") == "allowed"


def test_the_settings_say_the_same(paths: Paths, tmp_path: Path) -> None:
    paths.config.mkdir(parents=True, mode=0o700)
    paths.config_file.write_text(
        '[network]\nallow = ["*.docs.example"]\ndeny = ["a.docs.example"]\n'
        'private = ["host:5432", "registry.lan:4873"]\n'
    )
    found = {
        host: _verdict(tmp_path, host)
        for host in ("b.docs.example", "a.docs.example", "docs.example", "registry.lan:4873")
    }
    assert found == {
        "b.docs.example": "allowed",
        "a.docs.example": "refused",
        "docs.example": "asked",
        "registry.lan:4873": "allowed",
    }
    assert _verdict(tmp_path, "host:5432") == "allowed"
    assert _verdict(tmp_path, "host:22") == "refused"
    paths.config_file.write_text(
        '[[network.private]]\nhost = "host"\nport = 5432\n'
        '[[network.private]]\nhost = "fd00::1"\nport = 80\n[network]\n'
    )
    assert _verdict(tmp_path, "host:5432") == "allowed"
    assert _verdict(tmp_path, "[FD00::01]:80") == "allowed"
    assert _verdict(tmp_path, "registry.lan:4873") == "asked"
    shown = json.loads(ctui(tmp_path, "network", "show", "--json").stdout)
    assert shown["private"] == ["host:5432", "[fd00::1]:80"]
    paths.config_file.write_text('[network]\nmode = "closed"\nallow = ["b.example"]\n')
    assert _verdict(tmp_path, "b.example") == "refused"
    paths.config_file.write_text('[network]\nmode = "open"\n')
    assert _verdict(tmp_path, "b.example") == "allowed"


@pytest.mark.parametrize(
    "host",
    ["", "a b", "http://a.example", "a..b", "*.127.0.0.1", "a.example:0", "0x7f.1", "-a.example"],
)
def test_what_names_no_host_is_refused_in_a_line(paths: Paths, tmp_path: Path, host: str) -> None:
    """Nothing is kept of a command of which one host is wrong."""
    del paths
    assert "HOST" in refused(tmp_path, "network", "allow", "fine.example", "--", host)
    assert json.loads(ctui(tmp_path, "network", "show", "--json").stdout)["rules"] == []


def test_scopes_that_exclude_each_other_or_are_not_there(paths: Paths, tmp_path: Path) -> None:
    del paths
    assert "exclude" in refused(
        tmp_path, "network", "allow", "a.example", "--task", "x", "--repo", "."
    )
    assert "no task" in refused(tmp_path, "network", "allow", "a.example", "--task", "x")
    assert "no rule 7" in refused(tmp_path, "network", "forget", "7")
    assert "no task" in refused(tmp_path, "network", "log", "x")


def test_the_log_is_empty_before_anything_was_asked_for(paths: Paths, tmp_path: Path) -> None:
    del paths
    assert json.loads(ctui(tmp_path, "network", "log", "--json").stdout) == []
    assert "no task has asked" in ctui(tmp_path, "network", "log").stderr


def test_the_list_names_who_needs_each_host_and_no_place_of_pastes(
    paths: Paths, tmp_path: Path
) -> None:
    del paths
    shown = json.loads(ctui(tmp_path, "network", "show", "--json").stdout)
    assert (shown["mode"], shown["gateway"]) == ("allow", True)
    hosts = {one["host"]: one["source"] for one in shown["shipped"]}
    assert {"pypi.org", "registry.npmjs.org", "github.com", "deb.debian.org"} <= set(hosts)
    assert all(hosts.values())
    assert not {"gist.github.com", "pastebin.com", "api.anthropic.com"} & set(hosts)
