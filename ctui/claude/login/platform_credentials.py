"""Credentials of model platforms: from variables, or as each platform's own program prints them.

What is printed counts for an hour or so: it is read anew whenever one is rejected.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from ctui.claude.login.credentials import Credential, Kind
from ctui.claude.login.platform import Platform, PlatformName
from ctui.errors import InvalidInput, LoginRequired

_KEYS: Mapping[PlatformName, tuple[str, Kind]] = {
    "bedrock": ("AWS_BEARER_TOKEN_BEDROCK", "auth-token"),
    "foundry": ("ANTHROPIC_FOUNDRY_API_KEY", "api-key"),
}
"""Variables with a key for the platform, which are stronger than all else."""
_AWS_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
CREDENTIALS = (
    *(variable for variable, _ in _KEYS.values()),
    *_AWS_KEYS,
    *("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR"),
)
"""These, and what says to those programs whose they are: a command brings them to the driver."""
_SECONDS = 30.0
_LIMIT = 1 << 14


class _Program(NamedTuple):
    """A platform's own program, which prints what its person has there."""

    command: tuple[str, ...]
    name: str
    log_in: str
    """Command by which a person logs in."""


_PROGRAMS: Mapping[PlatformName, _Program] = {
    "bedrock": _Program(
        ("aws", "configure", "export-credentials", "--format", "process"),
        "AWS CLI (version 2)",
        "aws sso login",
    ),
    "vertex": _Program(
        ("gcloud", "auth", "application-default", "print-access-token"),
        "Google Cloud CLI",
        "gcloud auth application-default login",
    ),
    "foundry": _Program(
        (
            *("az", "account", "get-access-token", "--query", "accessToken", "--output", "tsv"),
            *("--resource", "https://cognitiveservices.azure.com"),
        ),
        "Azure CLI",
        "az login",
    ),
}


def platform_credential(platform: Platform, environ: Mapping[str, str]) -> Credential:
    """Return the credential for a platform: a key of its own, else what its program prints.

    Raises:
        LoginRequired: there is none, and what helps.
    """
    variable, kind = _KEYS.get(platform.name, ("", "auth-token"))
    if variable and (value := environ.get(variable, "")).strip():
        try:
            return Credential.parse(value, kind)
        except InvalidInput as error:
            said = f"{variable}: {error.message}"
            raise LoginRequired(said, hint=f"set {variable} anew") from None
    if platform.name == "bedrock" and environ.get(_AWS_KEYS[0], "").strip():
        try:
            return _aws_keys([environ.get(name, "") for name in _AWS_KEYS])
        except InvalidInput:
            said = f"{_AWS_KEYS[0]}, {_AWS_KEYS[1]} and {_AWS_KEYS[2]} are no keys of AWS"
            raise LoginRequired(said, hint="set them anew, the last one for a session") from None
    return _printed(platform, environ, variable)


def _printed(platform: Platform, environ: Mapping[str, str], variable: str) -> Credential:
    program = _PROGRAMS[platform.name]
    found = shutil.which(program.command[0], path=environ.get("PATH"))
    instead = f", or set {variable}" if variable else ""
    if found is None:
        raise LoginRequired(
            f"{platform} is asked with what `{program.command[0]}` prints, which is not installed",
            hint=f"install the {program.name}, then `{program.log_in}`{instead}",
        )
    try:
        done = subprocess.run(
            (found, *program.command[1:]),
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        said = done.stdout[:_LIMIT].decode("ascii")
        if platform.name == "bedrock":
            keys = json.loads(said)
            names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
            return _aws_keys([keys.get(name) or "" for name in names])
        return Credential.parse(said, "auth-token")
    except (
        OSError,
        subprocess.SubprocessError,
        ValueError,
        AttributeError,
        TypeError,
        InvalidInput,
    ):
        # What it said may have a part of a secret in it.
        raise LoginRequired(
            f"`{' '.join(program.command)}` prints none", hint=f"`{program.log_in}`{instead}"
        ) from None


def _aws_keys(keys: list[str]) -> Credential:
    """Return keys of AWS as one value.

    Raises:
        InvalidInput: they are none.
    """
    key, secret, token = (part.strip() for part in keys)
    # What begins so counts for a session only, and not without its token.
    if not (key and secret) or (key.startswith("ASIA") and not token):
        raise InvalidInput("a part is missing")
    if not all(re.fullmatch(r"[A-Za-z0-9/+=_-]*", part) for part in (key, secret, token)):
        raise InvalidInput("it has other characters than keys of AWS")
    value = ":".join(part for part in (key, secret, token) if part)
    return msgspec.structs.replace(Credential.parse(value, "auth-token"), signs=True)
