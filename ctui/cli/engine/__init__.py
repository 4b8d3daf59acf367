"""Commands for the engine: `ctui image`, `volume`, `clean`, `doctor` and `setup`.

Tasks and worktrees have commands of their own; how an engine is spoken to is not known here.
"""
