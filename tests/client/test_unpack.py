"""Archives of a task, as hostile as they can be: nothing gets out of where it belongs."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.client.access.unpack import unpack
from ctui.errors import CtuiError, Refused

Member = tuple[str, str, object]
"""A name, a kind (`file`, `dir`, `link`, `hard`, `fifo`), and its content or where it leads."""


def archive(*members: Member, mode: int = 0o644) -> io.BytesIO:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as file:
        for name, kind, given in members:
            info = tarfile.TarInfo(name)
            info.mode = mode
            data = b""
            match kind:
                case "file":
                    data = bytes(given)  # type: ignore[call-overload]
                    info.size = len(data)
                case "dir":
                    info.type = tarfile.DIRTYPE
                case "link" | "hard":
                    info.type = tarfile.SYMTYPE if kind == "link" else tarfile.LNKTYPE
                    info.linkname = str(given)
                case "fifo":
                    info.type = tarfile.FIFOTYPE
            file.addfile(info, io.BytesIO(data))
    made.seek(0)
    return made


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of the person beside the place that is copied to."""
    file = tmp_path / "secret"
    file.write_text("mine")
    (tmp_path / "here").mkdir()
    return file


def unpacked(tmp_path: Path, *members: Member, root: str = "src", mode: int = 0o644) -> list[str]:
    told: list[str] = []
    unpack(archive(*members, mode=mode), root, tmp_path / "here" / "copy", told.append)
    return told


def test_a_folder_is_copied_with_its_links_as_links(tmp_path: Path, secret: Path) -> None:
    """Part 5: files, folders, links, modes without setuid; what is neither is said."""
    told = unpacked(
        tmp_path,
        ("src", "dir", None),
        ("src/deep", "dir", None),
        ("src/deep/b", "file", b"two"),
        ("src/out", "link", str(secret)),
        ("src/same", "hard", "src/deep/b"),
        ("src/pipe", "fifo", None),
        mode=0o4755,
    )
    copy = tmp_path / "here/copy"
    assert (copy / "deep/b").read_text() == "two"
    assert (copy / "out").readlink() == secret
    assert (copy / "same").samefile(copy / "deep/b")
    assert (copy / "deep/b").stat().st_mode & 0o7111 == 0o111
    assert told == ["left out copy/pipe: no file, folder or link"]


ESCAPES: dict[str, tuple[Member, ...]] = {
    "upwards": (("src/../../secret", "file", b"theirs"),),
    "absolute": (("/{secret}", "file", b"theirs"),),
    "another name": (("secret", "file", b"theirs"),),
    "through a link": (
        ("src", "dir", None),
        ("src/up", "link", "{parent}"),
        ("src/up/secret", "file", b"theirs"),
    ),
    "through a link to a folder that is there": (
        ("src", "link", "{parent}"),
        ("src/secret", "file", b"theirs"),
    ),
    "a folder over a link": (
        ("src", "link", "{parent}"),
        ("src", "dir", None),
        ("src/secret", "file", b"theirs"),
    ),
    "a hard link out": (("src/x", "hard", "{secret}"), ("src/x", "file", b"theirs")),
    "a hard link upwards": (("src/x", "hard", "src/../../secret"),),
    "a hard link through a link": (
        ("src", "dir", None),
        ("src/up", "link", "{parent}"),
        ("src/x", "hard", "src/up/secret"),
    ),
}


@pytest.mark.parametrize("way", ESCAPES)
def test_no_way_out(tmp_path: Path, secret: Path, way: str) -> None:
    """Part 5: no path from the archive leaves the place that was named."""

    def filled(value: object) -> object:
        if not isinstance(value, str):
            return value
        return value.format(secret=secret, parent=tmp_path)

    members = tuple((str(filled(name)), kind, filled(to)) for name, kind, to in ESCAPES[way])
    with pytest.raises(CtuiError):
        unpacked(tmp_path, *members)
    assert secret.read_text() == "mine"
    assert secret.stat().st_nlink == 1


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path, secret: Path) -> None:
    """Part 5: neither one that an earlier copy brought, nor one of this archive."""
    (tmp_path / "here/copy").mkdir()
    (tmp_path / "here/copy/a").symlink_to(secret)
    unpacked(
        tmp_path,
        ("src", "dir", None),
        ("src/a", "file", b"one"),
        ("src/b", "link", str(secret)),
        ("src/b", "file", b"two"),
    )
    assert secret.read_text() == "mine"
    assert (tmp_path / "here/copy/a").read_text() == "one"
    assert (tmp_path / "here/copy/b").read_text() == "two"


