"""Removal of worktrees into a trash, restoration from it, and its purge.

Only the purge deletes anything, and only what a record of the trash names.
"""
