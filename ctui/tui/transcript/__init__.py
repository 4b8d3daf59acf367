"""A transcript on the screen: blocks laid out as rows, searched, scrolled and painted.

Where the blocks come from is not known here, nor the task, its asks or the pane around them.
"""
