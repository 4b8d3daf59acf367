"""Ports in a devcontainer.json: named, hidden or told, and never opened by themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ctui.environments.definition.definition import Found
from ctui.environments.definition.devcontainer import read_devcontainer
from ctui.environments.definition.port_keys import USED
from ctui.environments.definition.variables import Names
from ctui.errors import InvalidInput
from ctui.sandbox.named_ports import NamedPort, named_port, port_text, shown_ports
from tests.docs.pages import DOCS
from tests.environments.services.files import FilesOfTest


def _read(**said: Any) -> Found:
    text = json.dumps({"image": "x", **said})
    return read_devcontainer(text, "f", Names("an-id"), FilesOfTest({}))


def test_ports_are_named_and_the_first_that_fits_counts() -> None:
    attributes = {
        "3000": {"label": "app\x1b[2J", "onAutoForward": "openBrowser", "elevateIfNeeded": True},
        "3000-3010": {"label": "more", "onAutoForward": "ignore"},
        "8443": {"protocol": "https", "onAutoForward": "silent"},
    }
    found = _read(
        forwardPorts=[9000, "db:5432", "x:y", True],
        portsAttributes=attributes,
        otherPortsAttributes={"onAutoForward": "ignore"},
    )
    ports = found.definition.ports
    assert named_port(3000, ports).told
    assert port_text(3000, ports).startswith("3000 (app")
    assert "\x1b" not in port_text(3000, ports)
    assert named_port(8443, ports) == NamedPort(first=8443, last=8443, tls=True)
    shown = [3000, 5432, 8443, 9000]
    assert shown_ports([22, 3000, 3001, 5432, 8443, 9000, 9229], ports) == shown
    told = {one.key: one.status for one in found.keys}
    assert told["portsAttributes"] == told["otherPortsAttributes"] == told["forwardPorts"] == "used"
    assert told["portsAttributes.3000.elevateIfNeeded"] == "ignored"
    assert told["forwardPorts: x:y"] == told["forwardPorts: True"] == "ignored"


@pytest.mark.parametrize("key", ["0", "70000", "20-10", ".*server.js", "", "3000-", "\u0663"])
def test_what_is_no_port_is_left_out_and_told(key: str) -> None:
    found = _read(portsAttributes={key: {"label": "x"}})
    assert found.definition.ports == ()
    assert [one.status for one in found.keys if one.key == f"portsAttributes.{key}"] == ["ignored"]


@pytest.mark.parametrize("value", [[], "3000", 3000])
def test_attributes_that_are_no_table_are_an_error(value: object) -> None:
    with pytest.raises(InvalidInput, match="portsAttributes is no object"):
        _read(portsAttributes=value)


def test_names_of_ports_need_no_consent_and_no_other_build() -> None:
    plain, named = _read(), _read(portsAttributes={"3000": {"label": "app"}})
    assert plain.definition.digest() == named.definition.digest()


@pytest.mark.parametrize("attribute", sorted(USED))
def test_each_attribute_is_on_the_page(attribute: str) -> None:
    page = (DOCS / "environments.md").read_text(encoding="utf-8")
    assert f"| `{attribute}` | {USED[attribute]} |" in page
