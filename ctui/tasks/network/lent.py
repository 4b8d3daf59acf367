"""Credentials of the person's that the gateway adds for tasks, as the settings name them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from ctui.config import Config
from ctui.config.gateway_section import CredentialRule, SshRule
from ctui.errors import CtuiError, InvalidInput
from ctui.gateway.egress.names import BadName, Target, target_of
from ctui.gateway.egress.opened.credential import Credential
from ctui.gateway.egress.policy import Rule
from ctui.gateway.model import Access
from ctui.gateway.ssh.files import AGENT_SOCKET, CONFIG
from ctui.gateway.ssh.keys import SshKey
from ctui.host_port import HTTPS, SSH
from ctui.paths import Paths
from ctui.sandbox.spec import CERTIFICATES, GATEWAY_FOLDER, TRUST_VARIABLES
from ctui.tasks.network.ssh_keys import ssh_key
from ctui.tasks.secrets.values import read_values
from ctui.text import one_line

_SIGNING = {
    "SSH_AUTH_SOCK": f"{GATEWAY_FOLDER}/{AGENT_SOCKET}",
    # The tree's own says for which host it wants a signature; a base's may be too old for that.
    "GIT_SSH_COMMAND": f"/ctui/tree/bin/ssh -F {GATEWAY_FOLDER}/{CONFIG}",
}
_PLACE = re.compile(r"\{(?:(?P<user>[^{}:]+):)?secret\}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]{0,16382}[\x21-\x7e])?")


class Lent(NamedTuple):
    """Loan of the gateway to a run, which never has it."""

    credentials: tuple[Credential, ...] = ()
    keys: tuple[SshKey, ...] = ()
    redacted: tuple[str, ...] = ()
    """Values that are taken out of what is stored and shown: a host may send back what it gets."""


def lent_by(paths: Paths, config: Config, environ: Mapping[str, str]) -> Lent:
    """Read what the settings name; what cannot be had has its reason in it.

    Args:
        paths: whose secrets.
        config: the person's settings.
        environ: that secrets are taken from.

    Raises:
        InvalidInput: a rule names no host.
    """
    credentials, redacted = [], []
    for rule in config.gateway.credentials:
        values = read_values(paths, [rule.secret], environ)
        redacted += values.redacted
        credentials.append(_credential(rule, values.variables.get(rule.secret), values.problem))
    keys = [ssh_key(rule, ssh_target(rule), paths.config, environ) for rule in config.gateway.ssh]
    return Lent(tuple(credentials), tuple(keys), tuple(redacted))


def problems_of(lent: Lent) -> list[str]:
    """Return a line for each of them that no task can use."""
    said = [f"{one.target}: {one.problem}" for one in lent.credentials if one.problem]
    return said + [key.problem for key in lent.keys if key.problem]


def not_read(config: Config) -> Lent:
    """Return what the settings name without any value: an earlier driver may have told these.

    Raises:
        InvalidInput: a rule names no host.
    """
    credentials = [_credential(rule, None, None) for rule in config.gateway.credentials]
    keys = [SshKey(*ssh_target(rule), rule.key) for rule in config.gateway.ssh]
    return Lent(tuple(credentials), tuple(keys))


def lent_to(access: Access, config: Config, lent: Lent | None) -> Access:
    """Return an access to the gateway with what is lent to it.

    Args:
        access: of the run.
        config: the person's settings.
        lent: as it was read; None where it was not.

    Raises:
        InvalidInput: a rule names no host.
    """
    lent = not_read(config) if lent is None else lent
    return msgspec.structs.replace(
        access,
        credentials=lent.credentials,
        keys=lent.keys,
        ca_file=config.image.ca_file,
    )


def still_lent(access: Access, config: Config) -> Access:
    """Return an access without what the settings lend no more; a newer rule is for later runs.

    Raises:
        InvalidInput: a rule names no host.
    """
    now = not_read(config)
    credentials, keys = ({one.rule for one in of} for of in (now.credentials, now.keys))
    return msgspec.structs.replace(
        access,
        credentials=tuple(one for one in access.credentials if one.rule in credentials),
        keys=tuple(one for one in access.keys if one.rule in keys),
    )


def lent_environment(config: Config) -> dict[str, str]:
    """Return the variables by which a run's programs use what is lent, none of them a secret."""
    trust = dict.fromkeys(TRUST_VARIABLES, CERTIFICATES) if config.gateway.credentials else {}
    return {**trust, **(_SIGNING if config.gateway.ssh else {})}


def lending_rules(config: Config) -> Iterable[Rule]:
    """Yield the rules of hosts by which tasks reach what there is a credential for.

    Raises:
        InvalidInput: a rule names no host.
    """
    for rule in config.gateway.credentials:
        target = opened_target(rule)
        yield Rule(target.host, (target.port,))
    for ssh in config.gateway.ssh:
        target = ssh_target(ssh)
        yield Rule(target.host, (target.port,))


def opened_target(rule: CredentialRule) -> Target:
    """Return the host and port of a rule.

    Raises:
        InvalidInput: it names no host.
    """
    return _target("gateway.credentials", rule.host, HTTPS)


def ssh_target(rule: SshRule) -> Target:
    """Return the host and port of a rule of ssh.

    Raises:
        InvalidInput: it names no host.
    """
    return _target("gateway.ssh", rule.host, SSH)


def checked_target(text: str, port: int) -> Target:
    """Return the one host that a person wrote, with this port where there is none.

    Raises:
        InvalidInput: it names no host.
    """
    try:
        return target_of(text, port)
    except BadName as error:
        raise InvalidInput(
            f"{one_line(text, 80)}: {error}",
            hint="write HOST or HOST:PORT, and name each host by itself",
        ) from error


def _target(key: str, text: str, port: int) -> Target:
    try:
        return checked_target(text, port)
    except InvalidInput as error:
        raise InvalidInput(f"{key}: {error.message}", hint=error.hint) from error


def _credential(rule: CredentialRule, secret: str | None, problem: CtuiError | None) -> Credential:
    value, why = "", problem.one_line() if problem is not None else ""
    if secret is not None:
        value = header_value(rule, secret)
        if not _VALUE.fullmatch(value):
            value, why = "", f"the secret {rule.secret} cannot be a header's: it is no plain line"
    return Credential(*opened_target(rule), rule.name, rule.secret, value, why)


def header_value(rule: CredentialRule, secret: str) -> str:
    """Return the value of a rule's header; `Authorization` alone is that of a bearer."""
    form = rule.form
    if not form and rule.name.lower() == "authorization" and " " not in secret:
        form = "Bearer {secret}"

    def put(place: re.Match[str]) -> str:
        if user := place["user"]:
            return base64.b64encode(f"{user}:{secret}".encode()).decode()
        return secret

    return _PLACE.sub(put, form or "{secret}")
