"""The files of a worktree as they are, kept as git trees in a repository of ctui's own.

What is done with them, such as showing or restoring, is none of this room's business.
"""
