"""The entries that name a task's user and group."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ctui.sandbox.docker.accounts import entry_of, with_entry


def test_a_base_s_user_with_the_task_s_uid_comes_behind_it() -> None:
    """Part 1: also for bases that have a user with this uid; the home is the same for all."""
    base = "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/bash\n"
    first, *others = with_entry(base, entry_of("passwd", 1000, 1000)).splitlines()
    assert first.split(":")[:4] == ["claude", "x", "1000", "1000"]
    assert first.split(":")[5] == "/home/claude"
    assert others == base.splitlines()


def test_a_base_s_user_of_the_same_name_gives_way() -> None:
    base = "claude:x:7:7::/srv:/bin/sh\n\nroot:x:0:0::/root:/bin/sh"
    text = with_entry(base, entry_of("passwd", 5, 6))
    assert [line.split(":")[:3] for line in text.splitlines()] == [
        ["claude", "x", "5"],
        ["root", "x", "0"],
    ]


@given(st.text(), st.integers(0, 2**32 - 1))
def test_whatever_a_base_has_the_task_is_the_first(base: str, number: int) -> None:
    for name in ("passwd", "group"):
        entry = entry_of(name, number, number)
        lines = with_entry(base, entry).splitlines()
        assert lines[0] == entry
        assert [line.split(":")[0] for line in lines].count("claude") == 1
