"""Entry point of the scripted model: `python3 -m ctui.demo.model`, or `python3 FOLDER`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    package = __package__
    if not package:
        # Python put this folder first on the path; its parent is what makes the folder a package.
        folder = Path(__file__).resolve().parent
        sys.path[0] = str(folder.parent)
        package = folder.name
    sys.exit(importlib.import_module(f"{package}.server").main(sys.argv[1:]))
