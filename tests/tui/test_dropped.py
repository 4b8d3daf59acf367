"""Files that are dropped onto the terminal, whose paths it pastes into the composer."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.app import App, ComposeResult

from ctui.tui.pane.composer import Composer
from ctui.tui.support.dropped import by_name, dropped_paths, mentioned


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = [tmp_path / "a.png", tmp_path / "with blank's.pdf"]
    for file in made:
        file.touch()
    return made


def test_every_way_of_writing_a_path_is_known(files: list[Path]) -> None:
    """Plain, quoted, with backslashes, as an address; several, and folders."""
    plain, odd = files
    folder = plain.parent
    for text in (
        f"{plain}",
        f"'{plain}' ",
        f"file://{plain}\r\n",
        f'"{plain}"\n',
    ):
        assert dropped_paths(text) == [str(plain)]
    escaped = str(odd).replace(" ", "\\ ").replace("'", "\\'")
    assert dropped_paths(escaped) == [str(odd)]
    assert dropped_paths(f"file://{str(odd).replace(' ', '%20')}".replace("'", "%27")) == [str(odd)]
    assert dropped_paths(f"{plain} {folder}") == [str(plain), str(folder)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "see {}",
        "{} please",
        "/no/such/file",
        "{}\0",
        "'{}",
        "a.png",
        "/",
        " ".join(["{}"] * 21),
    ],
)
def test_other_words_are_words(files: list[Path], text: str) -> None:
    """Whatever is more than paths of files that are there is pasted as it is; `/` is a folder."""
    found = dropped_paths(text.replace("{}", str(files[0])))
    assert found == (["/"] if text == "/" else [])


def test_a_task_reads_names_and_no_paths(files: list[Path]) -> None:
    """Of what is still mentioned, in its order."""
    plain, odd = map(str, files)
    text = f'compare @"{odd}" with @{plain}'
    assert mentioned(text, {plain, odd, "/gone"}) == [odd, plain]
    assert by_name(text, [plain, odd]) == "compare with blank's.pdf with a.png"


class Shown(App[None]):
    """A composer alone."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, tuple[str, ...]]] = []

    def compose(self) -> ComposeResult:
        yield Composer(placeholder="follow up")

    def on_composer_sent(self, event: Composer.Sent) -> None:
        self.sent.append((event.text, event.attach))


async def test_a_dropped_file_comes_with_the_message_that_mentions_it(files: list[Path]) -> None:
    """Pasted as a mention; with another message, or without the mention, it stays here."""
    plain = str(files[0])
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        composer = app.query_one(Composer)
        composer.focus()
        app.post_message(events.Paste(f"{plain}\n"))
        await pilot.pause()
        assert composer.text == f"@{plain} "
        await pilot.press("o", "k", "enter")
        app.post_message(events.Paste("words /tmp"))
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
    assert app.sent == [(f"@{plain} ok", (plain,)), ("words /tmp", ())]
