"""The MCP servers that a task gets beside ctui's own: read strictly, kept without secrets.

ctui's own server for programs is `ctui.mcp_server`; the toolbox of a task is `ctui.tasks`.
"""
