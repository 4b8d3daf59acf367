"""The files of a review, one line each: painted by rows, as there may be thousands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ctui.tui.review.file_diff import shown_path
from ctui.tui.review.row_strips import MARKS
from ctui.tui.transcript.palette import style_of
from ctui.worktrees.review.comparison import ChangedFile

_STYLES = ("list-folder", "list-chosen", "list-current")
_COLOURS = ("ok", "error", "ask", "function", "dim", "added", "removed")


class Noted(NamedTuple):
    """Facts about a file that can change while it is looked at."""

    read: bool = False
    comments: int = 0
    unsent: bool = False


class FileList(ScrollView, can_focus=True):
    """List of files; the chosen one is the one that is looked at."""

    DEFAULT_CSS = """
    FileList { overflow-y: auto; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"review--{name}" for name in _STYLES),
        *(f"transcript--{name}" for name in _COLOURS),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "File above", show=False),
        Binding("down,j", "move(1)", "File below", show=False),
        Binding("pageup", "move(-10)", "Files above", show=False),
        Binding("pagedown", "move(10)", "Files below", show=False),
        Binding("home", "move(-1000000)", "First file", show=False),
        Binding("end,G", "move(1000000)", "Last file", show=False),
        Binding("enter,right,l", "open", "To what changed in it", show=False),
    ]

    class Chosen(Message):
        """Message that a file was chosen, or with `opened` is to be read."""

        def __init__(self, index: int, *, opened: bool) -> None:
            super().__init__()
            self.index = index
            self.opened = opened

    def __init__(self, noted: Callable[[int], Noted], *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Prepare an empty list.

        Args:
            noted: tells of a file, by its place, what can change.
            id: of this widget.
        """
        super().__init__(id=id)
        self.chosen = 0
        self._files: Sequence[ChangedFile] = ()
        self._noted = noted
        self._styles: Mapping[str, Style] = {}

    def show(self, files: Sequence[ChangedFile]) -> None:
        """Show these files."""
        self._files = files
        self.chosen = 0
        self.virtual_size = Size(self.scrollable_content_region.width, len(files))
        self.scroll_to(y=0, animate=False)
        self.refresh()

    def choose(self, index: int) -> None:
        """Show that another file is looked at."""
        if index != self.chosen:
            self.chosen = index
            top, height = self.scroll_offset.y, max(1, self.size.height)
            if not top <= index < top + height:
                self.scroll_to(y=max(0, index - height // 2), animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one row."""
        index, width = self.scroll_offset.y + y, self.scrollable_content_region.width
        if not self._styles:
            self._restyle()
        base = self._styles[""]
        if index >= len(self._files):
            return Strip.blank(width, base)
        return self._row(index, width)

    def _row(self, index: int, width: int) -> Strip:
        file, noted, styles = self._files[index], self._noted(index), self._styles
        ground = Style.null()
        if index == self.chosen:
            ground = styles["list-chosen" if self.has_focus else "list-current"]
        base = styles[""] + ground
        letter, colour = MARKS[file.status]
        folder, _, name = shown_path(file.path).rpartition("/")
        behind = [Segment(" bin", base + styles["dim"])] if file.added is None else []
        behind += [Segment(f" +{file.added}", base + styles["added"])] if file.added else []
        behind += [Segment(f" -{file.removed}", base + styles["removed"])] if file.removed else []
        if noted.comments:
            mark = "ask" if noted.unsent else "function"
            behind.append(Segment(f" #{noted.comments}", base + styles[mark]))
        behind.append(Segment(" ✓ " if noted.read else " ", base + styles["ok"]))
        room = width - 3 - sum(cell_len(item.text) for item in behind)
        text = name if cell_len(name) <= room else "…" + name[-max(1, room - 1) :]
        dim = styles["dim"] if noted.read else Style.null()
        segments = [Segment(f" {letter}", base + styles[colour]), Segment(f" {text}", base + dim)]
        left = room - cell_len(text)
        if folder and left > 3:
            shown = folder if len(folder) < left else "…" + folder[-(left - 2) :]
            segments.append(Segment(f" {shown}", base + styles["list-folder"]))
            left -= cell_len(shown) + 1
        segments.append(Segment(" " * max(0, left), base))
        return Strip([*segments, *behind]).adjust_cell_length(width, base)

    def _restyle(self) -> None:
        self._styles = {
            "": self.rich_style,
            **{name: style_of(self, name, "review") for name in _STYLES},
            **{name: style_of(self, name) for name in _COLOURS},
        }

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles = {}

    def action_move(self, step: int) -> None:
        if self._files:
            self.chosen = max(0, min(self.chosen + step, len(self._files) - 1))
            self.scroll_to_chosen()
            self.post_message(self.Chosen(self.chosen, opened=False))

    def scroll_to_chosen(self) -> None:
        """Bring the chosen file in sight."""
        top, height = self.scroll_offset.y, max(1, self.size.height)
        wanted = min(max(top, self.chosen - height + 1), self.chosen)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False)
        self.refresh()

    def action_open(self) -> None:
        if self._files:
            self.post_message(self.Chosen(self.chosen, opened=True))

    def on_click(self, event: events.Click) -> None:
        index = self.scroll_offset.y + event.y
        if index < len(self._files):
            self.chosen = index
            self.refresh()
            self.post_message(self.Chosen(index, opened=True))

    def on_resize(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._files))
