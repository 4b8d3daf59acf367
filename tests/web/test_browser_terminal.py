"""The page's terminal, in a real browser: against tmux, and against the library that draws."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from rich.cells import cell_len
from textual._xterm_parser import XTermParser
from textual.events import Key, MouseEvent, Paste

from tests.web.browser_server import TOKEN, python, serving
from tests.web.browser_widths import FILE, rendered
from tests.web.chromium import Page, browser

COLUMNS, ROWS = 40, 10
END = f"\x1b[{ROWS};{COLUMNS - 3}HEND"

SEQUENCES = {
    "text and lines": "one\r\ntwo\r\n\tthree\bX\rfour",
    "wrapping": "x" * 95,
    "no wrapping": "\x1b[?7l" + "0123456789" * 5 + "\x1b[?7h",
    "scrolling": "\r\n".join(f"line {at}" for at in range(25)),
    "moves": "\x1b[3;5Ha\x1b[2Cb\x1b[Ac\x1b[2Dd\x1b[Be\x1b[8Gf\x1b[6dg\x1b[Eh\x1b[Fi\x1b[99;99H",
    "erasing": "x" * 200
    + "\x1b[2;5H\x1b[K\x1b[3;5H\x1b[1K\x1b[4;5H\x1b[2K\x1b[5;5H\x1b[4X\x1b[5;30H\x1b[J",
    "erasing above": "x" * 200 + "\x1b[3;7H\x1b[1J",
    "inserting": "abcdefgh\x1b[1;3H\x1b[2@XY\x1b[1;8H\x1b[2P",
    "inserted lines": "1\r\n2\r\n3\r\n4\r\n5\x1b[2;1H\x1b[L\x1b[4;1H\x1b[M",
    "a region": "\x1b[3;6r\x1b[6;1Ha\r\nb\r\nc\x1b[3;1H\x1bMd\x1b[2S\x1b[T\x1b[r",
    "wide characters": "漢字かな交じり文\x1b[1;3Hx\x1b[1;8Hy\x1b[2;38H漢字",
    "combining marks": "e\u0301a\u0308 n\u0303 x",
    "the alternate screen": "before\x1b[?1049h\x1b[2J\x1b[Hinside\x1b[?1049l after",
    "saved places": "ab\x1b7\x1b[5;5Hcd\x1b8ef\x1b[s\x1b[7;1Hgh\x1b[uij",
    "strings that are not shown": "a\x1b]0;t\x07b\x1b]52;c;?\x1b\\c\x1bP1$r\x1b\\d\x1b_x\x1b\\e",
    "modes and colours": "\x1b[?2026h\x1b[1;38;2;1;2;3;48;5;9mx\x1b[0m\x1b[?2026ly\x1b[>25u\x1b[<u",
    "repeated characters": "ab\x1b[5bc",
}


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    """A page that can import what the dashboard's page is made of."""
    async with serving(python("input()")) as server, browser() as made:
        await made.open(f"{server.url}/login")
        await made.until("Token")
        yield made


