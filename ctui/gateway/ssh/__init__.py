"""Signing in by ssh with a key that stays outside: an agent of the gateway's for each run.

What belongs here speaks with ssh in a task. It signs nothing but the start of a session with a host
that the person named, and decides nothing.
"""
