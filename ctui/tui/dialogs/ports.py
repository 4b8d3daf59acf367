"""Choice of a port, where a task listens on several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option


class Ports(ModalScreen[int | None]):
    """The ports of a task; enter opens one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Close")]

    def __init__(self, task: str, ports: Mapping[int, str]) -> None:
        """Offer the ports of a task, each with its text; that and the task's name are sanitised."""
        super().__init__()
        self._name_of_task, self._ports = task, ports

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            title = Content.styled(f"{self._name_of_task} listens on", "bold")
            yield Static(title, classes="dialog--title")
            yield OptionList(*(Option(text, id=str(port)) for port, text in self._ports.items()))
            keys = Content.assemble(
                ("enter", "bold $primary"), " open it   ", ("esc", "bold $primary"), " leave it"
            )
            yield Static(keys, classes="dialog--keys")

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(int(event.option.id or 0))

    def action_leave(self) -> None:
        self.dismiss(None)
