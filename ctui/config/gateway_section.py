"""Settings of the gateway: credentials of other services that it adds, and keys that it signs by.

Both are lists of tables, `[[gateway.credentials]]` and `[[gateway.ssh]]`, in the person's file.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta

from ctui.errors import InvalidInput
from ctui.text import one_line

_HEADER = re.compile(
    r"(?P<name>[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})(?::[ \t]*(?P<form>[ -~]{1,1000}))?"
)
"""A token (RFC 9110, 5.6.2), and perhaps how its value is written."""
_SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_PLACE = re.compile(r"\{(?:[^{}:]{1,200}:)?secret\}")
_OF_THE_CONNECTION = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "proxy-authorization", "proxy-connection"}
)


class CredentialRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host, and the header with a secret that requests of tasks to it get."""

    host: str
    """With a port where it is not 443."""
    header: str
    """Name of the header; or `NAME: FORM`, in which `{secret}` is the secret and `{USER:secret}` is
    both as HTTP's basic login has them."""
    secret: str
    """Name of a secret of the person's (`ctui secret set`)."""

    @property
    def name(self) -> str:
        """Name of the header."""
        return self.header.partition(":")[0]

    @property
    def form(self) -> str:
        """Form of the header's value; "" is the secret itself."""
        return self.header.partition(":")[2].strip()


class SshRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host that tasks may sign in at by ssh, with a key that stays outside."""

    host: str
    """With a port where it is not 22."""
    key: str
    """File of the private key, or of the public one whose private one the person's agent has."""
    known_hosts: str = "~/.ssh/known_hosts"
    """File with the host's own keys."""


class GatewayConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Credentials that the gateway adds for tasks, which never have them."""

    credentials: Annotated[
        tuple[CredentialRule, ...],
        Meta(
            description="headers with a secret for hosts that are opened for it: "
            'host = "api.example.org", header = "Authorization: Bearer {secret}", '
            'secret = "API_TOKEN" (docs/network.md)'
        ),
    ] = ()
    ssh: Annotated[
        tuple[SshRule, ...],
        Meta(
            description="hosts that tasks may sign in at by ssh, once you agree: "
            'host = "git.example.org", key = "~/.ssh/id_ed25519"'
        ),
    ] = ()


def check_rules(rules: tuple[CredentialRule | SshRule, ...]) -> None:
    """Refuse rules that nothing could be done by.

    Raises:
        InvalidInput: what is wrong with the first of them.
    """
    hosts: set[str] = set()
    for rule in rules:
        host = one_line(rule.host, 80)
        if not host:
            raise InvalidInput("a rule names no host", hint="name the host that it is for")
        if rule.host in hosts:
            raise InvalidInput(f"{host} is there twice", hint="name each host once")
        hosts.add(rule.host)
        if isinstance(rule, CredentialRule):
            _check_credential(rule)
        elif not rule.key:
            hint = "name the file of a key, such as ~/.ssh/id_ed25519"
            raise InvalidInput(f"{host} has no key", hint=hint)


def _check_credential(rule: CredentialRule) -> None:
    shown = one_line(rule.header, 80)
    if not _HEADER.fullmatch(rule.header):
        hint = "write a header's name, or `Authorization: Bearer {secret}`"
        raise InvalidInput(f"{shown!r} is no header", hint=hint)
    if rule.name.lower() in _OF_THE_CONNECTION:
        raise InvalidInput(f"{rule.name} cannot be set", hint="it belongs to the connection")
    if rule.form and not _PLACE.search(rule.form):
        hint = "write {secret} where the secret is to be"
        raise InvalidInput(f"{shown!r} has no place for the secret", hint=hint)
    if not _SECRET.fullmatch(rule.secret):
        hint = "name a secret that you have set: `ctui secret list`"
        raise InvalidInput(f"{one_line(rule.secret, 40)!r} is no name of a secret", hint=hint)
