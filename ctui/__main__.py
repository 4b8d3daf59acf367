"""Entry point of the command `ctui`, which chooses a front end and imports only what that needs."""

from __future__ import annotations

import gc
import sys

_YOUNG = 20_000
"""Objects between two collections of garbage: a start makes many, and nearly all of them stay."""


def main() -> int:
    """Run the command line and return the exit code."""
    gc.set_threshold(_YOUNG)
    try:
        return _run()
    finally:
        gc.freeze()  # the end of the interpreter would look at all that was loaded


def _run() -> int:
    if sys.argv[1:] in (["--version"], ["-V"]):
        from ctui import __version__

        print(f"ctui {__version__}")  # noqa: T201 - this is what was asked for
        return 0
    from ctui.cli.dashboard import path_of, show

    arguments = sys.argv[1:]
    if (path := path_of(arguments)) is not None:
        if (code := show(path)) is not None:
            return code
        arguments = ["demo"]
    from ctui.cli.main import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
