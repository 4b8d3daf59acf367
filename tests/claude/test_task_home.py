"""What a run of the CLI is given."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest

from ctui.claude.task_home import RunOptions, TaskHome, deny_rules_of, first_line, task_home

SESSION = "6f1f9e7e-8c1f-4c39-9f0a-0a7f6a3c2b11"
OURS = ["mcp__ctui", "Read(//attached/**)"]
PLAIN = RunOptions(session=SESSION, resume=False, branch="ctui/fix")


def changed(**options: Any) -> TaskHome:
    return task_home(msgspec.structs.replace(PLAIN, **options))


def settings(home: TaskHome) -> Any:
    return json.loads(home.managed["managed-settings.json"])


def test_a_new_session_and_a_resumed_one_differ_in_one_word() -> None:
    new, resumed = changed().arguments, changed(resume=True).arguments
    assert set(new) - set(resumed) == {f"--session-id={SESSION}"}
    assert set(resumed) - set(new) == {f"--resume={SESSION}"}


def test_everything_is_asked_and_answered_over_the_one_channel() -> None:
    assert {
        "--input-format=stream-json",
        "--output-format=stream-json",
        "--permission-prompt-tool=stdio",
        "--replay-user-messages",
        "--include-partial-messages",
        "--strict-mcp-config",
        "--permission-mode=default",
    } <= set(changed().arguments)


def test_a_repository_says_nothing_until_it_is_trusted() -> None:
    project = json.dumps(
        {
            "permissions": {
                "allow": ["Bash(make *)", "Read(/notes)"],
                "defaultMode": "bypassPermissions",
            },
            "hooks": {"Stop": []},
            "apiKeyHelper": "evil",
        }
    )
    untrusted = changed(
        claude_md="Use tabs.", deny_rules=("Bash(git push *)",), project_settings=project
    )
    assert "--setting-sources=" in untrusted.arguments
    assert untrusted.managed["CLAUDE.md"] == "Use tabs."
    assert settings(untrusted) == {
        "permissions": {
            "allow": OURS,
            "deny": ["Bash(git push *)"],
            "disableBypassPermissionsMode": "disable",
        },
        "allowManagedHooksOnly": True,
        "allowManagedPermissionRulesOnly": True,
    }
    assert "false" in untrusted.files[".claude.json"].content

    trusted = changed(trusted=True, claude_md="Use tabs.", project_settings=project)
    assert "--setting-sources=project" in trusted.arguments
    assert trusted.managed["CLAUDE.md"] == ""
    rules = settings(trusted)["permissions"]
    assert rules["allow"] == [*OURS, "Bash(make *)", "Read(//workspace/notes)"]
    assert "defaultMode" not in rules
    assert settings(trusted)["hooks"] == {"Stop": []}
    assert "apiKeyHelper" not in settings(trusted)
    projects = json.loads(trusted.files[".claude.json"].content)["projects"]
    assert projects == {"/workspace": {"hasTrustDialogAccepted": True}}


@pytest.mark.parametrize("project", ["", "[]", "{", '{"permissions": 7, "hooks": []}'])
def test_a_trusted_project_with_settings_that_are_none_adds_nothing(project: str) -> None:
    """T26: settings that the CLI could not read would not bind."""
    made = settings(changed(trusted=True, project_settings=project))
    assert made["permissions"]["allow"] == OURS
    assert made.get("hooks", {}) == {}


def test_nothing_that_binds_lies_where_the_task_can_write() -> None:
    """T26: the home has the CLI's own state, and settings that keep others out."""
    home = changed(deny_rules=("Bash(rm *)",), claude_md="Use tabs.")
    assert sorted(home.files) == [".claude.json", ".claude/remote-settings.json"]
    assert home.files[".claude/remote-settings.json"].content == "{}"
    assert sorted(home.managed) == ["CLAUDE.md", "managed-settings.json"]


def test_a_home_of_an_earlier_ctui_is_no_alarm() -> None:
    """T26: what ctui wrote there itself is known by its content."""
    home = changed(deny_rules=("Bash(rm *)",), claude_md="Use tabs.")
    said = json.loads(first_line(home, {}))
    old = '{"permissions": {"allow": ["mcp__ctui"], "deny": ["Bash(rm *)"]}}'
    assert said["known"][".claude/settings.json"] == [hashlib.sha256(old.encode()).hexdigest()]
    assert hashlib.sha256(b"Use tabs.").hexdigest() in said["known"][".claude/CLAUDE.md"]
    assert {".claude/settings.json", ".claude.json", ".bashrc"} <= set(said["guard"])


def test_commands_of_the_start_are_said_to_the_relay() -> None:
    assert json.loads(first_line(changed(), {}, "", ("make serve",)))["start"] == ["make serve"]
    assert json.loads(first_line(changed(), {}))["start"] == []


def test_skipping_permissions_is_not_disabled_where_it_was_chosen() -> None:
    rules = settings(changed(skip_permissions=True))["permissions"]
    assert "disableBypassPermissionsMode" not in rules


def test_options_become_flags_that_no_value_can_leave() -> None:
    arguments = changed(
        model="--dangerously-skip-permissions", permission_mode="plan", budget=1.5
    ).arguments
    assert "--model=--dangerously-skip-permissions" in arguments
    assert "--permission-mode=plan" in arguments
    assert "--max-budget-usd=1.5000" in arguments
    assert "--dangerously-skip-permissions" not in arguments


