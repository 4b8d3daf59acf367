"""Bytes as a repository stores them: attributes, filters and Git LFS. Nothing is committed here."""
