"""Repositories whose files are stored transformed, with the real programs that do it."""
