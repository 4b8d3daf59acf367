"""The command line: groups of commands, each imported only when it is used.

Commands show and ask; what they do is done by `ctui.client` and below.
"""
