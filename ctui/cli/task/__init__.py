"""`ctui run` and `ctui task`: starting, following, answering and reading tasks on a plain terminal.

What a task is, and what may be done to it, is decided below; worktrees are not known here.
"""
