"""What each way for work to reach the target, or not to, is called, and with what evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worktrees import file_scenarios, further_scenarios, known_scenarios
from tests.worktrees.scenario import SCENARIOS, Scenario
from tests.worktrees.story import Story


def test_none_is_missing() -> None:
    told = [scenario.tell.__module__ for scenario in SCENARIOS]
    assert told.count(known_scenarios.__name__) == 29
    assert told.count(file_scenarios.__name__) == 12
    assert told.count(further_scenarios.__name__) == len(told) - 41


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.tell.__name__)
def test_the_verdict_and_its_evidence(tmp_path: Path, scenario: Scenario) -> None:
    story = Story(tmp_path / "repository")
    at = scenario.tell(story)
    objects = sorted((tmp_path / "repository/.git").rglob("*"))
    [proof] = story.prove(tmp_path / "cache")
    assert proof.verdict.kind == scenario.kind
    out = story.out
    assert proof.verdict.evidence == scenario.evidence.format(
        at=(at or "")[:7], out=(out or "")[:7]
    )
    assert (proof.verdict.commit, proof.verdict.reverted) == (at, out)
    if scenario.kind in {"merged", "history"}:
        assert (at or "")[:7] in proof.verdict.evidence
    ahead, behind = story.git.ahead_behind(story.heads["b"], story.heads["main"])
    assert (proof.ahead, proof.behind) == (ahead, behind)
    assert sorted((tmp_path / "repository/.git").rglob("*")) == objects


def test_the_second_time_nothing_is_merged_again(tmp_path: Path) -> None:
    story = Story(tmp_path / "repository")
    at = known_scenarios.squash_then_overwritten(story)
    first = story.prove(tmp_path / "cache")
    (tmp_path / "repository/.git/objects").rename(tmp_path / "away")
    assert story.prove(tmp_path / "cache") == first
    assert first[0].verdict.commit == at
