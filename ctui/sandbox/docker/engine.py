"""Containers, networks and volumes by the docker SDK, whose blocking calls run in threads.

Reading logs and writing stdin is not here: see `stream`.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ctui.errors import Conflict, ExternalFailure, NotFound, Unavailable
from ctui.sandbox.docker.container_body import create_body
from ctui.sandbox.docker.endpoint import Endpoint, resolve_endpoint
from ctui.sandbox.docker.fitness import refuse_unfit, runs_in_machine
from ctui.sandbox.docker.liveness import answered
from ctui.sandbox.docker.sdk import THREADS, connect_sdk, translated_call
from ctui.sandbox.docker.stream import Clock
from ctui.sandbox.spec import SandboxSpec
from ctui.text import one_line

if TYPE_CHECKING:
    from docker.api.client import APIClient

T = TypeVar("T")

_BUILD_SECONDS = 1800


class ContainerState(NamedTuple):
    """State of a container, as the engine gives it."""

    id: str
    status: str
    """created, running, paused, exited or dead."""
    running: bool
    exit_code: int
    oom_killed: bool
    finished: int
    """End in nanoseconds since the epoch; 0 if it has not ended."""
    labels: Mapping[str, str] = {}


class FoundContainer(NamedTuple):
    """A container found by its labels."""

    id: str
    name: str
    labels: Mapping[str, str]
    running: bool


class EngineInfo(NamedTuple):
    """The facts of `docker info` that ctui needs."""

    version: str
    api_version: str
    live_restore: bool
    storage_driver: str
    runtimes: tuple[str, ...] = ()
    """Names of what can make containers."""
    in_machine: bool = False
    """True if its containers are in a virtual machine, which mounts no socket of this one's."""
    root: str = ""
    """Folder of its images, containers and volumes; "" if that is on another machine."""


