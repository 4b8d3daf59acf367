"""The clean-up screen and the trash: what can go, what would be lost, and how it comes back.

Which worktrees are clean is decided in `ctui.worktrees`; dashboard and panes are not known here.
"""