def test_skipping_permissions_is_its_own_flag() -> None:
    arguments = changed(skip_permissions=True).arguments
    assert "--dangerously-skip-permissions" in arguments
    assert not any(argument.startswith("--permission-mode") for argument in arguments)


@pytest.mark.parametrize("left", [0.0, 0.00001, -3.0])
def test_a_spent_budget_still_lets_the_cli_start(left: float) -> None:
    assert "--max-budget-usd=0.0001" in changed(budget=left).arguments


def test_the_task_is_told_where_it_is() -> None:
    (told,) = [text for text in changed(branch="a{0}\nb").arguments if "--append" in text]
    for word in ("/workspace", "a{0} b", "no remote", "mcp__ctui__ask_user"):
        assert word in told


def test_the_environment_holds_no_secret_and_the_first_line_does() -> None:
    home = changed(base_url="http://model:8000")
    assert home.env["ANTHROPIC_BASE_URL"] == "http://model:8000"
    assert home.env["CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS"] == "1"
    assert "ANTHROPIC_BASE_URL" not in changed().env

    line = first_line(home, {"ANTHROPIC_API_KEY": "sk-ant-secret"})
    assert line.count(b"\n") == 1
    said = json.loads(line)
    assert said["env"] == {"ANTHROPIC_API_KEY": "sk-ant-secret"}
    assert said["files"][".claude.json"]["mode"] == 0o600
    assert "sk-ant-secret" not in str(home)


def test_an_approval_tool_takes_the_place_of_the_one_channel() -> None:
    arguments = changed(approval_tool="mcp__a__b", mcp=True, home="/home/claude").arguments
    assert "--permission-prompt-tool=mcp__a__b" in arguments
    assert "--permission-prompt-tool=stdio" not in arguments
    assert "--strict-mcp-config" in arguments
    assert "--mcp-config=/home/claude/.claude/mcp.json" in arguments
    assert not any(argument.startswith("--mcp-config") for argument in changed().arguments)


def test_servers_are_in_the_first_line_and_nowhere_else() -> None:
    home = changed(mcp=True, home="/home/claude")
    servers = '{"mcpServers": {"a": {"env": {"A": "a-secret"}}}}'
    assert json.loads(first_line(home, {}, servers))["files"][".claude/mcp.json"] == {
        "content": servers,
        "mode": 0o600,
    }
    assert "a-secret" not in str(home)
    # A later run without servers does not keep those of an earlier one.
    nothing = json.loads(first_line(changed(), {}))["files"][".claude/mcp.json"]
    assert json.loads(nothing["content"]) == {"mcpServers": {}}


def test_deny_rules_keep_their_meaning_outside_the_project() -> None:
    rules = [
        "Bash(git push *)",
        "Bash(/bin/rm *)",
        "Read(/secret.txt)",
        "Edit(//etc/**)",
        "Read(./.env)",
        "Read(~/.ssh/**)",
        7,
        None,
    ]
    assert deny_rules_of(json.dumps({"permissions": {"deny": rules}})) == (
        "Bash(git push *)",
        "Bash(/bin/rm *)",
        "Read(//workspace/secret.txt)",
        "Edit(//etc/**)",
        "Read(./.env)",
        "Read(~/.ssh/**)",
    )


def test_rules_of_a_folder_are_relative_to_it() -> None:
    """T22: a task that starts in a folder is bound by its rules too."""
    rules = json.dumps({"permissions": {"deny": ["Read(/secret.txt)"]}})
    assert deny_rules_of(rules, r"a/\1 b") == (r"Read(//workspace/a/\1 b/secret.txt)",)


def test_the_folder_that_the_cli_starts_in_is_trusted_as_the_workspace_is() -> None:
    """T22: the CLI asks for trust by the folder; it falls back to the workspace."""
    home = changed(directory="a/b", trusted=True)
    projects = json.loads(home.files[".claude.json"].content)["projects"]
    assert {name for name, said in projects.items() if said["hasTrustDialogAccepted"]} == {
        "/workspace",
        "/workspace/a/b",
    }


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", "[" * 100_000, '{"permissions":[]}', '{"permissions":{"deny":"Bash"}}'],
)
def test_settings_that_are_none_deny_nothing(text: str) -> None:
    assert deny_rules_of(text) == ()


def test_what_is_the_persons_own_stands_before_the_repositorys() -> None:
    """Memory, hooks and output style are managed settings, trusted or not."""
    own = {"Stop": [{"hooks": [{"type": "command", "command": "mine"}]}]}
    project = json.dumps({"hooks": {"Stop": [{"hooks": []}], "SessionEnd": []}})
    home = changed(memory="Mine.", claude_md="Theirs.", hooks=own, output_style="Pirate")
    assert home.managed["CLAUDE.md"] == "Mine.\n\nTheirs."
    assert settings(home)["hooks"] == own
    assert settings(home)["outputStyle"] == "Pirate"
    trusted = changed(memory="Mine.", trusted=True, hooks=own, project_settings=project)
    assert trusted.managed["CLAUDE.md"] == "Mine."
    assert settings(trusted)["hooks"] == {"Stop": [*own["Stop"], {"hooks": []}], "SessionEnd": []}
