"""Words above a review: what it does not show is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from ctui.client.review.reviewing import Review
from ctui.tui.review.review_content import Facts, nothing, title
from ctui.worktrees.review.comparison import Trees
from ctui.worktrees.review.scopes import Compared, Scope


def _review(left_out: int) -> Review:
    found = Compared(Trees(Path(), "", ""), "all of work against main", "", left_out)
    return Review(cast("Any", None), Scope(), found, (), (), frozenset())


def test_files_that_a_review_does_not_show_are_counted_above_it() -> None:
    facts = Facts(read=0, unsent=0, uncommitted=0, moved=False)

    assert "1 left out" in title("work", _review(1), facts).plain
    assert "2 left out" in nothing(_review(2)).plain
    assert "left out" not in title("work", _review(0), facts).plain
    assert "left out" not in nothing(_review(0)).plain
