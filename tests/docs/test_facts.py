"""Facts of the code that pages repeat."""

from __future__ import annotations

from ctui.config.model import SandboxConfig
from ctui.sandbox.spec import LABEL_INSTANCE
from ctui.tasks.runs.launch import network_name
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
