"""All keys that mean something here, made from the bindings themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ctui.tui.asks.ask_form import Choice

_ASK_KEYS = (
    Choice("y", "allow once, or approve"),
    Choice("s", "allow for this task"),
    Choice("w", "allow this command for good"),
    Choice("d D", "deny, deny and say why"),
    Choice("1-9 t", "choose an answer, write your own"),
)


_FORM_KEYS = (
    Choice("tab shift+tab", "next field, previous field"),
    Choice("ctrl+s", "start the task"),
    Choice("esc", "close; what was written stays"),
)
_INBOX_KEYS = (
    Choice("right j", "next ask"),
    Choice("left k", "previous ask"),
    Choice("enter", "open its task"),
    Choice("space", "what was told has been read"),
    Choice("esc", "close"),
)
_SEARCH_KEYS = (
    Choice("enter up", "match above"),
    Choice("down", "match below"),
    Choice("esc", "close"),
)
_MARKS = (
    Choice("▶", "works"),
    Choice("?", "asks something"),
    Choice("●", "came to rest, and you have not looked yet"),
    Choice("✉", "told you something"),
    Choice("○", "to review"),
    Choice("✓", "merged"),
    Choice("·", "clean"),
    Choice("✗", "failed"),
    Choice("!", "has a problem"),
    Choice("◌", "starting, or queued"),
    Choice("↑2 ↓2", "commits ahead, behind, when cleaning up"),
    Choice("+1 ~1 ?1 !1", "files staged, modified, untracked, in conflict"),
)


class Help(ModalScreen[None]):
    """Screen with all keys; any key closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss_none", "Close")
    ]

    def __init__(
        self, sections: Iterable[tuple[str, Iterable[Choice]]], *, dashboard: bool = True
    ) -> None:
        """Prepare sections with a title, and in each the keys and what they do.

        Args:
            sections: of where the person is.
            dashboard: add those of what the dashboard opens.
        """
        super().__init__()
        self._sections = [(title, tuple(choices)) for title, choices in sections]
        self._sections += self._opened if dashboard else ()

    @property
    def _opened(self) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
        return (
            ("When something is asked, in its panel", _ASK_KEYS),
            ("In the inbox", _INBOX_KEYS),
            ("In the form of a new task", _FORM_KEYS),
            ("In the search line", _SEARCH_KEYS),
            ("What the marks in the list mean", _MARKS),
        )

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog help"):
            lines: list[Content] = []
            width = max(len(choice.key) for _, choices in self._sections for choice in choices)
            for title, choices in self._sections:
                lines += [Content.styled(title, "bold $accent")]
                lines += [
                    Content.assemble((f"  {choice.key:<{width}}  ", "bold $primary"), choice.label)
                    for choice in choices
                ]
                lines.append(Content(""))
            yield Static(Content("\n").join(lines))

    def action_dismiss_none(self) -> None:
        self.dismiss()


def choices_of(bindings: Iterable[BindingType], keymap: dict[str, str]) -> list[Choice]:
    """Return the keys of bindings as they are mapped now, without those that have no words."""
    found: list[Choice] = []
    for binding in bindings:
        if not isinstance(binding, Binding) or not binding.description:
            continue
        keys = keymap.get(binding.id or "", binding.key)
        shown = binding.key_display or keys.replace(",", " ").replace("question_mark", "?").replace(
            "slash", "/"
        )
        found.append(Choice(shown, (binding.tooltip or binding.description).lower()))
    return found
