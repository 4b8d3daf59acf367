"""Whom the gateway trusts outside."""

from __future__ import annotations

import os
from pathlib import Path

import trustme

from ctui.gateway.trust import trusted_tunnels


def test_a_bundle_that_is_written_anew_counts(tmp_path: Path) -> None:
    """The gateway lives for months, a company's authority is changed meanwhile."""
    bundle = tmp_path / "ca.pem"
    found = []
    for number in range(2):
        trustme.CA(organization_name=f"authority {number}").cert_pem.write_to_path(str(bundle))
        os.utime(bundle, ns=(number, number))
        context = trusted_tunnels(str(bundle))
        assert trusted_tunnels(str(bundle)) is context
        names = str([one["subject"] for one in context.get_ca_certs()])
        found.append([f"authority {one}" in names for one in range(2)])
    assert found == [[True, False], [False, True]]
