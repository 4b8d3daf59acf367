"""The dashboard: the list, the open panes, what comes in, and what the person's keys do.

What one task, ask or dialog shows belongs in its own room; only the application imports this one.
"""
