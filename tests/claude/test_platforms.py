"""Platforms that offer Claude: as a person's Claude Code names them, and what a task has of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from ctui.claude.login.platform import Platform
from ctui.claude.login.platform_credentials import platform_credential
from ctui.claude.login.platforms import platform_of
from ctui.errors import InvalidInput, LoginRequired

PLACEHOLDER = "in-its-place"
KEY = "bedrock-api-key-0123456789"
BEDROCK = {"CLAUDE_CODE_USE_BEDROCK": "1", "AWS_REGION": "eu-west-1"}
VERTEX = {
    "CLAUDE_CODE_USE_VERTEX": "true",
    "CLOUD_ML_REGION": "us-east5",
    "ANTHROPIC_VERTEX_PROJECT_ID": "my-project",
}
FOUNDRY = {"CLAUDE_CODE_USE_FOUNDRY": "1", "ANTHROPIC_FOUNDRY_RESOURCE": "mine"}


def found(environ: Mapping[str, str]) -> Platform:
    platform = platform_of(environ, PLACEHOLDER)
    assert platform is not None
    return platform


def test_without_a_switch_it_is_claude_s_own_api() -> None:
    assert platform_of({}, PLACEHOLDER) is None
    off = {name: value for name in BEDROCK for value in ("0", "", "false")}
    assert platform_of({**BEDROCK, **VERTEX, **off, "CLAUDE_CODE_USE_VERTEX": ""}, "") is None


@pytest.mark.parametrize(
    ("environ", "base_url", "shown"),
    [
        (BEDROCK, "https://bedrock-runtime.eu-west-1.amazonaws.com", "Amazon Bedrock (eu-west-1)"),
        (
            {"CLAUDE_CODE_USE_BEDROCK": "1"},
            "https://bedrock-runtime.us-east-1.amazonaws.com",
            "Amazon Bedrock (us-east-1)",
        ),
        (
            {**BEDROCK, "ANTHROPIC_BEDROCK_BASE_URL": "https://llm.example.org/aws/"},
            "https://llm.example.org/aws",
            "Amazon Bedrock (eu-west-1)",
        ),
        (
            VERTEX,
            "https://us-east5-aiplatform.googleapis.com/v1",
            "Google Vertex AI (us-east5, my-project)",
        ),
        (
            {**VERTEX, "CLOUD_ML_REGION": "global"},
            "https://aiplatform.googleapis.com/v1",
            "Google Vertex AI (global, my-project)",
        ),
        (FOUNDRY, "https://mine.services.ai.azure.com/anthropic", "Microsoft Foundry (mine)"),
    ],
)
def test_where_its_calls_go(environ: Mapping[str, str], base_url: str, shown: str) -> None:
    platform = found(environ)
    assert (platform.base_url, str(platform)) == (base_url, shown)
    # The CLI calls a host of its own over the socket, without TLS: the gateway speaks it.
    urls = [value for name, value in platform.environment.items() if name.endswith("BASE_URL")]
    assert [url.removesuffix("/v1") for url in urls] == [f"http://{platform.host}"]


def test_a_task_has_no_secret_of_it_and_the_person_s_names_of_models() -> None:
    more = {
        "AWS_BEARER_TOKEN_BEDROCK": KEY,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "ANTHROPIC_FOUNDRY_API_KEY": KEY,
        "GOOGLE_APPLICATION_CREDENTIALS": "/home/me/key.json",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "ANTHROPIC_SMALL_FAST_MODEL": "no model",
        "HTTPS_PROXY": "http://me:secret@proxy.example",
    }
    for environ in (BEDROCK, VERTEX, FOUNDRY):
        environment = found({**environ, **more}).environment
        assert KEY not in str(environment)
        assert "secret" not in str(environment)
        assert "key.json" not in str(environment)
        assert environment["ANTHROPIC_DEFAULT_HAIKU_MODEL"].startswith("us.anthropic.")
        assert "ANTHROPIC_SMALL_FAST_MODEL" not in environment
    assert found(FOUNDRY).environment["ANTHROPIC_FOUNDRY_API_KEY"] == PLACEHOLDER


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({**BEDROCK, **VERTEX}, "CLAUDE_CODE_USE_BEDROCK and CLAUDE_CODE_USE_VERTEX exclude"),
        ({**BEDROCK, "AWS_REGION": "evil.example/"}, "AWS_REGION cannot be a part of an address"),
        ({**BEDROCK, "AWS_REGION": "x\r\nHost: y"}, "AWS_REGION cannot be"),
        ({"CLAUDE_CODE_USE_VERTEX": "1"}, "CLOUD_ML_REGION is not set"),
        ({**VERTEX, "ANTHROPIC_VERTEX_PROJECT_ID": ""}, "ANTHROPIC_VERTEX_PROJECT_ID is not set"),
        ({**VERTEX, "ANTHROPIC_VERTEX_PROJECT_ID": "../x"}, "ANTHROPIC_VERTEX_PROJECT_ID cannot"),
        ({"CLAUDE_CODE_USE_FOUNDRY": "1"}, "ANTHROPIC_FOUNDRY_RESOURCE is not set"),
        ({**FOUNDRY, "ANTHROPIC_FOUNDRY_BASE_URL": "mine"}, "is no web address"),
    ],
)
def test_what_cannot_be_used_is_said_by_its_variable(environ: Mapping[str, str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        platform_of(environ, PLACEHOLDER)


def test_keys_of_aws_and_azure_come_from_their_variables(tmp_path: Path) -> None:
    for environ, name, kind in (
        (BEDROCK, "AWS_BEARER_TOKEN_BEDROCK", "auth-token"),
        (FOUNDRY, "ANTHROPIC_FOUNDRY_API_KEY", "api-key"),
    ):
        platform = found(environ)
        credential = platform_credential(platform, {name: f" {KEY}\n", **ACCESS})
        assert (credential.kind, credential.value, credential.signs) == (kind, KEY, False)
        with pytest.raises(LoginRequired, match="is not installed") as raised:
            platform_credential(platform, {"PATH": str(tmp_path)})
        assert f"or set {name}" in raised.value.hint
        with pytest.raises(LoginRequired, match=name) as raised:
            platform_credential(platform, {name: "a b c d e f g h"})
        assert "a b c" not in str(raised.value)


ACCESS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret+key/0123456789"}


def test_access_keys_sign_and_each_part_is_a_secret() -> None:
    platform = found(BEDROCK)
    credential = platform_credential(platform, ACCESS)
    assert (credential.value, credential.signs) == ("AKIAEXAMPLE:secret+key/0123456789", True)
    assert credential.secrets == ("secret+key/0123456789",)
    session = {**ACCESS, "AWS_ACCESS_KEY_ID": "ASIAX", "AWS_SESSION_TOKEN": " token-of-a-session"}
    credential = platform_credential(platform, session)
    assert credential.value == "ASIAX:secret+key/0123456789:token-of-a-session"
    assert credential.secrets == ("secret+key/0123456789", "token-of-a-session")
    for wrong in (
        {"AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_SECRET_ACCESS_KEY": "with:a-colon-in-it"},
        {"AWS_ACCESS_KEY_ID": "ASIAX"},
        {"AWS_SESSION_TOKEN": "two\r\nlines"},
    ):
        with pytest.raises(LoginRequired, match="are no keys of AWS") as raised:
            platform_credential(platform, {**ACCESS, **wrong})
        assert "secret+key" not in str(raised.value)


def _program(folder: Path, name: str, arguments: str, prints: str) -> dict[str, str]:
    """Make a program that prints something for these arguments; the environment with it."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n[ \"$*\" = '{arguments}' ] && printf '%s' '{prints}'\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


