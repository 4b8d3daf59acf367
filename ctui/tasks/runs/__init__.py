"""The runs of tasks: one mailbox per task, its states, its jobs, and who may run now.

`actor` takes the mail, `dispatch` says what handles it: `commands`, `timers`, or the phase of the
run (`phases`). What takes time is in `jobs`, what a run may take of the disks in `disks`. What a
line of the CLI means is `session`; how a sandbox is made is the runner's business.
"""
