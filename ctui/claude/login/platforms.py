"""Platforms that offer Claude beside its own API, as Claude Code's own variables name them.

What a task's CLI gets of one is no secret: which platform, and where. It sends its calls without a
credential to the gateway, which adds the person's (`platform_credentials`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ctui.claude.login.platform import Platform, PlatformName
from ctui.claude.login.platform_credentials import CREDENTIALS
from ctui.errors import InvalidInput

_SWITCHES: Mapping[str, PlatformName] = {
    "CLAUDE_CODE_USE_BEDROCK": "bedrock",
    "CLAUDE_CODE_USE_VERTEX": "vertex",
    "CLAUDE_CODE_USE_FOUNDRY": "foundry",
}
_ON = {"1", "true", "yes", "on"}
_MODELS = (
    "ANTHROPIC_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
    *(f"ANTHROPIC_DEFAULT_{size}_MODEL" for size in ("OPUS", "SONNET", "HAIKU")),
)
"""Variables that name models, which have other names on each platform."""
VARIABLES = (
    *(*_SWITCHES, *CREDENTIALS, *_MODELS),
    *("AWS_REGION", "AWS_DEFAULT_REGION", "ANTHROPIC_BEDROCK_BASE_URL"),
    *("CLOUD_ML_REGION", "ANTHROPIC_VERTEX_PROJECT_ID", "ANTHROPIC_VERTEX_BASE_URL"),
    *("ANTHROPIC_FOUNDRY_RESOURCE", "ANTHROPIC_FOUNDRY_BASE_URL"),
)
"""All that is read here, or by the programs that print credentials."""
_MODEL = re.compile(r"[\x21-\x7e]{1,2048}")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


class _Place(NamedTuple):
    place: str
    base_url: str
    host: str
    environment: dict[str, str]


def platform_of(environ: Mapping[str, str], placeholder: str) -> Platform | None:
    """Return the platform that a person's Claude Code uses, or None where it is Claude's own API.

    Args:
        environ: of the person.
        placeholder: that stands in a credential's place where the CLI wants one.

    Raises:
        InvalidInput: two are switched on, or something is missing.
    """
    chosen = [name for name in _SWITCHES if environ.get(name, "").strip().lower() in _ON]
    if not chosen:
        return None
    if len(chosen) > 1:
        raise InvalidInput(f"{chosen[0]} and {chosen[1]} exclude each other", hint="unset one")
    name = _SWITCHES[chosen[0]]
    match name:
        case "bedrock":
            found = _bedrock(environ)
        case "vertex":
            found = _vertex(environ)
        case "foundry":
            found = _foundry(environ, placeholder)
    models = {key: environ[key] for key in _MODELS if _MODEL.fullmatch(environ.get(key, ""))}
    switches = {chosen[0]: "1", **found.environment, **models}
    return Platform(name, found.place, found.base_url, found.host, switches)


def _bedrock(environ: Mapping[str, str]) -> _Place:
    region = _part(environ, ("AWS_REGION", "AWS_DEFAULT_REGION"), "us-east-1")
    host = f"bedrock-runtime.{region}.amazonaws.com"
    own = {"AWS_REGION": region, "ANTHROPIC_BEDROCK_BASE_URL": f"http://{host}"}
    base_url = _url(environ, "ANTHROPIC_BEDROCK_BASE_URL", f"https://{host}")
    return _Place(region, base_url, host, {"CLAUDE_CODE_SKIP_BEDROCK_AUTH": "1", **own})


def _vertex(environ: Mapping[str, str]) -> _Place:
    region = _part(environ, ("CLOUD_ML_REGION",))
    project = _part(environ, ("ANTHROPIC_VERTEX_PROJECT_ID",))
    prefix = "" if region == "global" else f"{region}-"
    host = f"{prefix}aiplatform.googleapis.com"
    own = {
        "CLAUDE_CODE_SKIP_VERTEX_AUTH": "1",
        "CLOUD_ML_REGION": region,
        "ANTHROPIC_VERTEX_PROJECT_ID": project,
        "ANTHROPIC_VERTEX_BASE_URL": f"http://{host}/v1",
    }
    base_url = _url(environ, "ANTHROPIC_VERTEX_BASE_URL", f"https://{host}/v1")
    return _Place(f"{region}, {project}", base_url, host, own)


def _foundry(environ: Mapping[str, str], placeholder: str) -> _Place:
    base_url = _url(environ, "ANTHROPIC_FOUNDRY_BASE_URL", "")
    place = base_url
    if not base_url:
        place = _part(environ, ("ANTHROPIC_FOUNDRY_RESOURCE",))
        base_url = f"https://{place}.services.ai.azure.com/anthropic"
    host = "foundry.azure.com"
    # Told to skip it, the CLI asks for a token all the same.
    own = {
        "ANTHROPIC_FOUNDRY_API_KEY": placeholder,
        "ANTHROPIC_FOUNDRY_BASE_URL": f"http://{host}",
    }
    return _Place(place, base_url, host, own)


def _part(environ: Mapping[str, str], names: tuple[str, ...], default: str = "") -> str:
    """Return what the first of these variables says, which becomes a part of an address."""
    value = next((environ[name].strip() for name in names if environ.get(name, "").strip()), "")
    value = value or default
    if not _PART.fullmatch(value):
        said = "cannot be a part of an address" if value else "is not set"
        raise InvalidInput(f"{names[0]} {said}", hint=f"set {names[0]} as Claude Code wants it")
    return value


def _url(environ: Mapping[str, str], name: str, default: str) -> str:
    value = environ.get(name, "").strip().rstrip("/")
    if value and not re.fullmatch(r"https?://[\x21-\x7e]{1,2000}", value):
        raise InvalidInput(f"{name} is no web address", hint="it begins with https:// or http://")
    return value or default
