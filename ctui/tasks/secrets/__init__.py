"""Secrets of the person's that tasks get by name: where each comes from, and its value now.

Values are in the person's keyring, environment, file or password manager; nothing here keeps one.
"""
