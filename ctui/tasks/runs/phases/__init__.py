"""The phases of a run, a file for each: from the queue by way of its jobs back to rest.

A handler is given the end of one job, and begins the next. Each phase imports only those behind it
in this row: adopting, creating, live, closing, resting, leaving, queued.
"""
