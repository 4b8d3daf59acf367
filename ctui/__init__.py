"""ctui: a terminal workbench for several Claude Code tasks at once."""

__version__ = "0.1.0"