AWS = "configure export-credentials --format process"
AZ = "account get-access-token --query accessToken --output tsv"
AZ += " --resource https://cognitiveservices.azure.com"


def test_profiles_and_single_sign_on_are_what_the_cli_of_aws_exports(tmp_path: Path) -> None:
    said = '{"Version": 1, "AccessKeyId": "ASIAX", "SecretAccessKey": "s/0123456789", '
    said += '"SessionToken": "token-of-a-session", "Expiration": "2026-01-01T00:00:00Z"}'
    environ = _program(tmp_path, "aws", AWS, said)
    credential = platform_credential(found(BEDROCK), environ)
    assert (credential.value, credential.signs) == ("ASIAX:s/0123456789:token-of-a-session", True)
    for wrong in ("", "[]", '{"AccessKeyId": 7}', '{"AccessKeyId": "s3cr"', "s3cret"):
        with pytest.raises(LoginRequired, match="prints none") as raised:
            platform_credential(found(BEDROCK), _program(tmp_path, "aws", AWS, wrong))
        assert "s3cr" not in str(raised.value)
        assert "`aws sso login`" in raised.value.hint


def test_entra_s_token_is_what_the_cli_of_azure_prints(tmp_path: Path) -> None:
    environ = _program(tmp_path, "az", AZ, "eyJ0.token-of-entra\n")
    credential = platform_credential(found(FOUNDRY), environ)
    assert (credential.kind, credential.value) == ("auth-token", "eyJ0.token-of-entra")
    with pytest.raises(LoginRequired, match="prints none"):
        platform_credential(found(FOUNDRY), _program(tmp_path, "az", "login", ""))


def test_google_s_token_is_what_its_own_program_prints_each_time(tmp_path: Path) -> None:
    platform = found(VERTEX)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)}
    with pytest.raises(LoginRequired, match="not installed") as raised:
        platform_credential(platform, {"PATH": str(tmp_path)})
    assert "gcloud auth application-default login" in raised.value.hint
    program = tmp_path / "gcloud"
    program.write_text(
        '#!/bin/sh\n[ "$*" = "auth application-default print-access-token" ] || exit 9\n'
        'n=$(cat "$HOME/n" 2>/dev/null || echo 0); n=$((n + 1)); echo $n > "$HOME/n"\n'
        '[ $n -lt 3 ] && echo "ya29.token-number-$n" || { echo "ya29.secret of"; exit 1; }\n'
    )
    program.chmod(0o755)
    tokens = [platform_credential(platform, environ).value for _ in range(2)]
    assert tokens == ["ya29.token-number-1", "ya29.token-number-2"]
    with pytest.raises(LoginRequired, match="prints none") as raised:
        platform_credential(platform, environ)
    assert "secret" not in str(raised.value)
