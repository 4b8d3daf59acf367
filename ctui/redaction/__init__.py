"""Known secrets, taken out of whatever is stored or shown. Pure.

Nothing here knows where a secret comes from, or what a line means beyond being JSON.
"""
