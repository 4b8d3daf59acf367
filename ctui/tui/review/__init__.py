"""The review of a worktree: its files, what changed in them, and the comments on that.

What differs is found in `ctui.worktrees.review`, comments are kept by `ctui.client.review`.
"""
