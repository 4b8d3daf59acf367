"""Screens that ask for one thing: a new task, a confirmation, what is missing, where to start.

They return what was chosen and do nothing to a task; dashboard and panes are not known here.
"""
