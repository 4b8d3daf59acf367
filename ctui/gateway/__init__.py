"""Gateway of the tasks: the process through which everything passes that leaves or enters a task.

What belongs here knows sockets, hosts, logins and ports; it knows no task, worktree or front end.
"""
