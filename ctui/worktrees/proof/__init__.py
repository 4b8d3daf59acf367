"""The proof that a branch's work is in its target, with the evidence as a sentence.

It only reads the repository, merges in a scratch repository, and decides nothing about removal.
"""
