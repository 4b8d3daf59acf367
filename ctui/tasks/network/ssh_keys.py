"""Keys by which tasks sign in over ssh, read from the files that the person's settings name."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ctui.config.gateway_section import SshRule
from ctui.gateway.egress.names import Target
from ctui.gateway.ssh.files import known_name
from ctui.gateway.ssh.keys import SshKey, read_private
from ctui.gateway.ssh.wire import Malformed
from ctui.host_port import SSH
from ctui.small_file import read_small_file

_KEY_LIMIT = 1 << 16
_KNOWN_LIMIT = 4 << 20
_TYPES = ("ssh-", "ecdsa-", "sk-")
"""Beginnings of the types of public keys."""
_PLAIN = {"ssh-ed25519", "ssh-rsa"} | {f"ecdsa-sha2-nistp{bits}" for bits in (256, 384, 521)}
"""Types of a host's keys whose signatures can be checked."""


class _Refused(Exception):
    """A reason why there is no key."""


class _Public(NamedTuple):
    blob: bytes
    private: str


def ssh_key(rule: SshRule, target: Target, base: Path, environ: Mapping[str, str]) -> SshKey:
    """Return the key of a rule; the reason is in it where it cannot sign.

    Args:
        rule: of the settings.
        target: its host.
        base: folder that paths are relative to.
        environ: with the socket of the person's own agent.
    """
    agent = environ.get("SSH_AUTH_SOCK", "")
    try:
        found = _read_key(base / Path(rule.key).expanduser())
        hosts = tuple(_known(base / Path(rule.known_hosts).expanduser(), target))
        if not hosts:
            name = target.host if target.port == SSH else f"-p {target.port} {target.host}"
            raise _Refused(
                f"{rule.known_hosts} has no key of {target.host}: `ssh {name}` adds it, once you"
                " have compared it"
            )
        if not found.private and not agent:
            raise _Refused(f"{rule.key} is encrypted or public, and you have no agent of ssh")
    except _Refused as error:
        return SshKey(*target, rule.key, problem=f"ssh to {target.host}: {error}")
    return SshKey(
        *target,
        rule.key,
        public=found.blob,
        host_keys=hosts,
        private=found.private,
        agent="" if found.private else agent,
    )


def _read_key(path: Path) -> _Public:
    text = _text(path, _KEY_LIMIT)
    if text.startswith(_TYPES):
        return _Public(_blob(text, path), "")
    try:
        found = read_private(text)
    except Malformed as error:
        raise _Refused(f"{path}: {error}") from error
    if not found.locked:
        return _Public(found.public, text)
    public = path.with_name(f"{path.name}.pub")
    return _Public(_blob(_text(public, _KEY_LIMIT), public), "")


def _blob(text: str, path: Path) -> bytes:
    try:
        return base64.b64decode(text.split()[1], validate=True)
    except (IndexError, binascii.Error):
        raise _Refused(f"{path} is no public key") from None


def _text(path: Path, limit: int) -> str:
    try:
        return read_small_file(path, limit).decode("utf-8", "replace")
    except OSError as error:
        raise _Refused(f"{path} cannot be read: {error.strerror}") from error


def _known(path: Path, target: Target) -> Iterator[bytes]:
    """Yield the keys that a file has for a host (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""
    name = known_name(target)
    found: dict[bytes, bool] = {}
    for line in _text(path, _KNOWN_LIMIT).splitlines():
        fields = line.split()
        marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
        if len(fields) < 3 or fields[0].startswith("#") or fields[1] not in _PLAIN:
            continue
        if marker in {"", "@revoked"} and _is_named(name, fields[0]):
            try:
                key = base64.b64decode(fields[2], validate=True)
            except binascii.Error:
                continue
            found[key] = found.get(key, True) and not marker
    yield from (key for key, good in found.items() if good)


def _is_named(name: str, patterns: str) -> bool:
    if patterns.startswith("|1|"):
        return _is_hashed(name, patterns)
    return _is_matched(name, patterns.lower().split(","))


def _is_matched(name: str, patterns: Iterable[str]) -> bool:
    matched = False
    for pattern in patterns:
        # Only `*` and `?` are special there, and an address may be in brackets.
        escaped = pattern.removeprefix("!").replace("[", "[[]")
        if fnmatch.fnmatchcase(name, escaped):
            if pattern.startswith("!"):
                return False
            matched = True
    return matched


def _is_hashed(name: str, pattern: str) -> bool:
    try:
        salt, digest = (base64.b64decode(one, validate=True) for one in pattern.split("|")[2:4])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)
