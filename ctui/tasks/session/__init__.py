"""The dialogue with the CLI: what its lines change in a task, and what it is told.

Everything here is taken by a task's mailbox; nothing here waits.
"""
