"""The demo's prompts, which carry no script of their own: a person's words, and what they lead to.

The model finds the script by the words; it understands nothing.
"""

from __future__ import annotations

import json
import re

RING = ".venv/bin/bell green && .venv/bin/python -m unittest -q"
"""Rings the bell of the demo's project and runs its tests."""

TIMER = "Let the timer say when the tea is ready, and show me how you would do it."
TESTS = "Ring the bell, and run the tests."
MENU = "Put our menu on a page, serve it, and fetch today's prices."
CONTRIBUTORS = "Add a contributors file, and ask me about its tone."
ONE_MORE = "And one more name, please."

_SCRIPTS = {
    TIMER: """\
think They want a notice at the end. The loop in teatime/timer.py is the place for it.
say I look at the timer first.
tool TaskCreate {"subject": "Look at the timer", "description": "teatime/timer.py"}
also tool TaskCreate {"subject": "Note what happens at the end", "description": "NOTES.md"}
also tool TaskCreate {"subject": "Commit the note", "description": "once it is agreed"}
tool TaskUpdate {"taskId": "1", "status": "in_progress", "activeForm": "Looking at the timer"}
read /workspace/README.md
bash git log --oneline -5
tool TaskUpdate {"taskId": "1", "status": "completed"}
also tool TaskUpdate {"taskId": "2", "status": "in_progress", "activeForm": "Noting the end"}
say <<END
The timer counts down and then simply **ends**. I would print a line, and ring the bell:

```python
def finish(tea: str) -> None:
    \"""Say that the tea is ready.\"""
    print(f"{tea} is ready.", end="\\a\\n")
```

| terminal | hears it |
|---|---|
| xterm | yes |
| tmux | as its `bell-action` says |
END
write /workspace/NOTES.md <<END
# When the tea is ready

- print a line
- ring the bell, once
END
ask How often should the bell ring? | Bell | Once: as most timers do \
| Until a key is pressed: nobody forgets their tea
tool TaskUpdate {"taskId": "2", "status": "completed"}
also tool TaskUpdate {"taskId": "3", "status": "in_progress", "activeForm": "Committing the note"}
bash git add NOTES.md && git commit -q -m 'Note what happens when the tea is ready'
tool TaskUpdate {"taskId": "3", "status": "completed"}
say The note is committed.
""",
    TESTS: f"""\
say The set-up has compiled the bell already. I ring it, and run the tests.
bash {RING}
say It rings, and the tests pass.
""",
    MENU: """\
say I write the page, and serve it on port 8000.
write /workspace/index.html <<END
<!doctype html><title>teatime</title><h1>Teas of today</h1>
<ul><li>Green, two minutes<li>White, four minutes<li>Herbal, eight minutes</ul>
END
bash (python3 -m http.server 8000 >/tmp/menu.log 2>&1 &); sleep 1; echo 'the menu is served'
say Now the prices. Nobody has named that host, so you are asked for it.
bash curl -sS -m 100 https://prices.example.org/today.json; true
say The page is there: **p** opens http://…:8000, and `index.html` is in the worktree.
""",
    CONTRIBUTORS: f"""\
think The person wants a file. I will write it, then ask about the tone.
say I will add the file.
bash {RING} && printf 'Ada\\nGrace\\n' > CONTRIBUTORS && \
git add CONTRIBUTORS && git commit -q -m 'Name the contributors'
ask Which tone? | Tone | Warm: friendly words | Dry: few words
say The contributors are named.
""",
    ONE_MORE: """\
say I will add one more.
bash echo Margaret >> CONTRIBUTORS && git commit -q -a -m 'Name one more'
say Done.
""",
}


_REVIEW = "Review of your changes."
_COMMIT = "Commit all of your changes"
_COMMENT = re.compile(r"^#(\d{1,9}) ", re.MULTILINE)


def script_for(prompt: str) -> str | None:
    """Return the script of a prompt of the demo's, or None for any other."""
    if prompt.startswith(_REVIEW):
        return _answers(_COMMENT.findall(prompt))
    if prompt.startswith(_COMMIT):
        return "bash git add --all && git commit -q -m 'Commit the work'\nsay It is committed."
    return _BY_WORDS.get(_words(prompt))


def _answers(numbers: list[str]) -> str | None:
    """Return a script that answers each comment of a review."""
    answer = "I am a scripted model, and change nothing; a real one would."
    lines = [
        f"tool mcp__ctui__resolve_comment {json.dumps({'number': int(number), 'text': answer})}"
        for number in numbers
    ]
    return "\nalso ".join(lines) + "\nsay Each comment has its answer." if lines else None


def known_prompts() -> tuple[str, ...]:
    """Return the prompts that have a script."""
    return tuple(_SCRIPTS)


def _words(text: str) -> str:
    return " ".join(text.split()).casefold()


_BY_WORDS = {_words(prompt): script for prompt, script in _SCRIPTS.items()}
