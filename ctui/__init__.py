"""ctui: a terminal workbench for several Claude Code tasks at once."""

__version__ = "0.2.0.dev0"
