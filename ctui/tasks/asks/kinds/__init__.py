"""The kinds of asks, one file each with one `KIND`; `registry` finds them.

Nothing else belongs in here, and no kind imports another.
"""
