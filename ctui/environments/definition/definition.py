"""The definition of an environment as data, whichever file it comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from ctui.sandbox.named_ports import NamedPort
from ctui.sandbox.services import ImageBuild, Service

Status = Literal["used", "ignored", "refused"]
Source = Literal["option", "settings", "devcontainer", "repository", "default"]


class KeyReport(msgspec.Struct, frozen=True):
    """One key of a definition: if it is used, and the reason."""

    key: str
    file: str
    status: Status
    reason: str


class Step(msgspec.Struct, frozen=True):
    """One command of a set-up."""

    key: str
    """The key that it stands under."""
    command: str
    """A line for the shell."""


class VolumeMount(msgspec.Struct, frozen=True):
    """A folder that each task has as a volume of its own."""

    name: str
    target: str


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """Base and set-up of an environment."""

    source: Source = "default"
    file: str = ""
    """The file in the commit, or the person's; empty for an option and the default."""
    name: str = ""
    image: str = ""
    """Reference of the image underneath; empty for a Dockerfile or ctui's default image."""
    dockerfile: str = ""
    """Path in the commit."""
    context: str = ""
    """Folder of the commit that a build gets; "" is its root."""
    target: str = ""
    args: Mapping[str, str] = {}
    features: tuple[str, ...] = ()
    """Folders of the commit with features, whose install scripts are among the steps of root."""
    root_steps: tuple[Step, ...] = ()
    """Commands that root runs, which can write the image and not the workspace."""
    steps: tuple[Step, ...] = ()
    start_steps: tuple[Step, ...] = ()
    """Commands that run at each start of a task, beside the CLI."""
    inputs: tuple[str, ...] | None = None
    """Files whose content decides about another set-up; None takes the known lock files."""
    carry: tuple[str, ...] | None = None
    """Ignored folders that come into each new worktree; None takes the usual ones."""
    container_env: Mapping[str, str] = {}
    remote_env: Mapping[str, str] = {}
    env: Mapping[str, str] = {}
    volumes: tuple[VolumeMount, ...] = ()
    services: tuple[Service, ...] = ()
    """Started beside each task; a service stands behind those that it waits for."""
    ports: tuple[NamedPort, ...] = ()
    """Words on the ports of its tasks; it decides about nothing that is built or run."""
    secrets: tuple[str, ...] = ()
    """Names of secrets that the person may have; never where a value comes from."""

    @property
    def build(self) -> ImageBuild | None:
        """The build of the image underneath, or None if it is not built."""
        if not self.dockerfile:
            return None
        return ImageBuild(
            dockerfile=self.dockerfile, context=self.context, target=self.target, args=self.args
        )

    @property
    def builds(self) -> tuple[ImageBuild, ...]:
        """All builds: of the image underneath, and of services."""
        return tuple(one for one in (self.build, *(s.build for s in self.services)) if one)

    @property
    def is_default(self) -> bool:
        """True where nothing is said: tasks run in ctui's own image."""
        return self.source == "default"

    @property
    def of_repository(self) -> bool:
        """True where what is built or run comes from the commit, and so needs consent."""
        return self.source in {"devcontainer", "repository"} or bool(self.builds or self.steps)

    def digest(self) -> str:
        """Return a hash of everything that it says."""
        said = msgspec.to_builtins(self)
        del said["ports"]
        for later in ("features", "services", "secrets", "start_steps"):
            if not said[later]:
                del said[later]  # a consent of before there were any goes on to count
        return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()


class Found(NamedTuple):
    """A definition, and what is done with each of its keys."""

    definition: Definition
    keys: tuple[KeyReport, ...] = ()
