"""Files that a person attaches: copied as they are, bounded, and refused in one line."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ctui.claude.protocol.control import user_message
from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import UserMessage
from ctui.claude.protocol.media import LARGEST, MOST, fitting, media_block, media_type
from ctui.client.tasks import attaching
from ctui.client.tasks.attaching import GivenFile, staged
from ctui.errors import CtuiError
from ctui.paths import Paths
from ctui.tasks import attachments

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def given(paths: Paths, *sources: Path | str, task: str = "one") -> tuple[list[str], list[str]]:
    """Attach something to a task; return the names that it has there, and what was said."""
    said: list[str] = []
    with staged(paths, [str(source) for source in sources], said.append) as name:
        names = attachments.take(paths, task, name)
    return list(names), said


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0 and so on", "image/jpeg"),
        (b"GIF89a......", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"RIFF\0\0\0\0WAVE", ""),
        (b"\x89PN", ""),
        (b"", ""),
    ],
)
def test_a_file_is_what_it_begins_with(head: bytes, kind: str) -> None:
    """Not what its name says."""
    assert media_type(head) == kind


def test_a_message_holds_so_much_and_no_more() -> None:
    """Bytes of one, of all, and their number."""
    assert fitting([LARGEST, LARGEST, 1]) == [True, False, True]
    assert fitting([LARGEST + 1]) == [False]
    assert fitting([1] * (MOST + 1)) == [True] * MOST + [False]


def test_its_images_stand_before_the_text_and_its_echo_shows_the_text() -> None:
    """A line of the CLI's own form; the echo is decoded to what was said."""
    line = user_message("Look.", "u1", [media_block("a.png", PNG), media_block("b.pdf", b"%PDF-1")])
    event = decode(line.replace(b'"uuid"', b'"isReplay": true, "uuid"'))
    assert isinstance(event, UserMessage)
    assert [type(block).__name__ for block in event.blocks] == ["Other", "Other", "Text"]


def test_a_file_that_comes_with_a_call_arrives_like_any_other(paths: Paths, tmp_path: Path) -> None:
    """Beside paths, in their order; one that is said to be an image is one."""
    (tmp_path / "a.txt").write_text("here")
    files = [GivenFile("a.txt", b"sent"), GivenFile("s.png", PNG, "image/png")]
    said: list[str] = []
    with staged(paths, [str(tmp_path / "a.txt"), *files], said.append) as name:
        names = attachments.take(paths, "one", name)
    assert (names, said) == (("a.txt", "a-2.txt", "s.png"), [])
    folder = attachments.folder_of(paths, "one")
    assert (folder / "a-2.txt").read_bytes() == b"sent"
    assert (folder / "s.png").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (GivenFile("../x", b""), "'../x' is no file's name"),
        (GivenFile("..", b""), "'..' is no file's name"),
        (GivenFile("", b""), "is no file's name"),
        (GivenFile("a\0b", b""), "is no file's name"),
        (GivenFile("a\nb", b""), "is no file's name"),
        (GivenFile("\u00e9" * 101, b""), "is no file's name"),
        (GivenFile("x.png", b"text", "image/png"), "x.png is no image/png (leave its media_type"),
        (GivenFile("x.pdf", PNG, "application/pdf"), "is no application/pdf (it is image/png)"),
        (GivenFile("x", bytes(attaching._BYTES + 1)), "x is too large to be attached"),
    ],
    ids=list("abcdefghi"),
)
def test_a_file_of_a_call_that_cannot_be_one_leaves_nothing(
    file: GivenFile, words: str, paths: Paths
) -> None:
    with pytest.raises(CtuiError) as caught, staged(paths, [file], print):
        pass
    assert words in caught.value.one_line()
    assert not any((paths.state / "attaching").iterdir())


def test_files_and_folders_arrive_in_their_order(paths: Paths, tmp_path: Path) -> None:
    """Of two of a name both, folders without .git, all of it readable by the task's user."""
    (tmp_path / "z.png").write_bytes(PNG)
    (tmp_path / "in/deep").mkdir(parents=True, mode=0o700)
    (tmp_path / "in/deep/run.sh").write_text("true")
    (tmp_path / "in/deep/run.sh").chmod(0o700)
    (tmp_path / "in/.git").mkdir()
    (tmp_path / "in/.git/config").write_text("x")
    (tmp_path / "in/z.png").write_bytes(b"%PDF-1.4 whatever its name")
    (tmp_path / "link").symlink_to("z.png")
    sources = [tmp_path / "z.png", tmp_path / "in", tmp_path / "in/z.png", tmp_path / "link"]
    names, said = given(paths, *sources)
    assert names == ["z.png", "in", "z-2.png", "z-3.png"]
    assert said == []
    folder = attachments.folder_of(paths, "one")
    assert (folder / "in/deep/run.sh").stat().st_mode & 0o777 == 0o755
    assert not (folder / "in/.git").exists()
    assert folder.stat().st_mode & 0o777 == 0o755
    kinds = [block["source"]["media_type"] for block in attachments.blocks(folder, names)]
    assert kinds == ["image/png", "application/pdf", "image/png"]
    text = attachments.with_note("Look.", folder, names[:2])
    assert text == "Look.\n\n(Attached, read-only: /attached/z.png, /attached/in/)"
    assert not any((paths.state / "attaching").iterdir())
    # What is gone by the time that it is said again is left out.
    (folder / "z.png").unlink()
    assert len(attachments.blocks(folder, names)) == 2


def test_links_in_a_folder_lead_nowhere_else(paths: Paths, tmp_path: Path) -> None:
    """One that leads out is left out and said."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").write_text("a")
    (tmp_path / "in/out").symlink_to("/etc/passwd")
    names, said = given(paths, tmp_path / "in")
    assert names == ["in"]
    assert said == ["out is not attached: it is a link that leads out"]
    assert [file.name for file in (attachments.folder_of(paths, "one") / "in").iterdir()] == ["a"]


def test_what_cannot_be_attached_is_said_in_one_line(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing, a socket, a device, too large, too many; nothing is left of it."""
    monkeypatch.setattr(attaching, "_BYTES", 1000)
    monkeypatch.setattr(attaching, "_FILES", 3)
    (tmp_path / "large").write_bytes(bytes(1001))
    (tmp_path / "many").mkdir()
    for number in range(4):
        (tmp_path / f"many/{number}").touch()
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for sources, words in (
            (["gone"], "gone is not there"),
            (["socket"], "is neither a file nor a folder"),
            (["/dev/null"], "is neither a file nor a folder"),
            (["large"], "is too large to be attached"),
            (["many"], "is too large to be attached"),
            (["loop"], "loop cannot be read"),
            (["many/0"] * 51, "51 things are attached"),
            ([""], "is too large"),
            (["a\0b"], "cannot be read"),
        ):
            with pytest.raises(CtuiError, match=words) as caught:
                given(paths, *[tmp_path / source for source in sources])
            assert "\n" not in caught.value.one_line()
    assert not any((paths.state / "attaching").iterdir())


def test_only_what_a_command_staged_is_taken(paths: Paths) -> None:
    """A name that leads elsewhere is refused."""
    with pytest.raises(CtuiError, match="not where a command puts them"):
        attachments.take(paths, "one", "../tasks")
