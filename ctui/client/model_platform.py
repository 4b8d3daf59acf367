"""The platform that answers tasks which are started from here, with what it needs to be there."""

from __future__ import annotations

from collections.abc import Mapping

from ctui.claude.login.platform import Platform
from ctui.claude.login.platform_credentials import platform_credential
from ctui.claude.login.platforms import platform_of
from ctui.tasks.network.sealed import PLACEHOLDER


def ready_platform(environ: Mapping[str, str]) -> Platform | None:
    """Return the platform that tasks use from here, with a credential that is there for it.

    Raises:
        InvalidInput: what is said of it cannot be used.
        LoginRequired: there is no credential for it.
    """
    platform = platform_of(environ, PLACEHOLDER)
    if platform is not None:
        platform_credential(platform, environ)
    return platform
