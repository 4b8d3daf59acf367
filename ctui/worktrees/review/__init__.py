"""Reading what a worktree changed: files, hunks, what differs within lines, places of comments.

It compares trees and knows neither tasks nor a screen; whoever told whom belongs above.
"""
