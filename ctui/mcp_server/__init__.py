"""`ctui --mcp`: tasks and worktrees as tools of the Model Context Protocol.

    server (assembling, shutdown) ── stdio (lines in, lines out)
       registry (every tool by name) ── tools_* and execute
          tool (arguments, results, errors), call (what a tool is given)
          execute ── turn (a task's turn as it goes on), elicit (an ask as a form), progress

The server has no state of a task: it is a front end like any other.
"""
