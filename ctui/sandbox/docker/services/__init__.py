"""Services of tasks as containers: a holder of the network, and what joins it.

The holder is the only one on the tasks' network. Services and sandbox join it, so that a service's
name is an address of their common loopback, and nothing of another task can reach it.
"""
