"""Entry point of the command `ctui`, which chooses a front end and imports only what that needs."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and return the exit code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from ctui import __version__

        print(f"ctui {__version__}")  # noqa: T201 - this is what was asked for
        return 0
    from ctui.cli.dashboard import path_of, show

    if (path := path_of(sys.argv[1:])) is not None:
        return show(path)
    from ctui.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
