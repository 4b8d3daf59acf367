"""Commits that ctui makes for a person: by whom, how signed, and the first of a repository."""
