"""The last line: the keys that are worth knowing here. A click does what the key does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static


class KeyBar(Static):
    """Line of the bindings that want to be shown, as they are mapped."""

    def __init__(self, bindings: Iterable[BindingType], keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._shown = [item for item in bindings if isinstance(item, Binding) and item.show]
        self._keymap = keymap
        self._ends: list[int] = []

    def on_mount(self) -> None:
        parts: list[tuple[str, str]] = []
        width = 0
        for binding in self._shown:
            key = self._keymap.get(binding.id or "", binding.key_display or binding.key)
            parts += [(f" {key}", "bold $primary"), (f" {binding.description} ", "")]
            width += len(key) + len(binding.description) + 3
            self._ends.append(width)
        self.update(Content.assemble(*parts))

    async def on_click(self, event: events.Click) -> None:
        for binding, end in zip(self._shown, self._ends, strict=True):
            if event.x < end:
                await self.screen.run_action(binding.action)
                return
