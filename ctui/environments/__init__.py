"""Environments: what a repository's tasks are built, set up and tested in.

Belongs here: which definition counts, what it says, what it is built into, consent to it.
Must not: know a task, a socket or a terminal; run anything of a repository on the host.
"""
