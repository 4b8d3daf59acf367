"""The dashboard with one more key: F9 writes its count on the screen, to see when it is there.

python -m tests.bench.marked REPOSITORY
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Static

from ctui.config import load_config
from ctui.paths import Paths
from ctui.tui.app import CtuiApp
from ctui.tui.support.place import Place


class Marked(CtuiApp):
    CSS_PATH = str(Path(__file__).parents[2] / "ctui/tui/ctui.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f9", "mark", priority=True)]
    count = 0

    def action_mark(self) -> None:
        self.count += 1
        self.screen.query_one("#header", Static).update(f"mark-{self.count:05}")


if __name__ == "__main__":
    paths = Paths.from_environment()
    Marked(paths, load_config(paths), Place(Path(sys.argv[1]) / ".git")).run()
