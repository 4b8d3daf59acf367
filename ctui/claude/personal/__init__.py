"""The person's own Claude Code, as far as it comes into tasks."""
