"""The tools of the MCP server: their arguments, their work and their results.

How a call arrives and how its result is written is not known here.
"""
