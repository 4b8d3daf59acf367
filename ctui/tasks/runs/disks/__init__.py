"""Limits of a run on the disks. Beyond one its sandbox is frozen, and the task asks.

A task that is paused so has `paused` in its record until its sandbox goes on or is gone; the next
driver finds it there, and freezes the sandbox anew if the last one could not.
"""
