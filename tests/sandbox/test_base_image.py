"""What a person reads while an image is pulled."""

from __future__ import annotations

from ctui.sandbox.docker.base_image import PullProgress

MEBI = 1 << 20


def downloading(layer: str, done: int) -> dict[str, object]:
    return {"id": layer, "status": "Downloading", "progressDetail": {"current": done}}


def test_a_pull_is_told_in_few_lines() -> None:
    """Part 1: `image.name` is pulled with progress."""
    said: list[str] = []
    progress = PullProgress(said.append)
    progress({"status": "Pulling from team/tasks", "id": "1"})
    for done in range(0, 80, 2):
        progress(downloading("a1", done * MEBI))
        progress(downloading("b2", done * MEBI // 2))
    progress({"id": "a1", "status": "Pull complete", "progressDetail": {}})
    progress({"status": "Status: Downloaded newer image for \x1b[31mteam/tasks"})
    *downloads, complete, last = said
    assert [line.split()[0] for line in downloads] == ["downloaded"] * 3
    assert len(set(downloads)) == 3
    assert complete == "a1: Pull complete"
    assert "Status: Downloaded newer image" in last
    assert "\x1b" not in last


def test_odd_parts_of_a_pull_are_nothing() -> None:
    said: list[str] = []
    progress = PullProgress(said.append)
    for part in ({}, {"progressDetail": None}, {"status": "Downloading", "progressDetail": []}):
        progress(dict(part))
    assert said in ([], ["Downloading"])
