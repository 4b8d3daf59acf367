"""`ctui config`: showing, checking, editing and importing settings, and the list of grants.

What a key means, and which file wins, is decided in `ctui.config`.
"""
