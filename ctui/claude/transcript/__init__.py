"""The blocks that a person reads of a task: folded from events, and told as plain text. Pure.

No widths, colours or widgets, and nothing that writes to the CLI.
"""
