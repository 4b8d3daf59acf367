"""Claude Code: its command line, its lines, its login and its MCP servers.

Nothing here knows git, containers, or who runs the CLI.
"""
