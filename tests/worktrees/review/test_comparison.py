"""What is read of two trees is what differs between them, whatever the trees have."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ctui.worktrees.review.comparison import (
    ChangedFile,
    Trees,
    changed_files,
    patches,
    remarks,
)
from ctui.worktrees.review.hunks import MOST_LINES, Patch
from tests.worktrees.review.trees import FILE, LINK, SUBMODULE, Content, Entry, applied, trees

HOSTILE = [
    b"a\nb",
    b'"quoted"',
    b"tab\tand\\backslash",
    b"a b/c d",
    b"\xff\xfe",
    "naïve".encode(),
    b":(glob)*",
    b"-p",
    b"diff --git a",
    b"\x1b[2J",
]
NAMES = [b"a", b"b", b"folder/a", b"folder/b", *HOSTILE]
LINES = st.lists(
    st.sampled_from(
        [
            b"",
            b"x",
            b"y",
            b"diff --git a/x b/x",
            b"@@ -1 +1 @@",
            b"--- a",
            b"+++ b",
            b"\\ No",
            b"z\r",
        ]
    ),
    max_size=12,
)
TEXT = st.builds(lambda lines, end: b"\n".join(lines) + end, LINES, st.sampled_from([b"", b"\n"]))
ENTRY = st.builds(lambda data, mode: Entry(data or b"x", mode), TEXT, st.sampled_from([FILE, LINK]))
CONTENT = st.dictionaries(st.sampled_from(NAMES), ENTRY, max_size=6)


async def read(found: Trees) -> dict[bytes, tuple[ChangedFile, Patch]]:
    files = await changed_files(found)
    read = await patches(found, files)
    return {file.path: (file, read[file.path]) for file in files}


def compare(old: Content, new: Content) -> dict[bytes, tuple[ChangedFile, Patch]]:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(read(trees(Path(folder), old, new)))


@given(CONTENT, CONTENT)
@example({b"a": Entry(b"1\n2\n3\n4\n5\n")}, {b"b": Entry(b"1\n2\n3\n4\n6\n")})
@example({b"a": Entry(b"x\n")}, {b"a/b": Entry(b"x\n"), b"b": Entry(b"y\n")})
def test_what_is_read_turns_the_old_tree_into_the_new_one(old: Content, new: Content) -> None:
    found = compare(old, new)
    made = dict(old)
    for file, _ in found.values():
        made.pop(file.old_path, None)
    for path, (file, patch) in found.items():
        if file.status == "type-changed":
            assert {old[path].mode, new[path].mode} == {0o100644, LINK}
            made[path] = new[path]
        elif file.status != "deleted":
            before = b"" if file.status == "added" else old[file.old_path].data
            made[path] = Entry(applied(before, patch), int(file.new_mode, 8))
            added = sum(line.mark == "+" for hunk in patch.hunks for line in hunk.lines)
            assert file.added == added
    assert made == new


def test_what_is_not_shown_line_by_line_is_said_in_words() -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 5\n"
    text = b"".join(b"%d\n" % number for number in range(40))
    old = {
        b"script": Entry(text),
        b"picture": Entry(b"a\0b"),
        b"model": Entry(pointer % 1),
        b"module": Entry(b"1" * 40, SUBMODULE),
        b"old-name": Entry(text + b"more\n"),
        b"becomes": Entry(b"target"),
    }
    new = {
        b"script": Entry(text, 0o100755),
        b"picture": Entry(b"a\0c"),
        b"model": Entry(pointer % 2),
        b"module": Entry(b"2" * 40, SUBMODULE),
        b"new-name": Entry(text + b"more and more\n"),
        b"becomes": Entry(b"target", LINK),
        b"link": Entry(b"/etc/passwd", LINK),
        b"empty": Entry(b""),
        b"long": Entry(b"x\n" * (MOST_LINES + 7)),
        b"huge": Entry(b"y\n" * (5 << 20)),
    }
    found = {path: remarks(*pair) for path, pair in compare(old, new).items()}
    assert found == {
        b"becomes": ["a file became a link"],
        b"empty": ["empty"],
        b"huge": ["binary, or too large to be shown line by line"],
        b"link": ["a link"],
        b"long": ["7 more lines: too many to be shown here"],
        b"model": ["a pointer of Git LFS: the content is elsewhere"],
        b"module": ["a submodule, 1111111111 -> 2222222222"],
        b"new-name": ["renamed from old-name"],
        b"picture": ["binary, or too large to be shown line by line"],
        b"script": ["mode 100644 -> 100755"],
    }


async def test_settings_of_the_person_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git could show patches in many ways; the parser knows one."""
    config = tmp_path / "config"
    config.write_text(
        "[diff]\n noprefix = true\n mnemonicPrefix = true\n suppressBlankEmpty = true\n"
        " external = false\n context = 0\n renames = copies\n orderFile = /nonexistent\n"
        " submodule = log\n wordRegex = .\n colorMoved = zebra\n"
        "[color]\n diff = always\n ui = always\n[core]\n quotePath = false\n"
        '[diff "x"]\n textconv = false\n command = false\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    old = {b".gitattributes": Entry(b"* diff=x\n"), "ä".encode(): Entry(b"1\n\n2\n")}
    new = {**old, "ä".encode(): Entry(b"1\n\n3\n")}
    found = await read(trees(tmp_path / "git", old, new))
    (patch,) = [patch for _, patch in found.values()]
    assert [(line.mark, line.text) for line in patch.hunks[0].lines] == [
        (" ", b"1"),
        (" ", b""),
        ("-", b"2"),
        ("+", b"3"),
    ]
