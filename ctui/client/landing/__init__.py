"""Landings that are checked first: the queue, the check, the record."""
