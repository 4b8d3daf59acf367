"""Showing and answering an ask: its form, its panel, the inbox, the guard against stray keys.

What an ask is, and which answers it takes, is decided in `ctui.tasks`; no pane is known here.
"""
