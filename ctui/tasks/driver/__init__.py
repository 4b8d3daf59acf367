"""The driver's process: its lock, its socket, and the calls and streams that come over it.

What the calls do is the engine's business.
"""
