"""The place where tasks run: the port to it, and a sandbox as data.

What knows an engine belongs into the room of its runner; nothing above this floor does.
"""
