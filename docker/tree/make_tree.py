"""Collect programs of this Debian with all that they load, so that they run beside any base.

A program of the tree names the tree's own loader, and that loader knows no folder but the tree's.
So neither the base's libc nor its package manager matters, nothing of the base is loaded, and a
program is still started as itself: without a wrapper, `/proc/self/exe` is what it should be, and
the kernel's rules for a file that cannot be read hold.

Names inside the binaries are overwritten in place by names that are no longer. Nothing moves, so
that also works where a program carries more than its ELF file, as the CLI's does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TREE = Path("/ctui/tree")
PROGRAMS = {
    "bash": "/bin/bash",
    "dash": "/bin/dash",
    "git": "/usr/bin/git",
    "git-lfs": "/usr/bin/git-lfs",
    "python3": "/usr/bin/python3",
    "rg": "/usr/bin/rg",
    "scp": "/usr/bin/scp",
    "sftp-server": "/usr/lib/openssh/sftp-server",
    "ssh": "/usr/bin/ssh",
    "ssh-keygen": "/usr/bin/ssh-keygen",
    "sshd": "/usr/sbin/sshd",
}
LOADED_LATER = ("libgcc_s.so.1", "libstdc++.so.6", "libz.so.1")
"""Libraries that no program names: threads that end, and the CLI's modules, load them."""
UNUSED_GIT = (
    "git-daemon",
    "git-http-backend",
    "git-imap-send",
    "git-shell",
    "mergetools",
    "scalar",
)
UNUSED_PYTHON = (
    "distutils",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "pydoc_data",
    "test",
    "tkinter",
    "turtledemo",
    "unittest",
)
VARIABLES = (b"\x48\xb8LIBRARY_", b"\x81\x39PREL", b"\x81\x39AUDI")
"""Instructions (x86-64) by which a loader tells LD_LIBRARY_PATH, LD_PRELOAD and LD_AUDIT."""
_ELF = b"\x7fELF"


def main(root: Path) -> None:
    """Make the tree below a folder that will be the root."""
    tree = root / TREE.relative_to("/")
    library = tree / "lib"
    library.mkdir(parents=True)
    for name, source in PROGRAMS.items():
        shutil.copy(os.path.realpath(source), tree / "bin" / name)
    _copy_git(tree)
    _copy_python(library)
    twice = shutil.ignore_patterns("right", "posix", "tzdata.zi", "leap*")
    shutil.copytree("/usr/share/zoneinfo", tree / "zoneinfo", symlinks=True, ignore=twice)
    shutil.copytree("/lib/terminfo", tree / "terminfo", symlinks=True)
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", tree / "certificates.crt")
    claude = root / "ctui/claude"
    for part in needed([claude, *(path for path in tree.rglob("*") if is_elf(path))]):
        shutil.copy(part, library / part.name)
    loader = interpreter(Path(PROGRAMS["python3"]))
    shutil.copy(os.path.realpath(loader), tree / "ld.so")
    for path in [claude, *(path for path in tree.rglob("*") if is_elf(path))]:
        overwrite(path, names(loader))
    seal_loader(tree / "ld.so")
    _write_cache(root)
    # A program that cannot be read cannot be looked into while it runs: the kernel gives its /proc
    # entries to root, and nobody may trace it.
    claude.chmod(0o111)


def _copy_git(tree: Path) -> None:
    """Copy git's own folder: its commands that need no Perl, most of which are git itself."""
    git = Path("/usr/bin/git").stat().st_ino
    (tree / "git").mkdir()
    for source in sorted(Path("/usr/lib/git-core").iterdir()):
        target = tree / "git" / source.name
        if source.name in UNUSED_GIT:
            continue
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        elif source.stat().st_ino == git:
            target.symlink_to("../bin/git")
        elif source.is_symlink():
            target.symlink_to(source.readlink().name)
        elif b"perl" not in source.read_bytes()[:64]:
            shutil.copy(source, target)
    shutil.copytree("/usr/share/git-core/templates", tree / "git-core/templates")


