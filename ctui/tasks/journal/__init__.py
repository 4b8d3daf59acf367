"""The journals of tasks as files, written by the driver alone, and the records beside them.

Nothing here knows what a line means, but for where a block's parts end.
"""
