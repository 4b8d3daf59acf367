"""The CLI's lines and ours: typed events, lenient decoding, the control requests that are written.

Nothing here folds, shows or stores anything; what a line causes is decided in `ctui.tasks`.
"""
