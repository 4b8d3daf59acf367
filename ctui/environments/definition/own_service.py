"""Image and variables of a task's own environment, and the services beside it, as a file says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ctui.environments.definition.definition import KeyReport, VolumeMount
from ctui.sandbox.services import ImageBuild, Service


class OwnService(NamedTuple):
    """The service in whose container a person would work: the task's own environment."""

    image: str = ""
    build: ImageBuild | None = None
    env: Mapping[str, str] = {}
    volumes: tuple[VolumeMount, ...] = ()


class Composed(NamedTuple):
    """Parts of an environment that come from compose files."""

    own: OwnService
    services: tuple[Service, ...]
    keys: tuple[KeyReport, ...]
