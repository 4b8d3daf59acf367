"""The Model Context Protocol: lines, calls, schemas and errors of tools, asks as forms and back.

No tool is known here.
"""
