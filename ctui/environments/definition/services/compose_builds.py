"""`build` of a service in a compose file: what is built, and every key that it can have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctui.environments.definition.commit_files import path_in_commit
from ctui.environments.definition.definition import Status
from ctui.environments.definition.services.compose_values import text_of, variables_of
from ctui.environments.definition.variable_names import build_arguments
from ctui.errors import InvalidInput
from ctui.sandbox.services import ImageBuild
from ctui.text import one_line

_CACHE = "the engine's own cache counts"
_BUILDER = "it is of a builder that ctui does not use"
BUILD_ROWS: Mapping[str, tuple[Status, str, Any]] = {
    "context": ("used", "its files at the commit are the build's", "."),
    "dockerfile": ("used", "is built; Dockerfile without it", "db.Dockerfile"),
    "target": ("used", "the stage that is built", "dev"),
    "args": ("used", "are the build's arguments", {"A": "b"}),
    "additional_contexts": ("refused", "a build has the files of one context", {"a": "../a"}),
    "secrets": ("refused", "nothing of the host is read", ["token"]),
    "ssh": ("refused", "nothing of the host is read", ["default"]),
    "privileged": ("refused", "a build never has more rights than its seal allows", "true"),
    "entitlements": ("refused", "a build never has more rights than its seal allows", ["x"]),
    "extra_hosts": ("refused", "it reaches what the repository's tasks reach", ["a:1.2.3.4"]),
    "network": ("ignored", "it reaches what the repository's tasks reach", "host"),
    "cache_from": ("ignored", _CACHE, ["a"]),
    "cache_to": ("ignored", _CACHE, ["a"]),
    "no_cache": ("ignored", _CACHE, "true"),
    "no_cache_filter": ("ignored", _CACHE, ["dev"]),
    "pull": ("ignored", "an image on the engine is used as it is", "true"),
    "isolation": ("ignored", "a service shares nothing with the host", "default"),
    "labels": ("ignored", "ctui names its images", {"a": "b"}),
    "tags": ("ignored", "ctui names its images", ["a:1"]),
    "platforms": ("ignored", "the engine's own platform counts", ["linux/amd64"]),
    "shm_size": ("ignored", "the engine's own limits count", "1g"),
    "ulimits": ("ignored", "the engine's own limits count", {"nproc": "65535"}),
    "provenance": ("ignored", _BUILDER, "true"),
    "sbom": ("ignored", _BUILDER, "true"),
}
"""Key of a build -> what is done with it, why, and an example; every scalar is a text."""

_INLINE = "dockerfile_inline"


def read_build(value: object, folder: str, at: str) -> tuple[ImageBuild, dict[str, str]]:
    """Return a build, and the names of its arguments that do not count with the reason.

    Args:
        value: of the key `build`, as a table.
        folder: of the compose file, to which paths are relative.
        at: where it stands, for an error.

    Raises:
        InvalidInput: with the key that is wrong.
    """
    if not isinstance(value, dict):
        raise InvalidInput(f"{at} is no table", hint="such as `build: ./db`")
    if _INLINE in value:
        raise InvalidInput(f"{at}.{_INLINE} is not read", hint="write a file, and name it")
    context = text_of(value, "context", at) or "."
    if "://" in context or context.startswith("git@"):
        raise InvalidInput(
            f"{at}.context: {one_line(context, 80)!r} is an address",
            hint="name a folder of the repository",
        )
    context = path_in_commit(folder, context, f"{at}.context")
    dockerfile = text_of(value, "dockerfile", at) or "Dockerfile"
    given = variables_of(value.get("args"), f"{at}.args")
    used, refused = build_arguments({k: text for k, text in given.items() if text is not None})
    unset = {name: "variables of the host are not read" for name in given if given[name] is None}
    build = ImageBuild(
        dockerfile=path_in_commit(context, dockerfile, f"{at}.dockerfile"),
        context=context,
        target=text_of(value, "target", at),
        args=used,
    )
    return build, {**refused, **unset}
