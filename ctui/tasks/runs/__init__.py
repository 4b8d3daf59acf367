"""The runs of tasks: one mailbox per task, its states, its jobs, and who may run now.

What a line of the CLI means is `session`; how a sandbox is made is the runner's business.
"""