async def in_tmux(folder: Path, text: str) -> list[str]:
    """What tmux shows after it. Each text has a server of its own, in a folder of its own."""
    folder.mkdir()
    source = folder / "text"
    source.write_text(text, encoding="utf-8")

    async def tmux(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *("tmux", "-u", "-f", "/dev/null", "-S", str(folder / "socket"), *arguments),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0
        return said.decode()

    size = ("-x", str(COLUMNS), "-y", str(ROWS))
    run = f"stty raw -echo; cat '{source}'; exec sleep 60"
    await tmux("new-session", "-d", *size, run, ";", "set-option", "-g", "status", "off")
    try:
        async with asyncio.timeout(20):
            while "END" not in (shown := await tmux("capture-pane", "-p")):  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # a terminal tells nobody that it changed
        return [line.rstrip() for line in shown.splitlines()]
    finally:
        await tmux("kill-server")


async def in_page(page: Page, text: str, *, pieces: int = 1) -> list[str]:
    """What the page's terminal shows after it, fed in pieces of so many bytes at least."""
    shown = await page.evaluate(
        f"""(async () => {{
          const {{ Terminal }} = await import("/browser/terminal.js");
          const heard = {{ bell() {{}}, copy() {{}} }};
          const terminal = new Terminal({COLUMNS}, {ROWS}, () => {{}}, heard);
          const bytes = new TextEncoder().encode({json.dumps(text)});
          const size = Math.max(1, Math.ceil(bytes.length / {pieces}));
          for (let at = 0; at < bytes.length; at += size)
            terminal.feed(bytes.subarray(at, at + size));
          return terminal.screen.text();
        }})()"""
    )
    return [line.rstrip() for line in shown.split("\n")]


async def test_it_shows_what_another_terminal_shows(page: Page, tmp_path: Path) -> None:
    for name, sequence in SEQUENCES.items():
        text = f"\x1b[H\x1b[2J{sequence}{END}"
        expected = await in_tmux(tmp_path / name, text)
        assert await in_page(page, text) == expected, name
        assert await in_page(page, text, pieces=10_000) == expected, f"{name}, byte by byte"


async def test_no_output_breaks_it(page: Page) -> None:
    chance = random.Random(5)  # noqa: S311
    alphabet = ["\x1b", "[", "]", "?", ";", "0", "9999999999", "H", "r", "m", "漢", "\u200d", "\r"]
    alphabet += ["\n", "\x07", "P", "L", "@", "b", "S", "T", "J", "K", "x", "\ufe0f", "👩", "\x00"]
    for _ in range(200):
        noise = "".join(chance.choices(alphabet, k=400))
        shown = await in_page(page, f"{noise}\x1bc\x1b[r{END}")
        assert shown[-1].endswith("END")
        assert len(shown) == ROWS


def test_the_table_of_widths_is_the_one_of_the_library_that_draws() -> None:
    assert FILE.read_text(encoding="utf-8") == rendered(), "python -m tests.web.browser_widths"


async def test_a_text_takes_as_many_cells_as_the_library_counts(page: Page) -> None:
    chance = random.Random(7)  # noqa: S311
    kinds = [
        "a",
        "é",
        "e\u0301",
        "漢",
        "👩",
        "👩\u200d👩\u200d👧",
        "✔\ufe0f",
        "▌",
        "🇩🇪",
        "👍🏽",
        "\u200b",
    ]
    texts = ["".join(chance.choices(kinds, k=8)) for _ in range(300)]
    texts += [chr(code) for code in range(0xA0, 0x1FB00) if not 0xD800 <= code < 0xE000]
    counted = await page.evaluate(
        f"""(async () => {{
          const {{ Clusters }} = await import("/browser/cells.js");
          return {json.dumps(texts)}.map((text) => {{
            const clusters = new Clusters();
            return [...text].reduce((sum, character) =>
              sum + Math.abs(clusters.add(character.codePointAt(0))), 0);
          }});
        }})()"""
    )
    wrong = [
        (text, count, cell_len(text))
        for text, count in zip(texts, counted, strict=True)
        if count != cell_len(text)
    ]
    assert wrong == []


PRESSED = {
    # What a browser calls it, and what Textual makes of it.
    "Enter": "enter", "Tab": "tab", "shift Tab": "shift+tab", "Escape": "escape",
    "Backspace": "backspace", "Delete": "delete", "ArrowUp": "up", "shift ArrowUp": "shift+up",
    "ctrl ArrowLeft": "ctrl+left", "Home": "home", "End": "end", "PageUp": "pageup",
    "F1": "f1", "F2": "f2", "F6": "f6", "F10": "f10", "shift F3": "shift+f3",
    "shift Enter": "shift+enter", "alt Enter": "alt+enter", "ctrl Enter": "ctrl+enter",
    "ctrl p": "ctrl+p", "ctrl s": "ctrl+s", "ctrl i": "ctrl+i", "ctrl z": "ctrl+z",
    "ctrl q": "ctrl+q", "ctrl c": "ctrl+c", "alt a": "alt+a", "ctrl shift A": "ctrl+shift+a",
    "ctrl Backspace": "ctrl+backspace", "ctrl Home": "ctrl+home", "ctrl  ": "ctrl+@",
}  # fmt: skip

LEFT_TO_THE_BROWSER = [
    "a", "é", "F5", "F11", "F12", "ctrl +", "ctrl -", "ctrl 0", "ctrl v", "ctrl shift I",
    "shift Insert", "layout @", "meta c", "alt å", "Dead", "Shift", "Control", "Process",
]  # fmt: skip


async def sequences(page: Page, presses: list[str]) -> list[str | None]:
    """What the page would send for keys such as `ctrl a`; None where the browser acts."""
    given: list[str | None] = await page.evaluate(
        f"""(async () => {{
          const {{ keySequence }} = await import("/browser/keys.js");
          return {json.dumps(presses)}.map((press) => {{
            const [, marks, key] = press.match(/^((?:(?:ctrl|shift|alt|meta|layout) )*)(.+)$/);
            const has = (mark) => marks.split(" ").includes(mark);
            const layout = has("layout");
            return keySequence({{
              key, ctrlKey: has("ctrl") || layout, altKey: has("alt") || layout,
              shiftKey: has("shift"), metaKey: has("meta"), getModifierState: () => layout,
            }}, true);
          }});
        }})()"""
    )
    return given


async def test_the_dashboard_understands_every_key(page: Page) -> None:
    understood = {}
    for press, sequence in zip(PRESSED, await sequences(page, list(PRESSED)), strict=True):
        assert sequence is not None, press
        events = list(XTermParser().feed(sequence))
        understood[press] = [event.key for event in events if isinstance(event, Key)]
    assert understood == {press: [key] for press, key in PRESSED.items()}
    left = await sequences(page, LEFT_TO_THE_BROWSER)
    assert left == [None] * len(LEFT_TO_THE_BROWSER)


async def test_the_dashboard_understands_mouse_and_paste(page: Page) -> None:
    made = await page.evaluate(
        """(async () => {
          const { mouseSequence, pasteSequence } = await import("/browser/keys.js");
          const plain = { altKey: false, ctrlKey: false };
          return [
            mouseSequence(0, 4, 2, plain), mouseSequence(0, 4, 2, plain, false),
            mouseSequence(35, 300, 99, plain), mouseSequence(65, 0, 0, { ctrlKey: true }),
            pasteSequence("one\\r\\ntwo\\x1b[201~three", true),
          ];
        })()"""
    )
    events = [event for text in made for event in XTermParser().feed(text)]
    mice = [event for event in events if isinstance(event, MouseEvent)]
    assert [(type(each).__name__, each.x, each.y, each.ctrl) for each in mice] == [
        ("MouseDown", 4, 2, False),
        ("MouseUp", 4, 2, False),
        ("MouseMove", 300, 99, False),
        ("MouseScrollDown", 0, 0, True),
    ]
    pastes = [
        event.text for event in XTermParser().feed(made[-1] + "x") if isinstance(event, Paste)
    ]
    assert pastes == ["one\rtwo[201~three"]


async def test_a_page_that_lost_its_server_says_so_and_opens_again_by_a_key() -> None:
    echoes = python(
        "import os, tty; tty.setraw(0); os.write(1, b'ready ')",
        "while (data := os.read(0, 100)) != b'q': os.write(1, b'<' + data + b'>')",
    )
    async with serving(echoes) as server, browser() as page:
        await page.log_in(server.url, TOKEN)
        await page.until("ready")
        await page.press("a")
        await page.until("<a>")  # else the program may read all of it at once
        await page.press("^p")
        await page.write("日本")
        await page.until("<a><.*日本")
        await page.press("q")
        await page.until("was closed")
        await page.press("Enter")
        await page.until("was closed", gone=True)
        await page.until("ready\\s*$")
        server.ended.set()
        await page.until("connection is lost")
        assert [each for each in page.complaints if "ERR_CONNECTION" not in each] == []


async def test_mouse_paste_input_methods_and_the_clipboard_reach_the_program() -> None:
    tells = python(
        "import os, tty; tty.setraw(0)",
        "os.write(1, b'\\x1b[?1003h\\x1b[?1006h\\x1b[?2004h\\x1b]52;c;Y29waWVk\\x07ready')",
        "while data := os.read(0, 1000):",
        "    os.write(1, b'\\x1b[2J\\x1b[H' + ascii(data.decode()).encode())",
    )
    async with serving(tells) as server, browser() as page:
        await page.call(
            "Browser.grantPermissions",
            permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
            origin=server.url,
        )
        await page.log_in(server.url, TOKEN)
        await page.until("ready")
        copied = "navigator.clipboard.readText()"
        assert await page.evaluate(copied) == "copied"

        row = await page.evaluate(
            "(({left, top, height}) => [left, top, height])"
            "(document.querySelectorAll('.row')[2].getBoundingClientRect())"
        )
        x, y = row[0] + 36, row[1] + row[2] / 2  # cells are 8 pixels wide: the fifth one
        left = {"button": "left", "clickCount": 1}
        await page.mouse("mouseMoved", x, y)
        await page.until("<35;5;3M")
        await page.mouse("mousePressed", x, y, buttons=1, **left)
        await page.until("<0;5;3M")
        await page.mouse("mouseMoved", x + 16, y, buttons=1, button="left")
        await page.until("<32;7;3M")
        await page.mouse("mouseReleased", x + 16, y, **left)
        await page.until("<0;7;3m")
        await page.mouse("mouseWheel", x, y, deltaX=0, deltaY=40)
        await page.until("<65;5;3M")

        await page.evaluate(
            """(() => {
              const clipboardData = new DataTransfer();
              clipboardData.setData("text/plain", "one\\ntwo\\x1b[201~");
              document.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
            })()"""
        )
        await page.until(r"x1b\[200~one\\rtwo\[201~\\x1b\[201~")
        await page.call("Input.imeSetComposition", text="にほ", selectionStart=2, selectionEnd=2)
        await page.write("日本")
        shown = await page.until("u65e5")
        assert r"'\u65e5\u672c'" in shown  # and nothing of what was composed before
        assert page.complaints == []
