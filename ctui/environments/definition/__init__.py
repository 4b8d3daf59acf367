"""Definitions of environments, read from a repository and checked. Nothing is built here."""