class Engine:
    """One Docker engine."""

    def __init__(self, endpoint: Endpoint, client: APIClient) -> None:
        self.endpoint = endpoint
        self._client = client
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="engine")

    @classmethod
    async def connect(cls, endpoint: Endpoint | None = None) -> Engine:
        """Connect to the engine that answers.

        Raises:
            Unavailable: none does.
        """
        endpoint = endpoint or resolve_endpoint()
        client = await asyncio.to_thread(connect_sdk, endpoint)
        return cls(endpoint._replace(api=client.api_version), client)

    async def close(self) -> None:
        await self._call(self._client.close)
        self._pool.shutdown(wait=False)

    async def info(self) -> EngineInfo:
        """Return what the engine says of itself.

        Raises:
            Refused: no task could work on it.
        """
        info = await self._call(self._client.info)
        version = await self._call(self._client.version)
        refuse_unfit(version, info)
        in_machine = runs_in_machine(info)
        here = self.endpoint.kind == "unix" and not in_machine
        return EngineInfo(
            version=str(info.get("ServerVersion")),
            api_version=str(version.get("ApiVersion")),
            live_restore=bool(info.get("LiveRestoreEnabled")),
            storage_driver=str(info.get("Driver")),
            runtimes=tuple(sorted(info.get("Runtimes") or {})),
            in_machine=in_machine,
            root=str(info.get("DockerRootDir") or "") if here else "",
        )

    # -- containers

    async def create(self, spec: SandboxSpec) -> str:
        """Create the container, and return its id.

        Raises:
            Unavailable: the image is missing, the disk is full, or the engine does not answer.
            Conflict: a container of that name exists.
        """
        body = create_body(spec)
        try:
            made = await self._call(
                lambda: self._client.create_container_from_config(body, name=spec.name)  # type: ignore[no-untyped-call]
            )
        except NotFound as error:
            raise Unavailable(
                f"the image {spec.image} is not there", hint="run `ctui image build`"
            ) from error
        return str(made["Id"])

    async def start(self, container: str) -> None:
        await self._call(lambda: self._client.start(container))

    async def stop(self, container: str, *, grace: float) -> None:
        """Send SIGTERM, then SIGKILL after `grace` seconds. Nothing happens to a stopped one."""
        await self._call(lambda: self._client.stop(container, timeout=max(1, int(grace))))

    async def signal(self, container: str, name: str) -> None:
        """Send a signal to the relay, which passes it on. Nothing happens to a stopped one."""
        try:
            await self._call(lambda: self._client.kill(container, signal=name))
        except Conflict:
            return

    async def pause(self, container: str) -> None:
        """Freeze every process in it."""
        await self._call(lambda: self._client.pause(container))

    async def unpause(self, container: str) -> None:
        await self._call(lambda: self._client.unpause(container))

    async def remove(self, container: str) -> None:
        """Remove it, running or not, with its unnamed volumes; one that is gone already is fine."""
        try:
            await self._call(lambda: self._client.remove_container(container, force=True, v=True))
        except (NotFound, Conflict):
            return

    async def state(self, container: str) -> ContainerState:
        """Return the state of a container. Raises NotFound if it is gone."""
        found = await self._call(lambda: self._client.inspect_container(container))
        state = found["State"]
        return ContainerState(
            id=found["Id"],
            status=state["Status"],
            running=bool(state["Running"]),
            exit_code=int(state["ExitCode"]),
            oom_killed=bool(state["OOMKilled"]),
            finished=Clock().read(str(state.get("FinishedAt", "")).encode()),
            labels=found["Config"].get("Labels") or {},
        )

    async def address(self, container: str, network: str) -> str:
        """Return the address of a container on a network."""
        found = await self._call(lambda: self._client.inspect_container(container))
        return str(found["NetworkSettings"]["Networks"][network]["IPAddress"])

    async def find(self, labels: Mapping[str, str]) -> list[FoundContainer]:
        """Return all containers, running or not, that carry these labels."""
        filters = {"label": _label_filters(labels)}
        found = await self._call(lambda: self._client.containers(all=True, filters=filters))
        return [
            FoundContainer(
                id=item["Id"],
                name=item["Names"][0].lstrip("/") if item["Names"] else "",
                labels=item["Labels"],
                running=item["State"] in {"running", "paused", "restarting"},
            )
            for item in found
        ]

    # -- images, networks, volumes

    async def image_id(self, tag: str) -> str | None:
        try:
            found = await self._call(lambda: self._client.inspect_image(tag))  # type: ignore[no-untyped-call]
        except NotFound:
            return None
        return str(found["Id"])

    async def image_labels(self, tag: str) -> Mapping[str, str] | None:
        """Return an image's labels, or None if there is no such image."""
        try:
            found = await self._call(lambda: self._client.inspect_image(tag))  # type: ignore[no-untyped-call]
        except NotFound:
            return None
        return found["Config"].get("Labels") or {}

    async def image_platform(self, tag: str) -> tuple[str, str] | None:
        """Return an image's id and what it is for, such as `linux/amd64`, or None without it."""
        try:
            found = await self._call(lambda: self._client.inspect_image(tag))  # type: ignore[no-untyped-call]
        except NotFound:
            return None
        return str(found["Id"]), f"{found['Os']}/{found['Architecture']}"

    async def image_size(self, tag: str) -> int:
        """Return an image's size in bytes, with all that it is built on; 0 if it is not there."""
        try:
            found = await self._call(lambda: self._client.inspect_image(tag))  # type: ignore[no-untyped-call]
        except NotFound:
            return 0
        return int(found["Size"])

    async def platform(self) -> str:
        """Return what the engine's own images run on, such as `linux/amd64`."""
        found = await self._call(self._client.version)
        return f"{found['Os']}/{found['Arch']}"

    async def pull(self, name: str, said: Callable[[dict[str, Any]], None]) -> None:
        """Pull an image with its tag, or `latest`; every part of what the engine says is passed on.

        `said` is called from another thread.

        Raises:
            ExternalFailure: with what the engine said of it.
        """

        def pull() -> None:
            for part in self._client.pull(name, stream=True, decode=True):
                if error := one_line(str(part.get("error", "")), 300):
                    raise ExternalFailure(error)
                said(part)

        await self._call(pull)

    async def remove_stages(self, label: str) -> None:
        """Remove the untagged images with this label that builds of several stages leave."""
        filters = {"label": label, "dangling": True}
        for item in await self._call(lambda: self._client.images(filters=filters)):
            await self.remove_image(item["Id"])

    async def images(self, label: str) -> list[str]:
        """Return the tags of all images that carry this label, newest first."""
        found = await self._call(lambda: self._client.images(filters={"label": label}))
        return [tag for item in found for tag in item.get("RepoTags") or ()]

    async def build(
        self,
        context: bytes,
        tag: str,
        arguments: Mapping[str, str],
        labels: Mapping[str, str],
        progress: Callable[[str], None],
        *,
        network: str = "host",
        dockerfile: str = "Dockerfile",
        target: str = "",
        fresh: bool = False,
    ) -> None:
        """Build an image from a tar archive by the classic builder.

        Args:
            context: the archive, with a Dockerfile.
            tag: of the image.
            arguments: of the build.
            labels: of the image.
            progress: called from another thread, with one line at a time.
            network: that its commands have.
            dockerfile: its name in the archive.
            target: the stage to build; the last one if it is empty.
            fresh: run every command anew, so that packages are those of now.

        Raises:
            ExternalFailure: with what the build said last.
        """

        def build() -> None:
            stream = self._client.build(
                fileobj=io.BytesIO(context),
                custom_context=True,
                tag=tag,
                buildargs=dict(arguments),
                labels=dict(labels),
                network_mode=network,
                dockerfile=dockerfile,
                target=target or None,
                nocache=fresh,
                rm=True,
                forcerm=True,
                decode=True,
                timeout=_BUILD_SECONDS,
            )
            said = ""
            for part in stream:  # to its end, after which the SDK closes the connection
                said = said or one_line(str(part.get("error", "")), 400)
                for line in str(part.get("stream", "")).splitlines():
                    if text := one_line(line, 200):
                        progress(text)
            if said:
                raise ExternalFailure(f"the image cannot be built: {said}")

        await self._call(build)

    async def tag_image(self, image: str, tag: str) -> None:
        """Give an image another tag, which has the form `name:version`."""
        name, _, version = tag.rpartition(":")
        await self._call(lambda: self._client.tag(image, name, version, force=True))

    async def remove_image(self, tag: str) -> None:
        try:
            await self._call(lambda: self._client.remove_image(tag))
        except (NotFound, Conflict):
            return

    async def ensure_network(
        self, name: str, labels: Mapping[str, str], *, internal: bool = False
    ) -> None:
        """Make a bridge network; one that exists is left as it is.

        Args:
            name: of the network.
            labels: to find it again.
            internal: its containers reach each other and nothing else; otherwise they reach
                everything else, but not each other.
        """
        if await self._call(lambda: self._client.networks(names=[f"^{name}$"])):
            return
        try:
            await self._call(
                lambda: self._client.create_network(
                    name,
                    driver="bridge",
                    options={"com.docker.network.bridge.enable_icc": str(internal).lower()},
                    internal=internal,
                    labels=dict(labels),
                    check_duplicate=True,
                )
            )
        except Conflict:
            return  # another process made it in the meantime

    async def networks(self, labels: Mapping[str, str]) -> list[str]:
        filters = {"label": _label_filters(labels)}
        found = await self._call(lambda: self._client.networks(filters=filters))
        return [item["Name"] for item in found]

    async def remove_network(self, name: str) -> None:
        try:
            await self._call(lambda: self._client.remove_network(name))
        except NotFound:
            return

    async def ensure_volume(self, name: str, labels: Mapping[str, str]) -> None:
        await self._call(lambda: self._client.create_volume(name, labels=dict(labels)))

    async def volumes(self, labels: Mapping[str, str]) -> list[str]:
        filters = {"label": _label_filters(labels)}
        found = await self._call(lambda: self._client.volumes(filters=filters))
        return [item["Name"] for item in found.get("Volumes") or ()]

    async def remove_volume(self, name: str) -> None:
        try:
            await self._call(lambda: self._client.remove_volume(name))
        except NotFound:
            return

    async def ask(self, call: Callable[[APIClient], T]) -> T:
        """Make any call of the SDK in a thread. Raises what of `ctui.errors` fits."""
        return await self._call(lambda: call(self._client))

    async def _call(self, call: Callable[[], T]) -> T:
        job = asyncio.get_running_loop().run_in_executor(
            self._pool, translated_call, call, self.endpoint
        )
        return await answered(job, self.endpoint)


def _label_filters(labels: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" if value else name for name, value in labels.items()]
