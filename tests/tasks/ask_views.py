"""An ask as each front end shows it."""

from __future__ import annotations

from ctui.cli.task.answering import AskPrompt
from ctui.mcp_server.protocol.asks import ask_item
from ctui.mcp_server.protocol.elicit import form_of
from ctui.tasks.model import Ask
from ctui.tui.asks.ask_form import AskForm
from ctui.web.views import ask_view


def everywhere(ask: Ask) -> list[str]:
    """Return what each front end shows of an ask."""
    prompt = "\n".join(AskPrompt(ask).shown())
    screen = "\n".join(AskForm(ask).lines())
    return [prompt, screen, form_of(ask).message, ask_view(ask).text, ask_item(ask).text]
