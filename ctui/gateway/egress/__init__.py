"""Connections from a task to hosts outside: decided by name, resolved once, dialled where checked.

What belongs here decides and passes on; it knows no process, no store and nobody who could be asked
but by the functions that it is given.
"""
