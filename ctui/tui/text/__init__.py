"""Markdown, code and tool calls as lines with styles. Pure: no width, no colours, no widgets.

What is laid out for a width, painted or kept for scrolling belongs in `tui/transcript`.
"""
