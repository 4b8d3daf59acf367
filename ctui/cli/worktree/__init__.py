"""`ctui worktree`: creating, listing, landing, removing and restoring worktrees.

What is clean, merged or removable is decided in `ctui.worktrees` and `ctui.client`.
"""
