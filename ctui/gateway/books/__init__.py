"""Books of the gateway: what calls to the model cost, and what tasks asked for outside.

One SQLite file, written by the gateway's process only and read by everybody else.
"""