def _copy_python(library: Path) -> None:
    """Copy the standard library; Python finds it from where its program is."""
    source = Path(f"/usr/lib/python3.{sys.version_info.minor}")
    ignore = shutil.ignore_patterns(*UNUSED_PYTHON, "config-*", "__pycache__", "EXTERNALLY-MANAGED")
    shutil.copytree(source, library / source.name, ignore=ignore)
    for link in (library / source.name).rglob("*"):
        if link.is_symlink():
            link.unlink()  # to what Debian configures below /etc


def is_elf(path: Path) -> bool:
    """Return True for a file that is a program or a library."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == _ELF


def needed(files: list[Path]) -> set[Path]:
    """Return the libraries that these files load, directly or not."""
    said = subprocess.run(("ldconfig", "-p"), check=True, capture_output=True, text=True).stdout
    known = dict(re.findall(r"^\s+(\S+) \(.*\) => (\S+)$", said, re.MULTILINE)[::-1])
    found = {Path(known[name]) for name in LOADED_LATER}
    for file in [*files, *found]:
        said = subprocess.run(("ldd", file), check=False, capture_output=True, text=True).stdout
        if "not found" in said:
            sys.exit(f"{file} needs what is not there: {said}")
        found.update(Path(path) for path in re.findall(r"=> (/\S+) \(", said))
    return found


def interpreter(program: Path) -> str:
    """Return the loader that a program of this machine names."""
    content = program.read_bytes()[: 1 << 14]
    match = re.search(rb"/lib(?:64)?/ld-linux[a-z0-9_.-]*\.so\.\d", content)
    if match is None:
        sys.exit(f"{program} names no loader")
    return match.group().decode()


def names(loader: str) -> dict[bytes, bytes]:
    """Return what programs say of where they find things, and what they say instead."""
    return {
        loader.encode(): bytes(TREE / "ld.so"),
        b"/usr/lib/git-core": bytes(TREE / "git"),
    }


def overwrite(path: Path, changes: dict[bytes, bytes]) -> None:
    """Replace whole strings of a file in place, filled up with NULs."""
    content = path.read_bytes()
    changed = content
    for old, new in changes.items():
        if len(new) > len(old):
            sys.exit(f"{new!r} is longer than {old!r}")
        changed = changed.replace(b"\0" + old + b"\0", b"\0" + new.ljust(len(old) + 1, b"\0"))
    if changed != content:
        path.write_bytes(changed)


def seal_loader(loader: Path) -> None:
    """Let a loader know the tree's folder and list of libraries, and no other."""
    content = loader.read_bytes()
    folders = re.search(rb"(?:/(?:usr/)?lib(?:/[a-z0-9_-]+-linux-gnu)?/\0){4}", content)
    cache, preload = b"/etc/ld.so.cache\0", b"/etc/ld.so.preload\0"
    if folders is None or cache not in content or preload not in content:
        sys.exit("this loader cannot be sealed")
    ours = bytes(TREE / "lib")
    instead = b"".join(
        (ours if len(one) > len(ours) else b"/ctui").ljust(len(one), b"/") + b"\0"
        for one in folders.group().split(b"\0")[:-1]
    )
    content = content.replace(folders.group(), instead)
    content = content.replace(cache, bytes(TREE / "cache").ljust(len(cache), b"\0"))
    content = content.replace(preload, bytes(TREE / "preload").ljust(len(preload), b"\0"))
    if all(content.count(variable) == 1 for variable in VARIABLES):
        # A base may set them for its own programs, to libraries that this libc cannot load.
        for variable in VARIABLES:
            content = content.replace(variable, variable[:2] + b"\1" + variable[3:])
    else:
        print("the tree's loader heeds LD_LIBRARY_PATH, LD_PRELOAD and LD_AUDIT of a base")
    loader.write_bytes(content)


def _write_cache(root: Path) -> None:
    configuration = root / "libraries"
    configuration.write_text(f"{TREE / 'lib'}\n")
    command = ("ldconfig", "-X", "-r", str(root), "-f", "/libraries", "-C", str(TREE / "cache"))
    subprocess.run(command, check=True)
    configuration.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