@pytest.mark.parametrize("root", ["src", "."])
@pytest.mark.parametrize("git", [".git", ".GIT", "deep/.git"])
def test_nothing_comes_that_git_would_run(tmp_path: Path, root: str, git: str) -> None:
    """`TASK:FOLDER/. .` in a checkout: its hooks and settings are the person's."""
    hooks = tmp_path / "here/copy" / git / "hooks"
    hooks.mkdir(parents=True)
    told = unpacked(
        tmp_path,
        *((f"{root}/{git}", "dir", None), (f"{root}/{git}/hooks", "dir", None)),
        *((f"{root}/{git}/hooks/pre-commit", "file", b"evil"), (f"{root}/b", "file", b"two")),
        root=root,
    )
    assert list(hooks.iterdir()) == []
    assert (tmp_path / "here/copy/b").read_text() == "two"
    assert told[0].endswith(f"{git}: git of this machine would run what it says")
    unpacked(tmp_path, (root, "dir", None), (f"{root}/{git}", "file", b"gitdir: /x"), root=root)
    assert hooks.is_dir()


def test_a_repository_s_own_folder_comes_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    assert unpacked(tmp_path, (".git", "dir", None), (".git/a", "file", b"1"), root=".git") == []
    assert (tmp_path / "here/copy/a").read_text() == "1"


def test_files_that_are_there_are_overwritten_as_cp_does(tmp_path: Path) -> None:
    """Part 5: content goes, mode stays; a folder is never replaced by a file, nor the other way."""
    copy = tmp_path / "here/copy"
    copy.mkdir(parents=True)
    (copy / "a").write_text("a longer text")
    (copy / "a").chmod(0o600)
    (copy / "b").mkdir()
    (copy / "c").write_text("")
    unpacked(tmp_path, ("src/a", "file", b"short"))
    assert (copy / "a").read_text() == "short"
    assert (copy / "a").stat().st_mode & 0o777 == 0o600
    for name, kind in (("b", "file"), ("b", "link"), ("c", "dir")):
        with pytest.raises(CtuiError, match="cannot be written"):
            unpacked(tmp_path, (f"src/{name}", kind, b"" if kind == "file" else "x"))
    os.mkfifo(copy / "pipe")
    with pytest.raises(CtuiError, match="cannot be written"):
        unpacked(tmp_path, ("src/pipe", "file", b"x"))


def test_a_file_and_what_is_in_a_folder(tmp_path: Path, secret: Path) -> None:
    """Part 5: `TASK:FILE NAME` and `TASK:FOLDER/.`."""
    del secret
    unpacked(tmp_path, ("src", "file", b"one"))
    assert (tmp_path / "here/copy").read_text() == "one"
    (tmp_path / "here/copy").unlink()
    unpacked(tmp_path, (".", "dir", None), ("./a", "file", b"two"), root=".")
    assert (tmp_path / "here/copy/a").read_text() == "two"
    with pytest.raises(Refused):
        unpacked(tmp_path, ("./../b", "file", b"x"), root=".")


def test_a_header_claims_no_memory(tmp_path: Path, secret: Path) -> None:
    """Part 5: names and attributes are read whole, so there is a limit to them."""
    del secret
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE):
        info = tarfile.TarInfo("src")
        info.type, info.size = kind, 8 << 30
        stream = io.BytesIO(info.tobuf(tarfile.GNU_FORMAT))
        with pytest.raises(CtuiError):
            unpack(stream, "src", tmp_path / "here/copy", lambda _: None)
    assert not (tmp_path / "here/copy").exists()


def _cut(whole: bytes, at: int) -> bytes:
    return whole[: len(whole) - at]


def _flip(whole: bytes, at: int) -> bytes:
    return whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]


@given(st.sampled_from([_cut, _flip]), st.integers(0, 3 * 512), st.binary(max_size=700))
def test_a_damaged_archive_is_one_error_or_none(
    tmp_path_factory: pytest.TempPathFactory,
    damage: Callable[[bytes, int], bytes],
    at: int,
    content: bytes,
) -> None:
    """Part 5: whatever comes, it is an error in words, and the neighbour is as it was."""
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "here").mkdir()
    (folder / "secret").write_text("mine")
    whole = archive(("src", "dir", None), ("src/a", "file", content)).getvalue()
    with contextlib.suppress(CtuiError):
        unpack(io.BytesIO(damage(whole, at)), "src", folder / "here/copy", lambda _: None)
    assert (folder / "secret").read_text() == "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["here", "secret"]
