"""The smallest Textual application: what a first paint is measured against."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Minimal(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("the smallest application")


if __name__ == "__main__":
    Minimal().run()
