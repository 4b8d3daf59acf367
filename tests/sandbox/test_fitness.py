"""Engines that answer, and on which no task could work: what they said of themselves."""

from __future__ import annotations

from typing import Any

import pytest

from ctui.errors import Refused
from ctui.sandbox.docker.fitness import refuse_unfit

DOCKER = {"Components": [{"Name": "Engine"}, {"Name": "containerd"}, {"Name": "runc"}]}
LINUX: dict[str, Any] = {"OSType": "linux", "SecurityOptions": ["name=seccomp,profile=default"]}


@pytest.mark.parametrize(
    ("version", "info", "said"),
    [
        # Podman 4.3.1, by `podman system service`
        ({"Components": [{"Name": "Podman Engine"}, {"Name": "Conmon"}]}, LINUX, "Podman"),
        # Docker 20.10.24, by dockerd-rootless.sh
        (DOCKER, {**LINUX, "SecurityOptions": ["name=seccomp", "name=rootless"]}, "rootless"),
        (DOCKER, {**LINUX, "SecurityOptions": ["name=userns"]}, "userns-remap"),
        (DOCKER, {"OSType": "windows"}, "no Linux containers"),
    ],
)
def test_it_is_refused_in_a_line(version: Any, info: Any, said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        refuse_unfit(version, info)
    assert "DOCKER_HOST" in refused.value.hint


@pytest.mark.parametrize(
    "info",
    [LINUX, {**LINUX, "SecurityOptions": None}, {**LINUX, "SecurityOptions": ["name=selinux"]}, {}],
)
def test_others_are_taken(info: dict[str, Any]) -> None:
    refuse_unfit(DOCKER, info)
    refuse_unfit({}, info)
