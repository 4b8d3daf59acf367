"""The runner that makes sandboxes on a Docker engine: containers, logs, images, volumes.

Nothing here knows a task; nothing above this floor but what sets an engine up imports it.
"""
