"""The login that a task runs with: where it is kept, which one counts, and when it was asked for.

How a login gets into a sandbox is not known here.
"""
