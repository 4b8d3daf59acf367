"""Git repositories and their processes: the private directory of a task, and import of its work.

Nothing here knows worktrees' statuses, tasks or containers, and nothing runs a repository's code.
"""
