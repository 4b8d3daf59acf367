"""Where sandboxes live: the port, and what a sandbox is as data.

What knows an engine belongs into the room of its runner; nothing above this floor does.
"""
