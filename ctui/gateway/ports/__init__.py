"""Ports that a task listens on, as a person sees them from outside.

The task's side dials, always, and a page of a task is as hostile as the task: what belongs here
knows a run by its socket, a task by the label of its address, and nothing else of either.
"""
