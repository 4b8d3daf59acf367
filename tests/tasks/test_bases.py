"""Tasks on bases that have nothing of Debian.

No registry can be reached where these tests run, so the bases are made here: what Debian's packages
`busybox-static` and `musl` hold, and nothing else, as `FROM scratch` images. They stand for Alpine,
for distroless images, and for those that want to be rid of a sandbox.
"""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import shutil
import subprocess
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from ctui.config import ImageConfig
from ctui.errors import NotFound, Unavailable
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import build_image, require_image
from ctui.sandbox.docker.toolchain import File, make_tar
from ctui.tasks import calls
from tests.conftest import ENGINE_WIDE
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, ENGINE_WIDE]

PACKAGES = ("busybox-static", "musl")
APPLETS = ("cat", "echo", "env", "grep", "head", "id", "ls", "mkdir", "rm", "sed", "sh", "tr")
PASSWD = "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n"
GARBAGE = "this is no library\n"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the packages hold, without installing them."""
    if shutil.which("apt-get") is None:
        pytest.skip("the bases are made of Debian's packages")
    folder = tmp_path_factory.mktemp("packages")
    download = ["apt-get", "download", "-qq", *PACKAGES]
    if subprocess.run(download, cwd=folder, check=False, capture_output=True).returncode:
        subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
        subprocess.run(download, cwd=folder, check=True, capture_output=True)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True)
    return folder / "root"


def bare_base(unpacked: Path) -> bytes:
    """Return a file system with a shell, musl, and traps for whoever looks for glibc in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(unpacked / "bin/busybox", "bin/busybox")
        (musl,) = unpacked.glob("lib/*-linux-musl/libc.so")
        archive.add(musl, f"lib/ld-musl-{musl.parent.name.split('-')[0]}.so.1")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        traps = {
            f"{place}/{name}": GARBAGE
            for place in ("lib", "usr/lib", "lib64", "lib/x86_64-linux-gnu")
            for name in ("libc.so.6", "libm.so.6", "libpthread.so.0", "libz.so.1")
        }
        unique = secrets.token_hex(8)  # so that the image is nobody else's
        files = {"etc/passwd": PASSWD, "etc/ld.so.preload": "/lib/libc.so.6\n", "etc/mark": unique}
        for name, text in {**traps, **files}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def imported(tag: str, content: bytes) -> str:
    change = ("--change", "ENV LD_LIBRARY_PATH=/lib LD_PRELOAD=/lib/libc.so.6")
    command = ["docker", "import", *change, "-", tag]
    subprocess.run(command, input=content, check=True, capture_output=True)
    return tag


def loaded(tag: str, content: bytes, architecture: str) -> str:
    """Load an image for another processor, which `docker import` cannot make."""
    layer = f"sha256:{hashlib.sha256(content).hexdigest()}"
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]
    files = {
        "config.json": File(json.dumps(config).encode()),
        "layer.tar": File(content),
        "manifest.json": File(json.dumps(manifest).encode()),
    }
    command = ["docker", "load"]
    subprocess.run(command, input=make_tar(files), check=True, capture_output=True)
    return tag


@pytest.fixture
def base(unpacked: Path) -> Iterator[str]:
    tag = imported(f"ctui-test-base:{secrets.token_hex(6)}", bare_base(unpacked))
    yield tag
    subprocess.run(["docker", "rmi", "-f", tag], check=False, capture_output=True)


@pytest_asyncio.fixture
async def engine_here() -> AsyncIterator[Engine]:
    engine = await Engine.connect()
    yield engine
    await engine.close()


async def test_a_task_works_on_a_base_without_glibc_tools_or_package_manager(
    person: Person, engine_here: Engine, base: str
) -> None:
    """Part 1: the CLI, relay, Python, git, git-lfs and sshd need nothing of the base.

    Also its uid has a name although the base has a user with it, and its home is the usual one.
    """
    said: list[str] = []
    image = await build_image(engine_here, ImageConfig(base=base), said.append)
    try:
        config = person.world.paths.config_file
        config.write_text(config.read_text() + f'\n[image]\nbase = "{base}"\n')
        steps = (
            "bash test ! -e /usr/bin/apt-get && test ! -e /lib64/ld-linux-x86-64.so.2 && echo BARE",
            "bash /lib/ld-musl-*.so.1 2>&1 | head -n 1",
            "bash echo hello > new && git add new && git commit -qm 'On a bare base' && echo MADE",
            "bash git lfs version; rg --version; python3 -c 'import ctypes; print(\"PYTHON\")'",
            "bash echo $(id -un) $(id -gn) $HOME ~; head -n 1 /etc/passwd",
            "bash grep -c '/etc/passwd .* ro,' /proc/mounts && echo READ-ONLY",
            "bash ssh -F none -o BatchMode=yes 127.0.0.1 true",
            "bash ssh-keygen -q -t ed25519 -N '' -f /tmp/key",
            "bash /ctui/tree/bin/sshd -t -f /dev/null -h /tmp/key && echo SSHD",
            "say Done.",
        )
        await person.start("bare", *steps, skip_permissions=True)
        assert (await person.idle("bare")).result == "Done."
        output = person.tool_output("bare")
        for expected in (
            "BARE",
            "musl libc",
            "MADE",
            "git-lfs/",
            "ripgrep",
            "PYTHON",
            "claude claude /home/claude /home/claude",
            "claude:x:",
            "READ-ONLY",
            "Connection refused",
            "SSHD",
        ):
            assert expected in output, (expected, output)
        await a_ready_made_image_is_used_as_it_is(engine_here, image, base)
    finally:
        with suppress(NotFound):  # its container has the image
            await person.client.call(calls.StopTask("bare"))
        built = {line.split()[1] for line in said if line.startswith("building ctui:")}
        for tag in (image, *built):
            await engine_here.remove_image(tag)


async def a_ready_made_image_is_used_as_it_is(engine: Engine, image: str, base: str) -> None:
    """Part 1: `image.name`; one that ctui did not make is refused in one line."""
    name = f"registry.example/ctui-test:{secrets.token_hex(6)}"
    await engine.tag_image(image, name)
    try:
        said: list[str] = []
        assert await build_image(engine, ImageConfig(name=name), said.append) == name
        assert said == [f"{name} is up to date"]
        assert await require_image(engine, ImageConfig(name=name)) == name
        with pytest.raises(Unavailable, match="has no CLI and relay") as caught:
            await build_image(engine, ImageConfig(name=base), said.append)
        assert "image.base" in caught.value.hint
    finally:
        await engine.remove_image(name)


async def test_what_cannot_be_had_or_used_is_said_before_anything_is_built(
    engine_here: Engine, unpacked: Path
) -> None:
    """Part 1: no such image in a registry; one for another processor."""
    said: list[str] = []
    missing = f"registry.invalid/{secrets.token_hex(6)}"
    for setting, config in (
        ("base", ImageConfig(base=missing)),
        ("name", ImageConfig(name=missing)),
    ):
        with pytest.raises(Unavailable, match="cannot be pulled") as caught:
            await build_image(engine_here, config, said.append)
        assert f"image.{setting}" in caught.value.hint
    foreign = loaded(f"ctui-test-base:{secrets.token_hex(6)}", bare_base(unpacked), "s390x")
    try:
        with pytest.raises(Unavailable, match="is for linux/s390x, and the engine runs linux/"):
            await build_image(engine_here, ImageConfig(base=foreign), said.append)
    finally:
        await engine_here.remove_image(foreign)
    assert not any(line.startswith("building") for line in said)
