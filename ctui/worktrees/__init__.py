"""Worktrees as a library: creation, status, proof of merge, landing, trash.

It works without a driver or a sandbox, and knows no task; front ends call it through `client`.
"""
