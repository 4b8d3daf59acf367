"""Environments: what counts, what it says, what it is built from; without an engine."""
