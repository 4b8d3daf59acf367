"""The demo's project, as data: a tea timer, and the commits that made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Author(NamedTuple):
    """Author of a commit."""

    name: str
    email: str


ADA = Author("Ada Brewer", "ada@example.org")
LIN = Author("Lin Kettle", "lin@example.org")


class Replace(NamedTuple):
    """Change of a file: the first `old` becomes `new`."""

    old: str
    new: str


Changes = Mapping[str, str | Replace]
"""Changes by path: the whole new content, or what is replaced in the old one."""


class Commit(NamedTuple):
    """Commit of `main` on top of the one before it."""

    author: Author
    message: str
    changes: Changes


_README = """\
# teatime

Tells you when your tea is ready.

    python3 -m teatime green
"""

_PYPROJECT = """\
[project]
name = "teatime"
version = "0.1.0"
description = "Tells you when your tea is ready"
requires-python = ">=3.11"
"""

_TEAS = '''\
"""The teas we know, and how long each one steeps."""

STEEPING_MINUTES = {
    "black": 4.0,
    "green": 2.5,
}


def minutes(tea):
    """How long a tea steeps, in minutes."""
    return STEEPING_MINUTES[tea]
'''

_TIMER = '''\
"""Counting down."""


def clock(seconds):
    """Seconds as a clock shows them: 150 is 2:30."""
    return f"{seconds // 60}:{seconds % 60}"


def countdown(seconds):
    """The time that is left, second by second."""
    for left in range(seconds, 0, -1):
        yield clock(left)
'''

_MAIN = '''\
"""`python3 -m teatime TEA` waits until the tea is ready."""

import sys
import time

from teatime.teas import minutes
from teatime.timer import countdown


def main():
    for left in countdown(int(minutes(sys.argv[1]) * 60)):
        print(left, end="\\r", flush=True)
        time.sleep(1)
    print("Your tea is ready.")


if __name__ == "__main__":
    main()
'''

_TEST_TEAS = """\
import unittest

from teatime.teas import minutes


class Minutes(unittest.TestCase):
    def test_green_tea_steeps_shorter_than_black_tea(self):
        self.assertLess(minutes("green"), minutes("black"))


if __name__ == "__main__":
    unittest.main()
"""

_TEST_TIMER = """\
import unittest

from teatime.timer import clock, countdown


class Clock(unittest.TestCase):
    def test_seconds_have_two_digits(self):
        self.assertEqual(clock(125), "2:05")

    def test_a_countdown_ends_with_one_second(self):
        self.assertEqual(list(countdown(2)), ["0:02", "0:01"])


if __name__ == "__main__":
    unittest.main()
"""

_USAGE = """\
# Usage

    python3 -m teatime TEA

The teas are `black` and `green`. The time is that of a cup, not of a pot.
"""

_CHANGELOG = """\
# Changes

## 0.1.0

- Black and green tea.
"""

HISTORY = (
    Commit(ADA, "Start with a name and a promise", {"README.md": _README}),
    Commit(
        ADA,
        "Say what the package is called",
        {"pyproject.toml": _PYPROJECT, "teatime/__init__.py": '"""A tea timer."""\n'},
    ),
    Commit(ADA, "Know how long tea steeps", {"teatime/teas.py": _TEAS}),
    Commit(LIN, "Count down", {"teatime/timer.py": _TIMER}),
    Commit(LIN, "Wait for the tea on the command line", {"teatime/__main__.py": _MAIN}),
    Commit(ADA, "Test the teas", {"tests/__init__.py": "", "tests/test_teas.py": _TEST_TEAS}),
    Commit(
        LIN,
        "Show seconds with two digits\n\n2:5 looked like two and a half minutes.",
        {
            "teatime/timer.py": Replace("{seconds % 60}", "{seconds % 60:02d}"),
            "tests/test_timer.py": _TEST_TIMER,
        },
    ),
    Commit(ADA, "Describe how it is used", {"docs/usage.md": _USAGE}),
    Commit(ADA, "Keep compiled files out", {".gitignore": "__pycache__/\n*.pyc\n"}),
    Commit(LIN, "List what changed", {"CHANGELOG.md": _CHANGELOG}),
    Commit(
        ADA,
        "Say which teas there are when one is unknown",
        {
            "teatime/teas.py": Replace(
                "    return STEEPING_MINUTES[tea]\n",
                "    if tea not in STEEPING_MINUTES:\n"
                "        raise SystemExit(f'No such tea. There are {list(STEEPING_MINUTES)}')\n"
                "    return STEEPING_MINUTES[tea]\n",
            )
        },
    ),
    Commit(
        LIN,
        "Point from the readme to the usage",
        {"README.md": Replace("teatime green\n", "teatime green\n\nMore in docs/usage.md.\n")},
    ),
)
"""Commits of `main` before any branch, oldest first."""
