"""Removal of things that ctui has left behind. Never a worktree."""
