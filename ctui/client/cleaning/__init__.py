"""What ctui has left behind, and its removal. Never a worktree."""
