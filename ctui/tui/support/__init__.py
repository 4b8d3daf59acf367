"""Parts that every room of the screen may use: threads, clocks, options, themes, shared widgets.

Nothing here knows a board, a transcript, an ask's form or a screen.
"""
