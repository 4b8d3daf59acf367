"""Parts that ctui's background processes share: how one is started, where it listens, how it ends.

What such a process does is its own business.
"""
