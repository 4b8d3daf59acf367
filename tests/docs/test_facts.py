"""Facts of the code that pages repeat."""

from __future__ import annotations

import re
from pathlib import Path

import ctui
from ctui.config.task_sections import SandboxConfig
from ctui.paths import Paths
from ctui.sandbox.spec import LABEL_INSTANCE
from ctui.tasks.runs.launch import network_name
from ctui.tasks.store import Store
from tests.docs.pages import DOCS


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_the_network_of_the_tasks_is_found_by_its_label() -> None:
    text = page("scripted-model.md")
    assert network_name("0123456789abcdef", SandboxConfig()) == "ctui-01234567"
    assert "`ctui-` and eight hex digits" in text
    assert f"--filter label={LABEL_INSTANCE})" in text
    assert "inspect ctui`" not in text


def test_another_403_is_named_after_the_first_one() -> None:
    text = page("login.md")
    assert text.index("a 403 that speaks of the token") < text.index("Any other 403")


def test_what_the_store_and_git_keep_on_disk_is_listed(paths: Paths) -> None:
    text = page("architecture.md").partition("## State on disk")[2].partition("\n## ")[0]
    paths.state.mkdir(parents=True, mode=0o700)
    Store(paths.database).close()
    for name in sorted(path.name for path in paths.state.iterdir()):
        assert f"`{name}`" in text, name
    [listed] = re.findall(r"tasks/<id>/{(.*)}", text)
    file = Path(ctui.__file__).parent / "git" / "private" / "private.py"
    code = file.read_text(encoding="utf-8")
    named = set(re.findall(r'(?:self|private)\.folder / "([\w.-]+)"', code))
    assert {"git", "dotgit"} <= named
    assert named <= {name.rstrip("/") for name in listed.split(", ")}
