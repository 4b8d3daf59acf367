"""Secrets that are taken out of what is stored and shown."""
