"""Make a base ready for tasks: run once, by the tree's own Python, on top of whatever it is.

Nothing of the base has to be there, and what is there is left as it is, but for what is ctui's.
"""

from __future__ import annotations

import compileall
import contextlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

TREE = Path("/ctui/tree")
CLAUDE, CLAUDE_MODE = Path("/usr/local/bin/claude"), 0o111
LINKS = Path("/usr/local/bin")
OFFERED = ("bash", "git", "git-lfs", "python3", "rg", "scp", "ssh", "ssh-keygen")
"""Commands that a task finds in the tree where the base has none."""
OLDEST_GIT = (2, 31)
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep the certificates that they trust, all in one file."""
SHARED = {"zoneinfo": "Europe", "terminfo": "x", "git-core": "templates"}
"""Folders of data and what a whole one has; programs look for them below /usr/share."""
HOST = Path("/ctui/certificates/host.crt")


def main() -> None:
    """Do all of it."""
    make_places()
    offer_commands()
    trust_host()
    for name, inside in SHARED.items():
        if not any(Path(folder, name, inside).exists() for folder in ("/usr/share", "/lib")):
            share(Path("/usr/share", name))
    subprocess.run((CLAUDE, "--version"), stdout=subprocess.DEVNULL, check=True)
    compileall.compile_dir("/ctui/bin/relay", quiet=1)
    # It ends where nobody will ever say anything; what it loads is compiled by then.
    relay = (TREE / "bin/python3", "-I", "-S", "/ctui/bin/relay")
    subprocess.run(relay, stdin=subprocess.DEVNULL, check=True)


def make_places() -> None:
    """Make the folders and files that a sandbox's mounts lie over."""
    for folder in ("/workspace", "/ctui/git", "/etc/claude-code", "/usr/local/bin", "/bin"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    # Any uid can own its home: an empty volume takes the mode of this folder.
    for folder in ("/home/claude", "/tmp"):  # noqa: S108 - the image's own
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder).chmod(0o1777)
    for file in ("/etc/passwd", "/etc/group"):
        Path(file).touch()


def offer_commands() -> None:
    """Let a task find in the tree what the base lacks."""
    if not (CLAUDE.is_file() and CLAUDE.stat().st_mode & 0o777 == CLAUDE_MODE):
        sys.exit(f"this base has a {CLAUDE} that cannot be replaced: remove it there")
    if not Path("/bin/sh").exists():
        put_link(Path("/bin/sh"), "dash")
    for name in OFFERED:
        if shutil.which(name) is None:
            put_link(LINKS / name, name)
    if is_old(shutil.which("git") or ""):
        put_link(LINKS / "git", "git")


def put_link(link: Path, name: str) -> None:
    """Let a path lead to a program of the tree, whatever is there."""
    with contextlib.suppress(FileNotFoundError):
        link.unlink()
    link.symlink_to(TREE / "bin" / name)


def is_old(git: str) -> bool:
    """Return True for a git that cannot do what the git directory of a task needs."""
    try:
        said = subprocess.run((git, "--version"), check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return True
    version = re.search(rb"(\d+)\.(\d+)", said)
    return version is None or tuple(map(int, version.groups())) < OLDEST_GIT


def trust_host() -> None:
    """Add the host's certificates to the base's, or bring some where it has none."""
    host = HOST.read_bytes() if HOST.is_file() else b""
    found = {Path(name).resolve() for name in BUNDLES if Path(name).is_file()}
    for bundle in found:
        content = bundle.read_bytes()
        if host and host not in content:
            bundle.write_bytes(content + b"\n" + host)
    first = Path(BUNDLES[0])
    if not first.is_file():
        first.parent.mkdir(parents=True, exist_ok=True)
        content = next(iter(found), TREE / "certificates.crt").read_bytes()
        with contextlib.suppress(FileNotFoundError):
            first.unlink()
        first.write_bytes(content)


def share(folder: Path) -> None:
    """Let a folder of data lead to the tree's."""
    with contextlib.suppress(OSError):
        if folder.is_dir() and not folder.is_symlink():
            folder.rmdir()
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(TREE / folder.name)


if __name__ == "__main__":
    main()
