"""The screen's knowledge of tasks, asks and worktrees, in order of need, and its words. Pure.

No widget, no client, no file: what comes in is handed in, and what goes out is `Content`.
"""
