"""Everything that moves a person's branch, its checkout or a remote: commit, land, push.

Each move is prepared apart, takes place completely or not at all, and is completed after a crash.
"""
