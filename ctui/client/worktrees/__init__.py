"""Worktrees as a front end has them: made, listed, observed, removed with their tasks."""
