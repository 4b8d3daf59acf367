"""The shape of a task's mailbox: what mail there is, how a task stands, and one step of it.

What mail causes is not here: lines are `session`, everything else is `runs`.
"""
