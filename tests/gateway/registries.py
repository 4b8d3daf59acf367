"""Registries of the test's own, as files: what each client of a task's asks for, and its answer."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import shutil
import ssl
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ctui.sandbox.spec import Mount
from tests.conftest import git

HELLO = "hello from outside"

_CARGO = """[package]
name = "x"
version = "0.1.0"
edition = "2021"
[lib]
path = "x.rs"
[dependencies]
tiny = {{ version = "1", registry = "own" }}
"""

CLIENTS = {
    "curl": "curl -sS -m 20 {url}/page",
    "curl without a proxy": "env -u HTTPS_PROXY -u https_proxy curl -sS -m 20 {url}/page",
    "git": "git clone -q {url}/repository.git /tmp/clone && cat /tmp/clone/hello.txt",
    "urllib": "python3 -c \"import urllib.request as u; print(u.urlopen('{url}/page').read())\"",
    "node's fetch": "node -e \"fetch('{url}/page').then(r => r.text()).then(console.log)\"",
    "npm": "cd /tmp && npm install --no-fund --no-audit --fetch-retries=0 --prefix /tmp/n"
    " --registry {url}/npm/ tiny && cat /tmp/n/node_modules/tiny/index.js",
    "pip": "pip install -q --retries 0 --no-cache-dir --no-deps --target /tmp/p"
    " --index-url {url}/simple tiny && cat /tmp/p/tiny.py",
    "uv": "uv pip install -q --no-cache --target /tmp/u --index-url {url}/simple tiny"
    " && cat /tmp/u/tiny.py",
    "ssh": "ssh -v -o BatchMode=yes -o StrictHostKeyChecking=no -p {ssh} host true 2>&1"
    " | grep 'remote software version hello'",
}
"""Commands of clients that the image has; with `hello` in what they say, they came there."""

_TOOLCHAINS = {
    "go": "GOPATH=/tmp/go GOCACHE=/tmp/go/cache GOTOOLCHAIN=local GOSUMDB=off GOPROXY={url}/go"
    " {home}/bin/go mod download example.org/tiny@v1.0.0"
    " && cat /tmp/go/pkg/mod/example.org/tiny@v1.0.0/tiny.go",
    "cargo": "mkdir -p /tmp/x && cd /tmp/x && touch x.rs && printf '%s' '{manifest}' > Cargo.toml"
    " && export PATH={home}/bin:$PATH CARGO_HOME=/tmp/cargo CARGO_NET_RETRY=0"
    " && CARGO_REGISTRIES_OWN_INDEX=sparse+{url}/cargo/ cargo fetch"
    " && cat /tmp/cargo/registry/src/*/tiny-1.0.0/src/lib.rs",
}


def toolchains() -> tuple[dict[str, str], tuple[Mount, ...]]:
    """Return commands of the clients whose toolchain this machine has, and mounts of these."""
    found = {"go": _said("go", "env", "GOROOT"), "cargo": _said("rustc", "--print", "sysroot")}
    commands, mounts = {}, []
    for name, folder in found.items():
        if folder and (Path(folder) / "bin" / name).is_file():
            home = f"/opt/{name}"
            mounts.append(Mount(folder, home, read_only=True))
            command = _TOOLCHAINS[name].replace("{home}", home)
            commands[name] = command.replace("{manifest}", _CARGO)
    return commands, tuple(mounts)


def _said(program: str, *arguments: str) -> str:
    if shutil.which(program) is None:
        return ""
    done = subprocess.run((program, *arguments), capture_output=True, text=True, check=False)
    return done.stdout.strip()


@contextmanager
def site(folder: Path, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve a folder at a port of this machine, by HTTPS with a context."""

    class Files(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def fill(folder: Path, repository: Path, url: str) -> None:
    """Put a page, a repository and a package of each kind into a folder that is served there."""
    (folder / "page").write_text(f"{HELLO}\n")
    git(folder, "clone", "-q", "--bare", str(repository), "repository.git")
    git(folder / "repository.git", "update-server-info")
    _npm(folder, url)
    _wheel(folder / "simple/tiny")
    _module(folder / "go/example.org/tiny/@v")
    _crate(folder / "cargo", url)


def _npm(folder: Path, url: str) -> None:
    packed = _packed(
        {
            "package/package.json": '{"name": "tiny", "version": "1.0.0"}',
            "package/index.js": f"{HELLO}\n",
        }
    )
    (folder / "npm").mkdir()
    (folder / "tiny-1.0.0.tgz").write_bytes(packed)
    digest = hashlib.sha1(packed, usedforsecurity=False).hexdigest()
    dist = {"tarball": f"{url}/tiny-1.0.0.tgz", "shasum": digest}
    version = {"name": "tiny", "version": "1.0.0", "dist": dist}
    tiny = {"name": "tiny", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    (folder / "npm/tiny").write_text(json.dumps(tiny))


def _wheel(folder: Path) -> None:
    folder.mkdir(parents=True)
    wheel = folder / "tiny-1.0.0-py3-none-any.whl"
    about = "tiny-1.0.0.dist-info"
    names = ("tiny.py", f"{about}/METADATA", f"{about}/WHEEL", f"{about}/RECORD")
    texts = (
        f"# {HELLO}\n",
        "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0.0\n",
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "".join(f"{name},,\n" for name in names),
    )
    with zipfile.ZipFile(wheel, "w") as file:
        for name, text in zip(names, texts, strict=True):
            file.writestr(name, text)
    (folder / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')


def _module(folder: Path) -> None:
    """Write what a module proxy has of a module (go.dev/ref/mod#goproxy-protocol)."""
    folder.mkdir(parents=True)
    mod = "module example.org/tiny\n"
    (folder / "v1.0.0.info").write_text('{"Version": "v1.0.0"}')
    (folder / "v1.0.0.mod").write_text(mod)
    with zipfile.ZipFile(folder / "v1.0.0.zip", "w") as file:
        file.writestr("example.org/tiny@v1.0.0/go.mod", mod)
        file.writestr("example.org/tiny@v1.0.0/tiny.go", f"// {HELLO}\npackage tiny\n")


def _crate(folder: Path, url: str) -> None:
    """Write a sparse index and its one crate (doc.rust-lang.org/cargo/reference/registry-index)."""
    (folder / "ti/ny").mkdir(parents=True)
    manifest = '[package]\nname = "tiny"\nversion = "1.0.0"\nedition = "2021"\n'
    packed = _packed({"tiny-1.0.0/Cargo.toml": manifest, "tiny-1.0.0/src/lib.rs": f"// {HELLO}\n"})
    (folder / "tiny.crate").write_bytes(packed)
    (folder / "config.json").write_text(json.dumps({"dl": f"{url}/cargo/{{crate}}.crate"}))
    entry = {"name": "tiny", "vers": "1.0.0", "deps": [], "features": {}, "yanked": False}
    entry["cksum"] = hashlib.sha256(packed).hexdigest()
    (folder / "ti/ny/tiny").write_text(json.dumps(entry) + "\n")


def debian_archive(folder: Path) -> None:
    """Write a flat archive of one package for apt (wiki.debian.org/DebianRepository/Format)."""
    folder.mkdir()
    about = "Package: tiny\nVersion: 1.0\nArchitecture: all\nMaintainer: Test <test@example.org>\n"
    about += "Description: tiny\n"
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": _packed({"./control": about}),
        "data.tar.gz": _packed({"./usr/local/share/tiny": f"{HELLO}\n"}),
    }
    package = b"!<arch>\n"
    for name, data in parts.items():
        # Of ar(5): name, time, owner, group, mode, size.
        package += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        package += data + b"\n" * (len(data) % 2)
    (folder / "tiny.deb").write_bytes(package)
    place = f"Filename: ./tiny.deb\nSize: {len(package)}\n"
    digest = f"SHA256: {hashlib.sha256(package).hexdigest()}\n"
    (folder / "Packages").write_text(about + place + digest)


def _packed(files: dict[str, str]) -> bytes:
    """Return a tar archive of these files, compressed."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()
