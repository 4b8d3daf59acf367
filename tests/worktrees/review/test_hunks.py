"""Hunks of what a task wrote to be hard to read."""

from __future__ import annotations

import tracemalloc

from ctui.worktrees.review.hunks import MOST_LINES, parse_patches


def test_lines_that_are_not_shown_take_no_memory() -> None:
    count = 20 * MOST_LINES
    head = b"diff --git a/x b/x\n--- /dev/null\n+++ b/x\n"
    data = head + b"@@ -0,0 +1,%d @@\n" % count + b"+x\n" * count
    tracemalloc.start()
    patch = parse_patches(data)[b"x"]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(len(hunk.lines) for hunk in patch.hunks) == MOST_LINES
    assert patch.left_out == count - MOST_LINES
    assert most < 80 * count  # what splitting takes is half of that
