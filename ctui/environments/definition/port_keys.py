"""Ports in a devcontainer.json: `forwardPorts`, `portsAttributes` and `otherPortsAttributes`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ctui.environments.definition.definition import Status
from ctui.sandbox.named_ports import LAST_PORT, NamedPort
from ctui.text import one_line

_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_FORWARDED = re.compile(r"(?:[A-Za-z0-9._-]+:)?([0-9]{1,5})")
_TOLD = {"notify", "openBrowser", "openBrowserOnce", "openPreview"}
_MOST = 100
_LABEL = 30

USED: dict[str, str] = {
    "label": "stands beside the port",
    "onAutoForward": "ignore: no list shows it; notify, openBrowser, …: you are told of it",
    "protocol": "https: ctui task forward offers that, as the browser's gate speaks no TLS",
}
"""Attribute -> what is done with it; there is no use for the others."""


class PortNote(NamedTuple):
    """Report of one of the keys."""

    key: str
    status: Status
    reason: str


def read_ports(
    forwarded: Sequence[Any], attributes: dict[str, Any], others: dict[str, Any]
) -> tuple[tuple[NamedPort, ...], list[PortNote]]:
    """Return what is said of ports, of which the first that fits counts, and what is left out."""
    found: list[NamedPort] = []
    notes: list[PortNote] = []
    for key, said in list(attributes.items())[:_MOST]:
        place = f"portsAttributes.{one_line(key, 60)}"
        match = _RANGE.fullmatch(key)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= LAST_PORT or not isinstance(said, dict):
            notes.append(PortNote(place, "ignored", "only a port, or FIRST-LAST, has attributes"))
            continue
        notes += _unused(place, said)
        found.append(_named(first, last, said))
    for one in forwarded[:_MOST]:
        match = _FORWARDED.fullmatch(str(one))
        if match and 1 <= (port := int(match[1])) <= LAST_PORT:
            found.append(NamedPort(first=port, last=port))
        else:
            notes.append(PortNote(f"forwardPorts: {one_line(str(one), 60)}", "ignored", "no port"))
    if others:
        notes += _unused("otherPortsAttributes", others)
        found.append(_named(1, LAST_PORT, others))
    return tuple(found), notes


def _named(first: int, last: int, said: dict[str, Any]) -> NamedPort:
    event = said.get("onAutoForward")
    return NamedPort(
        first=first,
        last=last,
        label=one_line(str(said.get("label") or ""), _LABEL),
        hidden=event == "ignore",
        told=isinstance(event, str) and event in _TOLD,
        tls=said.get("protocol") == "https",
    )


def _unused(place: str, said: dict[str, Any]) -> Iterator[PortNote]:
    for key in said:
        if key not in USED:
            yield PortNote(
                f"{place}.{one_line(key, 60)}", "ignored", "nothing is forwarded by itself"
            )
