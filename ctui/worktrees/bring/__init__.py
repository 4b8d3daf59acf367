"""Files that are not committed, brought from a checkout into a new worktree.

Everything is read and written by descriptors; no link is followed, and the checkout never changes.
"""
