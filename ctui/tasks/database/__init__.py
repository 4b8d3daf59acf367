"""The SQLite file, and those of its tables that a list of worktrees needs.

Nothing here knows a task's record, whose model costs more to load than such a list to print; tables
that do are in `store`.
"""
