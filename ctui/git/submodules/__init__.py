"""Submodules of a commit, and their checkout from what this machine has."""
