"""One task on the screen: its header, transcript, asks and composer, and the feed of its journal.

Other tasks, the list and the dashboard are not known here; what is decided leaves as a message.
"""
